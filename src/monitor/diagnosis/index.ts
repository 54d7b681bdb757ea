import {
  wallOf,
  type CoreEvent,
  type Instance,
  type Maintenance,
  type Now,
  type Reduced,
  type Restored,
  type ServiceSpec,
  type Step,
  type Verdict,
} from '../model/index.ts'
import { attribute, namedDependencies, reconsiderDependants, sickUpstream, takeBlame } from './attribute.ts'
import { rejoin } from './families.ts'
import { buildGraph } from './graph.ts'
import { close, incidentOf, openIncident, planReview, recover, tellChanges } from './incidents.ts'
import { massOf } from './peers.ts'
import { keepWave, nextOfStops, noteEnd, passStops } from './stops.ts'
import {
  diagnosisRules,
  freshRecord,
  initialState,
  type DiagnosisState,
  type Doubt,
  type OpenIncident,
  type ServiceRecord,
  type Turn,
} from './state.ts'
import { refreshView } from './view.ts'

export { buildGraph, type Graph } from './graph.ts'
export { diagnosisRules, type DiagnosisState } from './state.ts'

/** Explains verdicts: whose fault is it, and what belongs together. Pure; sources: reference "Recovery", root cause. */
export const diagnosis: Step<DiagnosisState> = { name: 'diagnosis', initial: initialState, reduce, wakeAt }

function reduce(state: DiagnosisState, event: CoreEvent, now: Now): Reduced<DiagnosisState> {
  const turn: Turn = { state, now, events: [], effects: [] }
  switch (event.type) {
    case 'services.changed':
      changeServices(turn, event.services)
      break
    case 'verdict':
      judge(turn, event.verdict)
      break
    case 'confirmed':
      confirmed(turn, event.token, event.doubtful)
      break
    case 'observer.changed':
      state.observerUnwell = event.unwell
      break
    case 'restored':
      restore(turn, event)
      break
    case 'instance.started':
    case 'instance.exited':
    case 'instance.failed':
    case 'instance.suspended':
    case 'instance.resumed':
    case 'instance.stopping':
    case 'instance.lost':
    case 'instance.changed':
      instanceChanged(turn, event.instance)
      break
    case 'instance.removed':
      forget(turn, event.instance.service, event.instance.id)
      break
    case 'maintenance.changed':
      maintain(turn, event.maintenance)
      break
    case 'tick':
      passTime(turn)
      break
    default:
      return { state, events: [], effects: [] }
  }
  tellChanges(turn)
  for (const record of state.services.values()) refreshView(turn, record)
  return { state, events: turn.events, effects: turn.effects }
}

function changeServices(turn: Turn, specs: readonly ServiceSpec[]): void {
  const { services, incidents } = turn.state
  const names = new Set(specs.map((spec) => spec.name))
  for (const name of services.keys()) if (!names.has(name)) services.delete(name)
  for (const spec of specs) {
    const known = services.get(spec.name)
    if (known) known.spec = spec
    else services.set(spec.name, freshRecord(spec))
  }
  turn.state.graph = buildGraph(specs)
  for (const open of incidents.values()) if (!names.has(open.incident.service)) close(turn, open, 'no longer watched')
}

function instanceChanged(turn: Turn, instance: Instance): void {
  const { service, id, state, startedAt } = instance
  const record = turn.state.services.get(service)
  // Its runtime does not answer: what was known of it last still holds.
  if (!record || state === 'unknown') return
  if (startedAt !== null && record.runs.has(id) && record.runs.get(id) !== startedAt) record.renewed.set(id, startedAt)
  // Events are hints and may come twice: an end is one when there was a run, or when this is the first that is heard of it.
  const ran = record.runs.get(id) !== null
  const isFirst = !record.runs.has(id)
  record.runs.set(id, startedAt)
  if (instance.networkOf == null) record.networkOf.delete(id)
  else record.networkOf.set(id, instance.networkOf)
  noteEnd(turn, record, instance, { ran, isFirst })
  if (state !== 'stopping') record.stopping.delete(id)
  else if (!record.stopping.has(id)) record.stopping.set(id, turn.now.mono)
  if (state !== 'suspended') {
    record.suspended.delete(id)
    return
  }
  record.suspended.add(id)
  // Seen after the silence was explained by another's illness: this explains it better.
  const verdict = record.verdicts.get(id)
  if (verdict?.status === 'unhealthy' && verdict.startedAt === startedAt) attribute(turn, record, verdict)
}

