import { isoOf, type Cause, type Impact, type Incident, type Verdict } from '../model/index.ts'
import type { Mass } from './peers.ts'
import { diagnosisRules, type OpenIncident, type ServiceRecord, type Turn } from './state.ts'

/** The open incident whose root is this instance. */
export function incidentOf(turn: Turn, instance: string): OpenIncident | undefined {
  for (const open of turn.state.incidents.values()) if (open.incident.instance === instance) return open
  return undefined
}

export function openIncident(turn: Turn, verdict: Verdict, cause: Cause): OpenIncident {
  const { state, now } = turn
  const existing = incidentOf(turn, verdict.instance)
  const isDown = verdict.status === 'unhealthy' && cause !== 'operator'
  if (isDown && existing?.incident.recoveredAt !== null) noteDown(turn, verdict.service)
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
  const open: OpenIncident = {
    incident,
    published: null,
    detectedMono: now.mono,
    closesAt: null,
    reviewAt: null,
    settledAt: Infinity,
  }
  state.incidents.set(incident.id, open)
  const adopted = adoptLateSymptoms(turn, open)
  tell(turn, open, 'incident.opened')
  for (const dead of adopted) want(turn, open, dead)
  return open
}

/** Ill again before it was closed: the same story goes on, so that flapping is one incident. */
function relapse(turn: Turn, open: OpenIncident, verdict: Verdict, cause: Cause): OpenIncident {
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
        reason: withFlapping(turn, verdict),
        recoveredAt: null,
      }
  return open
}

function noteDown(turn: Turn, service: string): void {
  const record = turn.state.services.get(service)
  if (record) record.downs = [...downsOf(turn, service), turn.now.mono]
}

function downsOf(turn: Turn, service: string): readonly number[] {
  const since = turn.now.mono - diagnosisRules.flapping.withinMs
  return (turn.state.services.get(service)?.downs ?? []).filter((at) => at > since)
}

const isFlapping = (turn: Turn, service: string) => downsOf(turn, service).length >= diagnosisRules.flapping.downs

function withFlapping(turn: Turn, { service, reason }: Verdict): string {
  if (!isFlapping(turn, service)) return reason
  const minutes = diagnosisRules.flapping.withinMs / 60_000
  return `flapping, down ${downsOf(turn, service).length} times within ${minutes} min: ${reason}`
}

/**
 * Incidents of dependants that were opened just before their root showed become symptoms of the root; of those that were too many
 * to be ill by themselves, however long before. Returns the verdicts of those that are dead: they come after the root now.
 */
function adoptLateSymptoms(turn: Turn, root: OpenIncident): readonly Verdict[] {
  const below = new Set(turn.state.graph.downstream(root.incident.service))
  const dead: Verdict[] = []
  for (const other of turn.state.incidents.values()) {
    if (other === root || other.incident.recoveredAt !== null || !below.has(other.incident.service)) continue
    if (other.incident.cause === 'operator') continue
    const isOld = turn.now.mono - other.detectedMono > diagnosisRules.lateRootMs
    if (isOld && other.incident.cause !== 'host') continue
    // A dependency that is merely degraded does not explain a death.
    if (other.incident.severity === 'unhealthy' && root.incident.severity !== 'unhealthy') continue
    const { service, instance, reason } = other.incident
    const record = turn.state.services.get(service)
    const verdict = instance === null ? undefined : record?.verdicts.get(instance)
    if (record && verdict && isFrozen(record, verdict)) continue
    // What somebody has taken into their own hands comes after nobody.
    if (turn.state.maintenance.has(service) || (instance !== null && record?.stops.has(instance))) continue
    addImpact(turn, root, service, reason)
    close(turn, other, { reason: `symptom of ${root.incident.id}`, heir: root })
    if (record && instance !== null) record.impacts.set(instance, root.incident.id)
    if (verdict?.evidence === 'certain') dead.push(verdict)
  }
  return dead
}

/** Somebody stopped the process or froze the instance: whatever else is ill, that is not why. */
export function isFrozen(record: ServiceRecord, verdict: Verdict): boolean {
  return verdict.symptom === 'paused' || (verdict.status === 'unhealthy' && record.suspended.has(verdict.instance))
}

