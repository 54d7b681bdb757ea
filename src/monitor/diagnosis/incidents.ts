import { isoOf, type Cause, type Impact, type Incident, type Verdict } from '../model/index.ts'
import { diagnosisRules, type OpenIncident, type Turn } from './state.ts'

/** The open incident whose root is this instance. */
export function incidentOf(turn: Turn, instance: string): OpenIncident | undefined {
  for (const open of turn.state.incidents.values()) if (open.incident.instance === instance) return open
  return undefined
}

export function openIncident(turn: Turn, verdict: Verdict, cause: Cause): void {
  const { state, now } = turn
  const existing = incidentOf(turn, verdict.instance)
  if (existing) return relapse(turn, existing, verdict, cause)
  const incident: Incident = {
    id: freshId(turn, verdict.service),
    service: verdict.service,
    instance: verdict.instance,
    cause,
    severity: verdict.status === 'unhealthy' ? 'unhealthy' : 'degraded',
    symptom: verdict.symptom ?? 'failing',
    evidence: verdict.evidence,
    reason: verdict.reason,
    openedAt: isoOf(now.wall - Math.max(0, now.mono - verdict.firstEvidenceAt)),
    detectedAt: isoOf(now.wall),
    recoveredAt: null,
    closedAt: null,
    impacted: [],
  }
  const open: OpenIncident = { incident, detectedMono: now.mono, closesAt: null, reviewAt: null }
  state.incidents.set(incident.id, open)
  adoptLateSymptoms(turn, open)
  turn.events.push({ type: 'incident.opened', incident: open.incident })
}

/** Ill again before it was closed: the same story goes on, so that flapping is one incident. */
function relapse(turn: Turn, open: OpenIncident, verdict: Verdict, cause: Cause): void {
  const before = open.incident
  const severity = verdict.status === 'unhealthy' ? 'unhealthy' : 'degraded'
  open.closesAt = null
  open.reviewAt = null
  // While it lasts the first finding is the story: that a hung process is gone after we killed it is no news.
  const sameStory = before.recoveredAt === null && before.severity === severity && before.cause === cause
  open.incident = sameStory
    ? before
    : {
        ...before,
        cause,
        severity,
        symptom: verdict.symptom ?? before.symptom,
        evidence: verdict.evidence,
        reason: verdict.reason,
        recoveredAt: null,
      }
  turn.events.push({ type: 'incident.updated', incident: open.incident })
}

/** Incidents of dependants that were opened just before their root showed become symptoms of the root. */
function adoptLateSymptoms(turn: Turn, root: OpenIncident): void {
  const below = new Set(turn.state.graph.downstream(root.incident.service))
  for (const other of turn.state.incidents.values()) {
    if (other === root || other.incident.recoveredAt !== null || !below.has(other.incident.service)) continue
    if (turn.now.mono - other.detectedMono > diagnosisRules.lateRootMs) continue
    // A dependency that is merely degraded does not explain a death.
    if (other.incident.severity === 'unhealthy' && root.incident.severity !== 'unhealthy') continue
    const { service, reason } = other.incident
    addImpact(turn, root, service, reason, { silent: true })
    close(turn, other, `symptom of ${root.incident.id}`)
    const record = turn.state.services.get(service)
    if (record) record.impactedBy = root.incident.id
  }
}

export function addImpact(
  turn: Turn,
  root: OpenIncident,
  service: string,
  reason: string,
  options: { silent?: boolean } = {},
): void {
  if (service === root.incident.service) return
  const rest = root.incident.impacted.filter((impact) => impact.service !== service)
  const known = root.incident.impacted.find((impact) => impact.service === service)
  const impact: Impact = { service, since: known?.since ?? isoOf(turn.now.wall), reason }
  root.incident = { ...root.incident, impacted: [...rest, impact] }
  if (!options.silent) turn.events.push({ type: 'incident.updated', incident: root.incident })
}

export function recover(turn: Turn, open: OpenIncident, stableMs: number): void {
  if (open.incident.recoveredAt !== null) return
  open.incident = { ...open.incident, recoveredAt: isoOf(turn.now.wall) }
  open.closesAt = turn.now.mono + stableMs
  open.reviewAt = turn.now.mono + diagnosisRules.settleAfterRootMs
  turn.events.push({ type: 'incident.recovered', incident: open.incident })
}

export function close(turn: Turn, open: OpenIncident, reason?: string): void {
  const at = isoOf(turn.now.wall)
  open.incident = {
    ...open.incident,
    closedAt: at,
    recoveredAt: open.incident.recoveredAt ?? (reason ? null : at),
    reason: reason ? `${open.incident.reason} (${reason})` : open.incident.reason,
  }
  turn.state.incidents.delete(open.incident.id)
  turn.events.push({ type: 'incident.closed', incident: open.incident })
}

/** Readable, sortable and unique: `20261123T234512123-frame-tracking`, numbered from the second of a millisecond on. */
function freshId(turn: Turn, service: string): string {
  const { given } = turn.state
  const stamp = isoOf(turn.now.wall).replace(/[^\dT]/g, '')
  given.count = given.stamp === stamp ? given.count + 1 : 1
  given.stamp = stamp
  return given.count === 1 ? `${stamp}-${service}` : `${stamp}-${service}-${given.count}`
}
