import type { EndedBy, Instance, Verdict } from '../model/index.ts'
import { addImpact, incidentOf, openIncident, recover } from './incidents.ts'
import { diagnosisRules, type OpenIncident, type ServiceRecord, type Turn } from './state.ts'

/**
 * An instance that somebody stopped, or whose end nobody saw. Nothing is said before `sayAt`, for a restart or a
 * replacement is over by then; at `decideAt` it counts as dead, unless by then the intent has shown.
 */
export interface Stop {
  readonly by: Extract<EndedBy, 'stop' | 'before' | 'unknown'>
  /** Monotonic: when it was asked to end, and when it had. */
  readonly askedAt: number
  readonly at: number
  readonly sayAt: number
  said: boolean
  decideAt: number
  /** What shows that it was meant; null: nothing yet. */
  meant: 'before' | 'together' | 'ill' | 'renamed' | null
  /** What people called it when it was stopped. */
  readonly name: string | null
}

/** Notes how the instance's last run ended; what runs again, or was not stopped, is forgotten. */
export function noteEnd(
  turn: Turn,
  record: ServiceRecord,
  { id, state, exit, name: called }: Instance,
  { ran, isFirst }: { readonly ran: boolean; readonly isFirst: boolean },
): void {
  if (state === 'stopping' || state === 'unknown') return
  const by = stoppedBy({ state, exit }, isFirst, record.stops.get(id))
  if (by === null || record.spec.runtime === null) {
    record.stops.delete(id)
    return
  }
  const name = called ?? null
  const known = record.stops.get(id)
  if (known && !ran) {
    // Put aside for another that is to take its place.
    if (name !== known.name && known.meant === null) rest(known, 'renamed')
    return
  }
  if (!ran) return
  const { mono } = turn.now
  const { sayStopMs, stopMs } = diagnosisRules
  const meant = by === 'before' ? 'before' : by === 'stop' && isKnownIll(turn, id) ? 'ill' : null
  record.stops.set(id, {
    by,
    askedAt: record.stopping.get(id) ?? mono,
    at: mono,
    sayAt: by === 'before' ? Infinity : mono + sayStopMs,
    said: false,
    decideAt: meant === null ? mono + stopMs : Infinity,
    meant,
    name,
  })
}

function rest(stop: Stop, meant: NonNullable<Stop['meant']>): void {
  stop.decideAt = Infinity
  stop.meant = meant
}

/** Nobody stops what is ill, or crashes again and again, to have it started. */
function isKnownIll(turn: Turn, instance: string): boolean {
  const own = incidentOf(turn, instance)?.incident
  return own?.severity === 'unhealthy' && own.recoveredAt === null && own.cause !== 'operator'
}

function stoppedBy(
  { state, exit }: Pick<Instance, 'state' | 'exit'>,
  isFirst: boolean,
  known?: Stop,
): Stop['by'] | null {
  // Frozen when it was first seen: as much somebody's doing as a stop.
  if (state === 'paused') return isFirst ? 'before' : (known?.by ?? null)
  const by = exit?.endedBy
  return state === 'exited' && (by === 'stop' || by === 'before' || by === 'unknown') ? by : null
}

/** Says that it was stopped, once for all that is stopped with it; and later whether that was meant. */
export function passStops(turn: Turn, record: ServiceRecord, dead: (verdict: Verdict) => void): void {
  const { mono } = turn.now
  for (const [id, stop] of record.stops) {
    const verdict = record.verdicts.get(id)
    if (verdict?.evidence !== 'certain') continue
    const isDue = mono >= stop.decideAt
    if (isDue && isStoppedTogether(turn, record, stop)) rest(stop, 'together')
    if (isDue && stop.meant === null) {
      record.stops.delete(id)
      dead(verdict)
    } else if (mono >= stop.sayAt && !stop.said) {
      stop.said = true
      if (!turn.state.maintenance.has(record.spec.name)) say(turn, record, verdict)
    }
  }
}

/** When `passStops` has something to do for it; Infinity: never. */
export function nextOfStops(record: ServiceRecord): number {
  let at = Infinity
  for (const [id, stop] of record.stops) {
    // Without the verdict there is nothing to do, however late it is.
    if (record.verdicts.get(id)?.evidence !== 'certain') continue
    at = Math.min(at, stop.decideAt, stop.said ? Infinity : stop.sayAt)
  }
  return at
}

function say(turn: Turn, record: ServiceRecord, verdict: Verdict): void {
  const own = incidentOf(turn, verdict.instance)
  if (own?.incident.cause === 'operator' && own.incident.recoveredAt === null) return
  const wave = own ? undefined : waveOf(turn, record)
  record.doubts.delete(verdict.instance)
  if (wave) {
    record.impacts.set(verdict.instance, wave.incident.id)
    addImpact(turn, wave, record.spec.name, 'stopped as well')
    return
  }
  openIncident(turn, { ...verdict, symptom: 'stopped', reason: 'somebody has stopped it' }, 'operator')
}

/** The open incident of somebody who is stopping this domain; also one whose first instance is removed already. */
function waveOf(turn: Turn, record: ServiceRecord): OpenIncident | undefined {
  const { domain } = record.spec
  if (domain === undefined) return undefined
  for (const open of turn.state.incidents.values()) {
    if (open.incident.cause !== 'operator') continue
    if (turn.state.services.get(open.incident.service)?.spec.domain === domain) return open
  }
  return undefined
}

/** Another service of its domain was stopped at about the same time, or is being stopped. */
function isStoppedTogether(turn: Turn, record: ServiceRecord, stop: Stop): boolean {
  const { domain } = record.spec
  if (domain === undefined) return false
  const { stopMs, waveMs } = diagnosisRules
  const near = (from: number, to: number, ms: number) => from <= stop.at + ms && to >= stop.askedAt - ms
  for (const other of turn.state.services.values()) {
    if (other === record || other.spec.domain !== domain) continue
    if (other.stopping.size > 0) return true
    if (other.removedAt !== null && near(other.removedAt, other.removedAt, stopMs)) return true
    for (const { askedAt, at, by, meant } of other.stops.values()) {
      if (by !== 'before' && near(askedAt, at, meant === 'together' ? waveMs : stopMs)) return true
    }
  }
  for (const removal of turn.state.removals.values()) {
    if (removal.domain === domain && near(removal.at, removal.at, stopMs)) return true
  }
  return false
}

/** Its instance was removed: whoever stops the rest of its domain belongs to the same story for a while. */
export function keepWave(turn: Turn, open: OpenIncident): void {
  recover(turn, open, diagnosisRules.stopMs * 2)
}