function judge(turn: Turn, verdict: Verdict): void {
  const record = turn.state.services.get(verdict.service)
  // What was removed may still be spoken of: probing is another thread.
  if (!record?.runs.has(verdict.instance)) return
  const run = record.runs.get(verdict.instance)
  // A verdict about a run that has been replaced meanwhile says nothing about its successor.
  if (run && verdict.startedAt !== null && verdict.startedAt !== run) return
  // What was in doubt was another illness, or none: degraded and unhealthy are explained differently.
  const before = record.verdicts.get(verdict.instance)
  if (record.doubt?.instance === verdict.instance && before?.status !== verdict.status) record.doubt = null
  record.verdicts.set(verdict.instance, verdict)
  const own = incidentOf(turn, verdict.instance)
  switch (verdict.status) {
    case 'healthy':
      record.doubt = null
      record.impactedBy = null
      if (own) recover(turn, own, record.spec.recovery.stableMs)
      endOrphans(turn, record)
      reconsiderDependants(turn, record)
      rejoin(turn, record, verdict.instance)
      break
    case 'degraded':
    case 'unhealthy':
      if (verdict.symptom === 'misconfigured') break
      attribute(turn, record, verdict)
      break
    case 'starting':
    case 'unknown':
      record.doubt = null
      break
  }
}

/** Incidents of instances that nobody has seen in this life of the monitor: with the service well, theirs is over. */
function endOrphans(turn: Turn, { spec, runs }: ServiceRecord): void {
  for (const open of turn.state.incidents.values()) {
    const { service, instance } = open.incident
    if (service === spec.name && instance !== null && !runs.has(instance)) recover(turn, open, spec.recovery.stableMs)
  }
}

function confirmed(turn: Turn, token: string, doubtful: readonly string[]): void {
  for (const record of turn.state.services.values()) {
    const { doubt } = record
    if (doubt?.kind !== 'confirming' || doubt.token !== token) continue
    const verdict = record.verdicts.get(doubt.instance)
    record.doubt = null
    if (!verdict || verdict.status !== 'unhealthy' || turn.state.observerUnwell) return
    if (sickUpstream(turn, record, verdict)) return attribute(turn, record, verdict)
    // A stopped process still has its connections accepted by the kernel: that proves nothing.
    const isStopped = (name: string) => (turn.state.services.get(name)?.suspended.size ?? 0) > 0
    const upstream = turn.state.graph.upstream(record.spec.name)
    const suspects = upstream.filter((name) => doubtful.includes(name) || isStopped(name))
    if (suspects.length === 0)
      return takeBlame(turn, record, verdict, massOf(turn, record, doubt.peers, doubtful) ?? undefined)
    const until = turn.now.mono + diagnosisRules.lateRootMs
    record.doubt = { kind: 'awaiting-root', instance: verdict.instance, suspects, until }
    return
  }
}

function passTime(turn: Turn): void {
  const { now, state } = turn
  for (const record of state.services.values()) {
    passStops(turn, record, (verdict) => attribute(turn, record, verdict))
    const { doubt } = record
    if (!doubt || now.mono < doubt.until) continue
    const later = doubt.kind === 'dying' && stillDying(turn, record, doubt)
    if (later) record.doubt = later
    else conclude(turn, record, doubt)
  }
  for (const open of state.incidents.values()) {
    if (open.reviewAt !== null && now.mono >= open.reviewAt) review(turn, open.incident.id)
    const stillImpacted = [...state.services.values()].some((record) => record.impactedBy === open.incident.id)
    if (open.closesAt !== null && now.mono >= open.closesAt && !stillImpacted) close(turn, open)
  }
}

/** A dependency that is dead as well and about to be judged: its end explains this one. */
function stillDying(turn: Turn, record: ServiceRecord, doubt: Extract<Doubt, { kind: 'dying' }>): Doubt | null {
  const { now, state } = turn
  if (now.mono >= doubt.latest) return null
  for (const name of state.graph.upstream(record.spec.name)) {
    const above = state.services.get(name)?.doubt
    // Whose time is up in this very turn is judged in it; the few milliseconds keep a cycle from spinning.
    if (above?.kind === 'dying') return { ...doubt, until: Math.max(above.until, now.mono + 10) }
  }
  return null
}

