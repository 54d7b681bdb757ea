import type { CoreEvent, Now, Reduced, Restored, ServiceSpec, Step, Verdict } from '../model/index.ts'
import { attribute, blame, namedDependencies, sickUpstream, takeBlame } from './attribute.ts'
import { buildGraph } from './graph.ts'
import { close, incidentOf, openIncident, recover } from './incidents.ts'
import { diagnosisRules, freshView, initialState, type DiagnosisState, type ServiceRecord, type Turn } from './state.ts'
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
      state.services.get(event.instance.service)?.runs.set(event.instance.id, event.instance.startedAt)
      break
    case 'instance.removed':
      forget(turn, event.instance.service, event.instance.id)
      break
    case 'tick':
      passTime(turn)
      break
    default:
      return { state, events: [], effects: [] }
  }
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
    else {
      const view = freshView(spec.name)
      services.set(spec.name, { spec, verdicts: new Map(), runs: new Map(), doubt: null, impactedBy: null, view })
    }
  }
  turn.state.graph = buildGraph(specs)
  for (const open of incidents.values()) if (!names.has(open.incident.service)) close(turn, open, 'no longer watched')
}

function judge(turn: Turn, verdict: Verdict): void {
  const record = turn.state.services.get(verdict.service)
  if (!record) return
  const run = record.runs.get(verdict.instance)
  // A verdict about a run that has been replaced meanwhile says nothing about its successor.
  if (run && verdict.startedAt !== null && verdict.startedAt !== run) return
  record.verdicts.set(verdict.instance, verdict)
  const own = incidentOf(turn, verdict.instance)
  switch (verdict.status) {
    case 'healthy':
      record.doubt = null
      record.impactedBy = null
      if (own) recover(turn, own, record.spec.recovery.stableMs)
      settleDependants(turn, record)
      break
    case 'degraded':
    case 'unhealthy':
      if (verdict.symptom === 'misconfigured') break
      attribute(turn, record, verdict)
      reconsiderDependants(turn, record)
      break
    case 'starting':
    case 'unknown':
      record.doubt = null
      break
  }
}

/** A root that is well again: whoever waited for its verdict need not wait any longer. */
function settleDependants(turn: Turn, record: ServiceRecord): void {
  for (const name of turn.state.graph.downstream(record.spec.name)) {
    const below = turn.state.services.get(name)
    if (below?.doubt?.kind === 'awaiting-root') reconsider(turn, below, below.doubt.instance)
  }
}

/** A new incident may explain those who wait for a root. */
function reconsiderDependants(turn: Turn, record: ServiceRecord): void {
  for (const name of turn.state.graph.downstream(record.spec.name)) {
    const below = turn.state.services.get(name)
    if (below?.doubt) reconsider(turn, below, below.doubt.instance)
  }
}

function reconsider(turn: Turn, record: ServiceRecord, instance: string): void {
  const verdict = record.verdicts.get(instance)
  const root = verdict && sickUpstream(turn, record, verdict)
  if (verdict && root) blame(turn, record, root, verdict)
}

function confirmed(turn: Turn, token: string, doubtful: readonly string[]): void {
  for (const record of turn.state.services.values()) {
    const { doubt } = record
    if (doubt?.kind !== 'confirming' || doubt.token !== token) continue
    const verdict = record.verdicts.get(doubt.instance)
    record.doubt = null
    if (!verdict || verdict.status !== 'unhealthy' || turn.state.observerUnwell) return
    const root = sickUpstream(turn, record, verdict)
    if (root) return blame(turn, record, root, verdict)
    if (doubtful.length === 0) return takeBlame(turn, record, verdict)
    const until = turn.now.mono + diagnosisRules.lateRootMs
    record.doubt = { kind: 'awaiting-root', instance: verdict.instance, suspects: doubtful, until }
    return
  }
}

function passTime(turn: Turn): void {
  const { now, state } = turn
  for (const record of state.services.values()) {
    const { doubt } = record
    if (!doubt || now.mono < doubt.until) continue
    record.doubt = null
    const verdict = record.verdicts.get(doubt.instance)
    if (!verdict || (verdict.status !== 'unhealthy' && verdict.status !== 'degraded')) continue
    if (verdict.status === 'unhealthy') {
      // Ask again rather than guess: nobody is restarted while a dependency is in doubt.
      attribute(turn, record, verdict)
    } else {
      const root = sickUpstream(turn, record, verdict)
      if (root) blame(turn, record, root, verdict)
      else openIncident(turn, verdict, namedDependencies(record, verdict).length > 0 ? 'dependency' : 'self')
    }
  }
  for (const open of state.incidents.values()) {
    if (open.reviewAt !== null && now.mono >= open.reviewAt) review(turn, open.incident.id)
    const stillImpacted = [...state.services.values()].some((record) => record.impactedBy === open.incident.id)
    if (open.closesAt !== null && now.mono >= open.closesAt && !stillImpacted) close(turn, open)
  }
}

/** The root has been well for long: whoever is still ill is judged on its own. */
function review(turn: Turn, id: string): void {
  const open = turn.state.incidents.get(id)
  if (open) open.reviewAt = null
  for (const record of turn.state.services.values()) {
    if (record.impactedBy !== id) continue
    record.impactedBy = null
    for (const verdict of record.verdicts.values()) {
      if (verdict.status === 'unhealthy' || verdict.status === 'degraded') attribute(turn, record, verdict)
    }
  }
}

function restore(turn: Turn, event: Restored): void {
  for (const incident of event.incidents) {
    if (!turn.state.services.has(incident.service)) continue
    const { mono } = turn.now
    const stable = turn.state.services.get(incident.service)?.spec.recovery.stableMs ?? 0
    turn.state.incidents.set(incident.id, {
      incident,
      detectedMono: mono - diagnosisRules.lateRootMs - 1,
      closesAt: incident.recoveredAt === null ? null : mono + stable,
      reviewAt: incident.recoveredAt === null ? null : mono + diagnosisRules.settleAfterRootMs,
    })
  }
}

function forget(turn: Turn, service: string, instance: string): void {
  const record = turn.state.services.get(service)
  if (!record) return
  record.verdicts.delete(instance)
  record.runs.delete(instance)
  if (record.doubt?.instance === instance) record.doubt = null
  const own = incidentOf(turn, instance)
  if (own) close(turn, own, 'the instance was removed')
}

function wakeAt(state: DiagnosisState): number | null {
  let at = Infinity
  for (const record of state.services.values()) if (record.doubt) at = Math.min(at, record.doubt.until)
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
