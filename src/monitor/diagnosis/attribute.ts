import type { Verdict } from '../model/index.ts'
import { isRejoining } from './families.ts'
import { addImpact, close, incidentOf, isFrozen, openIncident, recover, want } from './incidents.ts'
import { massOf, peersOf, type Mass } from './peers.ts'
import { diagnosisRules, type OpenIncident, type ServiceRecord, type Turn } from './state.ts'

/** Finds what a verdict of illness is due to: the service itself, something it depends on, or nobody knows yet. */
export function attribute(turn: Turn, record: ServiceRecord, verdict: Verdict): void {
  // Somebody has taken it into their own hands. A stop has its own time; maintenance ends by itself.
  if (turn.state.maintenance.has(record.spec.name) || record.stops.has(verdict.instance)) {
    record.doubt = null
    return
  }
  if (isRejoining(turn, record, verdict)) return
  // Not even if a dependency is ill: it will not go on when that is well again, and meanwhile it holds ports and locks that
  // its next run needs. Nor does it wait for the dependency as a dead one does: a start too early costs a while of not being
  // ready, while the wait may have no end.
  if (isFrozen(record, verdict)) return takeBlame(turn, record, verdict)
  const own = incidentOf(turn, verdict.instance)
  const root = sickUpstream(turn, record, verdict)
  if (verdict.evidence === 'certain') return attributeDeath(turn, record, verdict, root, own)
  if (verdict.status === 'degraded') return attributeDegraded(turn, record, verdict, root, own)
  if (root) {
    if (own) close(turn, own, `symptom of ${root.incident.id}`)
    return blame(turn, record, root, verdict)
  }
  const upstream = turn.state.graph.upstream(record.spec.name)
  const peers = peersOf(turn, record)
  if (verdict.evidence === null) return takeBlame(turn, record, verdict)
  if (upstream.length + peers.length === 0)
    return takeBlame(turn, record, verdict, massOf(turn, record, [], []) ?? undefined)
  if (record.doubt === null) ask(turn, record, verdict.instance, upstream, peers)
}

type Found = OpenIncident | null | undefined

function attributeDeath(turn: Turn, record: ServiceRecord, verdict: Verdict, root: Found, own: Found): void {
  // Whoever is under treatment already stays so; else, under the incident of another, it is started after that, told once.
  if (own && own.incident.recoveredAt === null) return takeBlame(turn, record, verdict)
  if (root) return blame(turn, record, root, verdict)
  const { services, graph } = turn.state
  // Only where a death can be seen: what nobody runs is judged by its probes, which takes far longer.
  const mayDieToo = graph.upstream(record.spec.name).some((name) => services.get(name)?.spec.runtime != null)
  if (!mayDieToo) return takeBlame(turn, record, verdict)
  const { mono } = turn.now
  const dyingMs = record.spec.runtime === 'process' ? diagnosisRules.dyingMs : diagnosisRules.dyingApartMs
  record.doubt = { kind: 'dying', instance: verdict.instance, until: mono + dyingMs, latest: mono + 2 * dyingMs }
}

function attributeDegraded(turn: Turn, record: ServiceRecord, verdict: Verdict, root: Found, own: Found): void {
  const { stableMs } = record.spec.recovery
  if (root) {
    // The process itself is well again; that it cannot serve is another's doing.
    if (own) recover(turn, own, stableMs)
    return blame(turn, record, root, verdict)
  }
  const { instance } = verdict
  const { mono } = turn.now
  if (verdict.symptom === 'not-ready' && verdict.evidence === 'silence') {
    record.doubt ??= { kind: 'awaiting-liveness', instance, until: mono + diagnosisRules.livenessMs }
    return
  }
  const suspects = namedDependencies(record, verdict)
  if (suspects.length === 0) return takeBlame(turn, record, verdict)
  if (own?.incident.severity === 'unhealthy') recover(turn, own, stableMs)
  if (record.doubt !== null || own?.incident.cause === 'dependency') return
  record.doubt = { kind: 'awaiting-root', instance, suspects, until: mono + diagnosisRules.lateRootMs }
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
      const stillIll = incident.recoveredAt === null && !isWell(dependency)
      // Named by the dependant itself: it may see the end of an outage later than we do.
      const named = incident.recoveredAt !== null && verdict.failing.includes(name) && record.impactedBy === incident.id
      if (!stillIll && !named) continue
      if (verdict.status === 'unhealthy' && incident.severity !== 'unhealthy') continue
      return open
    }
  }
  return null
}

/** By its verdicts, not by its view, which follows at the end of the turn. */
function isWell(record: ServiceRecord): boolean {
  return record.verdicts.size > 0 && [...record.verdicts.values()].every((verdict) => verdict.status === 'healthy')
}

/** The illness is another's: a symptom of that incident. */
function blame(turn: Turn, record: ServiceRecord, root: OpenIncident, verdict: Verdict): void {
  record.doubt = null
  record.impactedBy = root.incident.id
  addImpact(turn, root, record.spec.name, verdict.reason)
  // Only what is gone for certain needs a start; a dependant that is merely ill settles by itself.
  if (verdict.evidence === 'certain') want(turn, root, verdict)
  reconsiderDependants(turn, record)
}

/** The illness is its own; or, where so many are ill at once that this is no coincidence, that of what carries them all. */
export function takeBlame(turn: Turn, record: ServiceRecord, verdict: Verdict, mass?: Mass): void {
  record.doubt = null
  record.impactedBy = null
  const open = openIncident(turn, verdict, mass ? 'host' : 'self')
  if (verdict.status === 'unhealthy') want(turn, open, verdict, mass)
  reconsiderDependants(turn, record)
}

/** What has just been found may explain those below that nobody could explain yet. */
export function reconsiderDependants(turn: Turn, record: ServiceRecord): void {
  for (const name of turn.state.graph.downstream(record.spec.name)) {
    const below = turn.state.services.get(name)
    const verdict = below?.doubt && below.verdicts.get(below.doubt.instance)
    if (below && verdict && sickUpstream(turn, below, verdict)) attribute(turn, below, verdict)
  }
}

/** A fresh look at everything it depends on, and at a few that have nothing to do with it. */
function ask(
  turn: Turn,
  record: ServiceRecord,
  instance: string,
  upstream: readonly string[],
  peers: readonly string[],
): void {
  const token = `${record.spec.name}#${++turn.state.tokens}`
  const withinMs = diagnosisRules.confirmMs
  // Twice the time: an answer that never comes must not leave the service undiagnosed.
  record.doubt = { kind: 'confirming', token, instance, until: turn.now.mono + 2 * withinMs, peers }
  turn.effects.push({ type: 'confirm', token, services: [...upstream, ...peers], withinMs })
}
