import {
  attribute,
  isIll,
  isInHand,
  isOutdated,
  namedDependencies,
  reconsiderDependants,
  sickUpstream,
  takeBlame,
} from './attribute.ts'
import { openIncident } from './incidents.ts'
import { massOf } from './peers.ts'
import { diagnosisRules, type Doubt, type ServiceRecord, type Turn } from './state.ts'

/** Those who were asked have answered. */
export function confirmed(turn: Turn, token: string, doubtful: readonly string[]): void {
  for (const record of turn.state.services.values()) {
    const [instance, doubt] = askedBy(record, token)
    if (!doubt) continue
    const verdict = record.verdicts.get(instance)
    record.doubts.delete(instance)
    if (
      !verdict ||
      isOutdated(record, verdict) ||
      isInHand(turn, record, instance) ||
      verdict.status !== 'unhealthy' ||
      turn.state.observerUnwell
    )
      return
    if (sickUpstream(turn, record, verdict)) return attribute(turn, record, verdict)
    // A stopped process still has its connections accepted by the kernel: that proves nothing.
    const isStopped = (name: string) => (turn.state.services.get(name)?.suspended.size ?? 0) > 0
    const upstream = turn.state.graph.upstream(record.spec.name)
    const suspects = upstream.filter(
      (name) => doubtful.includes(name) || isStopped(name) || isWeaklyProven(turn, name, record),
    )
    if (suspects.length === 0)
      return takeBlame(turn, record, verdict, massOf(turn, record, doubt.peers, doubtful) ?? undefined)
    const until = turn.now.mono + diagnosisRules.lateRootMs
    record.doubts.set(instance, { kind: 'awaiting-root', suspects, until })
    return
  }
}

/**
 * All that could be asked of it is a connection, which a hung process still accepts; and another of its dependants is ill as
 * well, so that it is rather what they have in common.
 */
function isWeaklyProven({ state }: Turn, name: string, dependant: ServiceRecord): boolean {
  const probes = state.services.get(name)?.spec.probes.filter(({ role }) => role === 'liveness') ?? []
  if (probes.length === 0 || probes.some(({ kind }) => kind !== 'tcp')) return false
  return state.graph.downstream(name).some((other) => {
    const record = state.services.get(other)
    if (!record || record === dependant) return false
    return [...record.verdicts.values()].some(
      ({ status, evidence }) => status === 'unhealthy' && evidence !== 'certain',
    )
  })
}

type Asked = Extract<Doubt, { kind: 'confirming' }>

function askedBy({ doubts }: ServiceRecord, token: string): readonly [string, Asked] | readonly ['', null] {
  for (const [instance, doubt] of doubts) {
    if (doubt.kind === 'confirming' && doubt.token === token) return [instance, doubt]
  }
  return ['', null]
}

/** Those whose time is up. */
export function passDoubts(turn: Turn, record: ServiceRecord): void {
  const { mono } = turn.now
  for (const [instance, doubt] of record.doubts.entries().toArray()) {
    // What was concluded of another copy a moment ago may have settled this one.
    if (record.doubts.get(instance) !== doubt || mono < doubt.until) continue
    const later = doubt.kind === 'dying' && stillDying(turn, record, doubt)
    if (later) record.doubts.set(instance, later)
    else conclude(turn, record, instance, doubt)
  }
}

/** A dependency that is dead as well and about to be judged: its end explains this one. */
function stillDying(turn: Turn, record: ServiceRecord, doubt: Extract<Doubt, { kind: 'dying' }>): Doubt | null {
  const { now, state } = turn
  if (now.mono >= doubt.latest) return null
  for (const name of state.graph.upstream(record.spec.name)) {
    for (const above of state.services.get(name)?.doubts.values() ?? []) {
      // Whose time is up in this very turn is judged in it; the few milliseconds keep a cycle from spinning.
      if (above.kind === 'dying') return { ...doubt, until: Math.max(above.until, now.mono + 10) }
    }
  }
  return null
}

/** The time of a doubt is up: what did not show by now is taken not to be. */
function conclude(turn: Turn, record: ServiceRecord, instance: string, doubt: Doubt): void {
  record.doubts.delete(instance)
  const verdict = record.verdicts.get(instance)
  if (!verdict || !isIll(verdict) || isOutdated(record, verdict) || isInHand(turn, record, instance)) return
  if (sickUpstream(turn, record, verdict)) return attribute(turn, record, verdict)
  if (doubt.kind === 'dying') return takeBlame(turn, record, verdict)
  // Ask again rather than guess: nobody is restarted while a dependency is in doubt.
  if (verdict.status === 'unhealthy') return attribute(turn, record, verdict)
  openIncident(turn, verdict, namedDependencies(record, verdict).length > 0 ? 'dependency' : 'self')
  reconsiderDependants(turn, record)
}