/** The time of a doubt is up: what did not show by now is taken not to be. */
function conclude(turn: Turn, record: ServiceRecord, doubt: Doubt): void {
  record.doubt = null
  const verdict = record.verdicts.get(doubt.instance)
  if (!verdict || (verdict.status !== 'unhealthy' && verdict.status !== 'degraded')) return
  if (sickUpstream(turn, record, verdict)) return attribute(turn, record, verdict)
  if (doubt.kind === 'dying') return takeBlame(turn, record, verdict)
  // Ask again rather than guess: nobody is restarted while a dependency is in doubt.
  if (verdict.status === 'unhealthy') return attribute(turn, record, verdict)
  openIncident(turn, verdict, namedDependencies(record, verdict).length > 0 ? 'dependency' : 'self')
  reconsiderDependants(turn, record)
}

/** The root has been well for long: whoever is still ill is judged on its own. */
function review(turn: Turn, id: string): void {
  const open = turn.state.incidents.get(id)
  if (!open) return
  const settled = turn.now.mono >= open.settledAt
  open.reviewAt = settled ? null : open.settledAt
  for (const record of turn.state.services.values()) {
    if (record.impactedBy !== id) continue
    const ill = [...record.verdicts.values()].filter(({ instance, status, evidence }) => {
      // What somebody stopped and left stopped is told already.
      if (record.stops.has(instance)) return false
      // The dead are being started one after another by now, which may take its time in a large fleet.
      return settled
        ? status === 'unhealthy' || status === 'degraded'
        : status === 'unhealthy' && evidence !== 'certain'
    })
    if (ill.length === 0 && !settled) continue
    record.impactedBy = null
    for (const verdict of ill) {
      record.rejoining.delete(verdict.instance)
      attribute(turn, record, verdict)
    }
  }
}

function restore(turn: Turn, event: Restored): void {
  for (const incident of event.incidents) {
    const { mono } = turn.now
    const stable = turn.state.services.get(incident.service)?.spec.recovery.stableMs ?? 0
    const open: OpenIncident = {
      incident,
      published: incident,
      detectedMono: mono - diagnosisRules.lateRootMs - 1,
      closesAt: incident.recoveredAt === null ? null : mono + stable,
      reviewAt: null,
      settledAt: Infinity,
    }
    if (incident.recoveredAt !== null) planReview(open, mono)
    turn.state.incidents.set(incident.id, open)
    if (!turn.state.services.has(incident.service)) close(turn, open, 'no longer watched')
  }
}

function forget(turn: Turn, service: string, instance: string): void {
  const record = turn.state.services.get(service)
  if (!record) return
  record.verdicts.delete(instance)
  record.runs.delete(instance)
  record.suspended.delete(instance)
  record.stopping.delete(instance)
  record.stops.delete(instance)
  record.renewed.delete(instance)
  record.rejoining.delete(instance)
  record.networkOf.delete(instance)
  record.removedAt = turn.now.mono
  if (record.doubt?.instance === instance) record.doubt = null
  if (record.verdicts.size === 0) record.impactedBy = null
  const own = incidentOf(turn, instance)
  if (own?.incident.cause === 'operator') keepWave(turn, own)
  else if (own) close(turn, own, 'the instance was removed')
}

/** Who is no longer left alone is judged by what is known of it now. */
function maintain(turn: Turn, entries: readonly Maintenance[]): void {
  const { maintenance, services } = turn.state
  const before = [...maintenance.keys()]
  maintenance.clear()
  for (const entry of entries) {
    if (wallOf(entry.until) > turn.now.wall) maintenance.set(entry.service, entry)
  }
  for (const name of before) {
    const record = maintenance.has(name) ? undefined : services.get(name)
    for (const verdict of record?.verdicts.values() ?? []) {
      const ill = verdict.status === 'unhealthy' || verdict.status === 'degraded'
      if (record && ill && verdict.symptom !== 'misconfigured') attribute(turn, record, verdict)
    }
  }
}

function wakeAt(state: DiagnosisState): number | null {
  let at = Infinity
  for (const record of state.services.values()) {
    if (record.doubt) at = Math.min(at, record.doubt.until)
    if (record.stops.size > 0) at = Math.min(at, nextOfStops(record))
  }
  for (const open of state.incidents.values()) {
    if (open.reviewAt !== null) at = Math.min(at, open.reviewAt)
    if (open.closesAt !== null) at = Math.min(at, Math.max(open.closesAt, closable(state, open.incident.id)))
  }
  return at === Infinity ? null : at
}

/** An incident under which somebody is still ill closes at the review at the earliest: no need to wake before. */
function closable(state: DiagnosisState, id: string): number {
  for (const record of state.services.values()) {
    if (record.impactedBy === id) return state.incidents.get(id)?.reviewAt ?? Infinity
  }
  return 0
}
