import type { Verdict } from '../model/index.ts'
import { isRejoining } from './families.ts'
import { addImpact, close, incidentOf, isFrozen, isImpactedBy, openIncident, recover, want } from './incidents.ts'
import { whatIsMissing } from './missing.ts'
import { massOf, peersOf, type Mass } from './peers.ts'
import { diagnosisRules, type OpenIncident, type ServiceRecord, type Turn } from './state.ts'

/** Finds what a verdict of illness is due to: the service itself, something it depends on, or nobody knows yet. */
export function attribute(turn: Turn, record: ServiceRecord, verdict: Verdict): void {
  const { instance } = verdict
  if (isOutdated(record, verdict)) return
  // A wrong question tells nothing of whom it was put to.
  if (verdict.symptom === 'misconfigured') return
  // Somebody has taken it into their own hands. A stop has its own time; maintenance ends by itself.
  if (isInHand(turn, record, instance)) {
    record.doubts.delete(instance)
    return
  }
  if (isRejoining(turn, record, verdict)) return
  // Not even if a dependency is ill: it will not go on when that is well again, and meanwhile it holds ports and locks that
  // its next run needs. Nor does it wait for the dependency as a dead one does: a start too early costs a while of not being
  // ready, while the wait may have no end.
  if (isFrozen(record, verdict)) return takeBlame(turn, record, verdict)
  const own = incidentOf(turn, instance)
  const root = sickUpstream(turn, record, verdict)
  if (verdict.evidence === 'certain') return attributeDeath(turn, record, verdict, root, own)
  if (verdict.status === 'degraded') return attributeDegraded(turn, record, verdict, root, own)
  if (root) {
    if (own) close(turn, own, { reason: `symptom of ${root.incident.id}`, heir: root })
    return blame(turn, record, root, verdict)
  }
  const gone = whatIsMissing(record, verdict)
  if (gone !== null) return takeMissing(turn, record, verdict, gone)
  const upstream = turn.state.graph.upstream(record.spec.name)
  const peers = peersOf(turn, record)
  if (verdict.evidence === null) return takeBlame(turn, record, verdict)
  if (upstream.length + peers.length === 0)
    return takeBlame(turn, record, verdict, massOf(turn, record, [], []) ?? undefined)
  if (!record.doubts.has(instance)) ask(turn, record, instance, upstream, peers)
}

export function isInHand({ state }: Turn, record: ServiceRecord, instance: string): boolean {
  return state.maintenance.has(record.spec.name) || record.stops.has(instance)
}

/** Another run is there than the one that was judged: what its runtime saw is known before what probing makes of it. */
export function isOutdated(record: ServiceRecord, { instance, startedAt }: Verdict): boolean {
  const run = record.runs.get(instance) ?? null
  return run !== null && run !== startedAt
}

export const isIll = ({ status }: Verdict) => status === 'unhealthy' || status === 'degraded'

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
  record.doubts.set(verdict.instance, { kind: 'dying', until: mono + dyingMs, latest: mono + 2 * dyingMs })
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
    if (!record.doubts.has(instance))
      record.doubts.set(instance, { kind: 'awaiting-liveness', until: mono + diagnosisRules.livenessMs })
    return
  }
  const gone = whatIsMissing(record, verdict)
  if (gone !== null) return takeMissing(turn, record, verdict, gone)
  const suspects = namedDependencies(record, verdict)
  if (suspects.length === 0) return takeBlame(turn, record, verdict)
  if (own?.incident.severity === 'unhealthy') recover(turn, own, stableMs)
  if (record.doubts.has(instance) || own?.incident.cause === 'dependency') return
  record.doubts.set(instance, { kind: 'awaiting-root', suspects, until: mono + diagnosisRules.lateRootMs })
}

/** Dependencies that the service itself names among its failing checks. */
export function namedDependencies(record: ServiceRecord, verdict: Verdict): readonly string[] {
  const declared = new Set(record.spec.dependsOn.map((edge) => edge.service))
  return verdict.failing.filter((name) => declared.has(name))
}

/** Somebody has taken away what it needs: neither its fault, nor anything that a restart could give back. */
function takeMissing(turn: Turn, record: ServiceRecord, verdict: Verdict, gone: string): void {
  const reason = `${verdict.reason}; ${gone}, which it depends on, was removed`
  record.doubts.delete(verdict.instance)
  record.impacts.delete(verdict.instance)
  openIncident(turn, { ...verdict, reason }, 'dependency')
  reconsiderDependants(turn, record)
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
      const affected = incident.service === name || isImpactedBy(dependency, incident.id)
      if (!affected || incident.service === record.spec.name) continue
      const stillIll = incident.recoveredAt === null && !isWell(dependency)
      // Named by the dependant itself: it may see the end of an outage later than we do.
      const suffers = record.impacts.get(verdict.instance) === incident.id
      const named = incident.recoveredAt !== null && verdict.failing.includes(name) && suffers
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
  record.doubts.delete(verdict.instance)
  record.impacts.set(verdict.instance, root.incident.id)
  addImpact(turn, root, record.spec.name, verdict.reason)
  // Only what is gone for certain needs a start; a dependant that is merely ill settles by itself.
  if (verdict.evidence === 'certain') want(turn, root, verdict)
  reconsiderDependants(turn, record)
}

/** The illness is its own; or, where so many are ill at once that this is no coincidence, that of what carries them all. */
export function takeBlame(turn: Turn, record: ServiceRecord, verdict: Verdict, mass?: Mass): void {
  record.doubts.delete(verdict.instance)
  record.impacts.delete(verdict.instance)
  const open = openIncident(turn, verdict, mass ? 'host' : 'self')
  if (verdict.status === 'unhealthy') want(turn, open, verdict, mass)
  reconsiderDependants(turn, record)
}

/** What has just been found may explain those below that nobody could explain yet. */
export function reconsiderDependants(turn: Turn, record: ServiceRecord): void {
  for (const name of turn.state.graph.downstream(record.spec.name)) {
    const below = turn.state.services.get(name)
    for (const instance of below?.doubts.keys().toArray() ?? []) {
      const verdict = below?.verdicts.get(instance)
      if (below && verdict && sickUpstream(turn, below, verdict)) attribute(turn, below, verdict)
    }
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
  record.doubts.set(instance, { kind: 'confirming', token, until: turn.now.mono + 2 * withinMs, peers })
  turn.effects.push({ type: 'confirm', token, services: [...upstream, ...peers], withinMs })
}
