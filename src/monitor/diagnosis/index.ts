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
import { attribute, isIll, isOutdated, reconsiderDependants } from './attribute.ts'
import { confirmed, passDoubts } from './doubts.ts'
import { rejoin } from './families.ts'
import { buildGraph } from './graph.ts'
import { close, incidentOf, isImpactedBy, planReview, recover, tellChanges } from './incidents.ts'
import { found, noteMissing } from './missing.ts'
import { keepWave, nextOfStops, noteEnd, passStops } from './stops.ts'
import {
  diagnosisRules,
  freshRecord,
  initialState,
  type DiagnosisState,
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
  for (const record of state.services.values()) judgeOrphans(turn, record)
  tellChanges(turn)
  for (const record of state.services.values()) refreshView(turn, record)
  return { state, events: turn.events, effects: turn.effects }
}

function changeServices(turn: Turn, specs: readonly ServiceSpec[]): void {
  const { services, incidents, removals } = turn.state
  const names = new Set(specs.map((spec) => spec.name))
  for (const [name, { spec, removedAt }] of services) {
    if (names.has(name)) continue
    services.delete(name)
    if (spec.domain !== undefined && removedAt !== null) removals.set(name, { domain: spec.domain, at: removedAt })
    noteMissing(turn, name)
  }
  for (const spec of specs) {
    const known = services.get(spec.name)
    if (known) known.spec = spec
    else services.set(spec.name, freshRecord(spec))
  }
  turn.state.graph = buildGraph(specs)
  for (const [name, { at }] of removals) {
    if (names.has(name) || turn.now.mono - at > diagnosisRules.waveMs) removals.delete(name)
  }
  for (const open of incidents.values()) {
    if (!names.has(open.incident.service)) close(turn, open, { reason: 'no longer watched' })
  }
  for (const record of services.values()) {
    for (const name of record.missing.keys()) if (names.has(name)) found(turn, record, name)
  }
}

/** The incident that they suffered under is gone, with its service or its instance: they are judged on their own. */
function judgeOrphans(turn: Turn, record: ServiceRecord): void {
  for (const [instance, incident] of record.impacts) {
    if (turn.state.incidents.has(incident)) continue
    record.impacts.delete(instance)
    const verdict = record.verdicts.get(instance)
    if (verdict && isIll(verdict)) attribute(turn, record, verdict)
  }
}