export function isImpactedBy(record: ServiceRecord, incident: string): boolean {
  return [...record.impacts.values()].includes(incident)
}

export function addImpact(turn: Turn, root: OpenIncident, service: string, reason: string): void {
  const { impacted } = root.incident
  if (service === root.incident.service) return
  const known = impacted.find((impact) => impact.service === service)
  if (known?.reason === reason) return
  const impact: Impact = { service, since: known?.since ?? isoOf(turn.now.wall), reason }
  root.incident = {
    ...root.incident,
    impacted: known ? impacted.map((other) => (other === known ? impact : other)) : [...impacted, impact],
  }
}

/** Hands the instance of the verdict over to recovery: for an incident of its own, or behind the one that it died under. */
export function want(turn: Turn, open: OpenIncident, verdict: Verdict, mass?: Mass): void {
  const { service, instance, reason, evidence } = verdict
  const { id, service: root } = open.incident
  const waitFor = root === service ? null : root
  turn.events.push({
    type: 'action.wanted',
    incident: id,
    service,
    instance,
    reason,
    evidence,
    waitFor,
    ...(mass ? { mass } : {}),
  })
}

export function recover(turn: Turn, open: OpenIncident, stableMs: number): void {
  if (open.incident.recoveredAt !== null) return
  open.incident = { ...open.incident, recoveredAt: isoOf(turn.now.wall) }
  const flapping = isFlapping(turn, open.incident.service)
  open.closesAt = turn.now.mono + (flapping ? diagnosisRules.flapping.withinMs : stableMs)
  planReview(open, turn.now.mono)
  tell(turn, open, 'incident.recovered')
}

export function planReview(open: OpenIncident, mono: number): void {
  open.reviewAt = mono + diagnosisRules.reviveAfterRootMs
  open.settledAt = mono + diagnosisRules.settleAfterRootMs
}

export interface Closing {
  readonly reason: string
  /** Whoever suffers under the closed one suffers under this one from now on. */
  readonly heir?: OpenIncident
}

export function close(turn: Turn, open: OpenIncident, { reason, heir }: Partial<Closing> = {}): void {
  for (const record of heir ? turn.state.services.values() : []) {
    for (const [instance, incident] of record.impacts) {
      if (incident !== open.incident.id || !heir) continue
      if (record.spec.name === heir.incident.service) record.impacts.delete(instance)
      else {
        record.impacts.set(instance, heir.incident.id)
        addImpact(turn, heir, record.spec.name, record.verdicts.get(instance)?.reason ?? '')
      }
    }
  }
  const at = isoOf(turn.now.wall)
  open.incident = {
    ...open.incident,
    closedAt: at,
    recoveredAt: open.incident.recoveredAt ?? (reason ? null : at),
    reason: reason ? `${open.incident.reason} (${reason})` : open.incident.reason,
  }
  turn.state.incidents.delete(open.incident.id)
  tell(turn, open, 'incident.closed')
}

type Transition = 'incident.opened' | 'incident.updated' | 'incident.recovered' | 'incident.closed'

function tell(turn: Turn, open: OpenIncident, type: Transition): void {
  open.published = open.incident
  turn.events.push({ type, incident: open.incident })
}

/** Tells at the end of a turn what has changed in it and was not told, so that each incident is told of once a turn. */
export function tellChanges(turn: Turn): void {
  for (const open of turn.state.incidents.values()) {
    const { incident, published } = open
    if (incident === published) continue
    const opened = turn.events.findIndex((event) => event.type === 'incident.opened' && event.incident === published)
    if (opened === -1) tell(turn, open, 'incident.updated')
    else {
      open.published = incident
      turn.events[opened] = { type: 'incident.opened', incident }
    }
  }
}

/** Readable, sortable and unique: `20261123T234512123-frame-tracking`, numbered from the second of a millisecond on. */
function freshId(turn: Turn, service: string): string {
  const { given } = turn.state
  const stamp = isoOf(turn.now.wall).replace(/[^\dT]/g, '')
  given.count = given.stamp === stamp ? given.count + 1 : 1
  given.stamp = stamp
  return given.count === 1 ? `${stamp}-${service}` : `${stamp}-${service}-${given.count}`
}
