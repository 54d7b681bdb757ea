import type { Verdict } from '../model/index.ts'
import { addImpact, close, incidentOf, openIncident, recover } from './incidents.ts'
import { diagnosisRules, type OpenIncident, type ServiceRecord, type Turn } from './state.ts'

/** Finds what a verdict of illness is due to: the service itself, something it depends on, or nobody knows yet. */
export function attribute(turn: Turn, record: ServiceRecord, verdict: Verdict): void {
  const own = incidentOf(turn, verdict.instance)
  const root = sickUpstream(turn, record, verdict)
  if (verdict.evidence === 'certain') {
    record.doubt = null
    // Whoever is dead already under the incident of another is part of that incident: started after it, told once.
    if (root && !own) return blame(turn, record, root, verdict)
    return takeBlame(turn, record, verdict)
  }
  if (verdict.status === 'degraded') return attributeDegraded(turn, record, verdict, root)
  if (root) {
    if (own) close(turn, own, `symptom of ${root.incident.id}`)
    return blame(turn, record, root, verdict)
  }
  const upstream = turn.state.graph.upstream(record.spec.name)
  if (upstream.length === 0 || verdict.evidence === null) return takeBlame(turn, record, verdict)
  if (record.doubt === null) askDependencies(turn, record, verdict.instance, upstream)
}

function attributeDegraded(turn: Turn, record: ServiceRecord, verdict: Verdict, root: OpenIncident | null): void {
  const own = incidentOf(turn, verdict.instance)
  if (root) {
    // The process itself is well again; that it cannot serve is another's doing.
    if (own) recover(turn, own, record.spec.recovery.stableMs)
    return blame(turn, record, root, verdict)
  }
  const suspects = namedDependencies(record, verdict)
  if (suspects.length === 0) return takeBlame(turn, record, verdict)
  if (own?.incident.severity === 'unhealthy') recover(turn, own, record.spec.recovery.stableMs)
  if (record.doubt !== null || own?.incident.cause === 'dependency') return
  const until = turn.now.mono + diagnosisRules.lateRootMs
  record.doubt = { kind: 'awaiting-root', instance: verdict.instance, suspects, until }
}

/** Dependencies that the service itself names among its failing checks. */
export function namedDependencies(record: ServiceRecord, verdict: Verdict): readonly string[] {
  const declared = new Set(record.spec.dependsOn.map((edge) => edge.service))
  return verdict.failing.filter((name) => declared.has(name))
}

/**
 * The incident of the nearest dependency that explains this verdict. A dependency that is merely slow explains that its
 * dependants are degraded, not that they are dead.
 */
export function sickUpstream(turn: Turn, record: ServiceRecord, verdict: Verdict): OpenIncident | null {
  for (const name of turn.state.graph.upstream(record.spec.name)) {
    const dependency = turn.state.services.get(name)
    if (!dependency) continue
    for (const open of turn.state.incidents.values()) {
      const { incident } = open
      const affected = incident.service === name || dependency.impactedBy === incident.id
      if (!affected || incident.service === record.spec.name) continue
      const stillIll = incident.recoveredAt === null && dependency.view.status !== 'healthy'
      // Named by the dependant itself: it may see the end of an outage later than we do.
      const named = incident.recoveredAt !== null && verdict.failing.includes(name) && record.impactedBy === incident.id
      if (!stillIll && !named) continue
      if (verdict.status === 'unhealthy' && incident.severity !== 'unhealthy') continue
      return open
    }
  }
  return null
}

/** The illness is another's: a symptom of that incident. */
export function blame(turn: Turn, record: ServiceRecord, root: OpenIncident, verdict: Verdict): void {
  record.doubt = null
  record.impactedBy = root.incident.id
  addImpact(turn, root, record.spec.name, verdict.reason)
}

/** The illness is its own. */
export function takeBlame(turn: Turn, record: ServiceRecord, verdict: Verdict): void {
  record.doubt = null
  record.impactedBy = null
  openIncident(turn, verdict, 'self')
}

function askDependencies(turn: Turn, record: ServiceRecord, instance: string, services: readonly string[]): void {
  const token = `${record.spec.name}#${++turn.state.tokens}`
  const withinMs = diagnosisRules.confirmMs
  // Twice the time: an answer that never comes must not leave the service undiagnosed.
  record.doubt = { kind: 'confirming', token, instance, until: turn.now.mono + 2 * withinMs }
  turn.effects.push({ type: 'confirm', token, services, withinMs })
}