function instanceChanged(turn: Turn, instance: Instance): void {
  const { service, id, state, startedAt } = instance
  const record = turn.state.services.get(service)
  // Its runtime does not answer: what was known of it last still holds.
  if (!record || state === 'unknown') return
  if (startedAt !== null && record.runs.has(id) && record.runs.get(id) !== startedAt) record.renewed.set(id, startedAt)
  // Events are hints and may come twice: an end is one when there was a run, or when this is the first that is heard of it.
  const wasRestarting = record.restarting.has(id) && state !== 'restarting'
  const isAnother = endedAnew(record, instance)
  const ran = record.runs.get(id) !== null || wasRestarting || isAnother
  const isFirst = !record.runs.has(id)
  record.runs.set(id, startedAt)
  if (instance.networkOf == null) record.networkOf.delete(id)
  else record.networkOf.set(id, instance.networkOf)
  if (state === 'restarting') record.restarting.add(id)
  else record.restarting.delete(id)
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

/** It was dead already, and yet this is the end of another run, which nobody saw. */
function endedAnew({ ends }: ServiceRecord, { id, exit }: Instance): boolean {
  if (exit === null) return false
  const known = ends.get(id)
  ends.set(id, exit.at)
  return known !== undefined && known !== exit.at
}

function judge(turn: Turn, verdict: Verdict): void {
  const record = turn.state.services.get(verdict.service)
  // What was removed may still be spoken of: probing is another thread.
  if (!record?.runs.has(verdict.instance)) return
  // A verdict about a run that has been replaced meanwhile, or about its end, says nothing about its successor.
  if (isOutdated(record, verdict)) return
  // What was in doubt was another illness, or none: degraded and unhealthy are explained differently.
  const { instance } = verdict
  if (record.verdicts.get(instance)?.status !== verdict.status) record.doubts.delete(instance)
  record.verdicts.set(instance, verdict)
  const own = incidentOf(turn, instance)
  switch (verdict.status) {
    case 'healthy':
      record.doubts.delete(instance)
      record.impacts.delete(instance)
      // So it can do without.
      for (const name of record.missing.keys()) found(turn, record, name)
      if (own) recover(turn, own, record.spec.recovery.stableMs)
      endOrphans(turn, record)
      reconsiderDependants(turn, record)
      rejoin(turn, record, instance)
      break
    case 'degraded':
    case 'unhealthy':
      // It is there, so it is not ill in the way that it was; whether it is well nobody can tell.
      if (verdict.symptom === 'misconfigured') settle(turn, record, instance)
      attribute(turn, record, verdict)
      break
    case 'starting':
      record.doubts.delete(instance)
      break
    case 'unknown':
      record.doubts.delete(instance)
      // A job that failed, and has been run again.
      if (verdict.symptom === 'finished') settle(turn, record, instance)
      break
  }
}

/** Nothing is held against it any more, though it has not been found well. */
function settle(turn: Turn, record: ServiceRecord, instance: string): void {
  record.doubts.delete(instance)
  record.impacts.delete(instance)
  const own = incidentOf(turn, instance)
  if (own) recover(turn, own, record.spec.recovery.stableMs)
}

/** Incidents of instances that nobody has seen in this life of the monitor: with the service well, theirs is over. */
function endOrphans(turn: Turn, { spec, runs }: ServiceRecord): void {
  for (const open of turn.state.incidents.values()) {
    const { service, instance } = open.incident
    if (service === spec.name && instance !== null && !runs.has(instance)) recover(turn, open, spec.recovery.stableMs)
  }
}

function passTime(turn: Turn): void {
  const { now, state } = turn
  for (const record of state.services.values()) {
    passStops(turn, record, (verdict) => attribute(turn, record, verdict))
    passDoubts(turn, record)
  }
  for (const open of state.incidents.values()) {
    if (open.reviewAt !== null && now.mono >= open.reviewAt) review(turn, open.incident.id)
    const stillImpacted = [...state.services.values()].some((record) => isImpactedBy(record, open.incident.id))
    if (open.closesAt !== null && now.mono >= open.closesAt && !stillImpacted) close(turn, open)
  }
}

/** The root has been well for long: whoever is still ill is judged on its own. */
function review(turn: Turn, id: string): void {
  const open = turn.state.incidents.get(id)
  if (!open) return
  const settled = turn.now.mono >= open.settledAt
  open.reviewAt = settled ? null : open.settledAt
  for (const record of turn.state.services.values()) {
    const under = [...record.verdicts.values()].filter(({ instance }) => record.impacts.get(instance) === id)
    const ill = under.filter(({ instance, status, evidence }) => {
      // What somebody stopped and left stopped is told already.
      if (record.stops.has(instance)) return false
      // The dead are being started one after another by now, which may take its time in a large fleet.
      return settled
        ? status === 'unhealthy' || status === 'degraded'
        : status === 'unhealthy' && evidence !== 'certain'
    })
    for (const { instance } of settled ? under : ill) record.impacts.delete(instance)
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
    if (!turn.state.services.has(incident.service)) close(turn, open, { reason: 'no longer watched' })
  }
}

function forget(turn: Turn, service: string, instance: string): void {
  const record = turn.state.services.get(service)
  if (!record) return
  record.verdicts.delete(instance)
  record.runs.delete(instance)
  record.ends.delete(instance)
  record.suspended.delete(instance)
  record.stopping.delete(instance)
  record.stops.delete(instance)
  record.renewed.delete(instance)
  record.rejoining.delete(instance)
  record.networkOf.delete(instance)
  record.restarting.delete(instance)
  record.doubts.delete(instance)
  record.impacts.delete(instance)
  record.removedAt = turn.now.mono
  const own = incidentOf(turn, instance)
  if (own?.incident.cause === 'operator') keepWave(turn, own)
  else if (own) close(turn, own, { reason: 'the instance was removed' })
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
      if (record && isIll(verdict)) attribute(turn, record, verdict)
    }
  }
}

function wakeAt(state: DiagnosisState): number | null {
  let at = Infinity
  for (const record of state.services.values()) {
    for (const { until } of record.doubts.values()) at = Math.min(at, until)
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
    if (isImpactedBy(record, id)) return state.incidents.get(id)?.reviewAt ?? Infinity
  }
  return 0
}
