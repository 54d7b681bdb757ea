import {
  startupGrace,
  wallOf,
  type Action,
  type ActionOutcome,
  type CoreEvent,
  type Incident,
  type Instance,
  type Now,
  type Reduced,
  type Restored,
  type RuntimeEvent,
  type ServiceSpec,
  type Step,
  type Verdict,
} from '../../model/index.ts'
import { noteMass } from './mass.ts'
import { globalRules, initialState, type InstanceRecord, type Patient, type RecoveryState, type Turn } from './state.ts'
import { actionFailed, delayBefore, discharge, quarantine, release, treatAll } from './treat.ts'

export { globalRules, type RecoveryState } from './state.ts'

/** Decides what is done for whom and when. Pure; sources: reference "Recovery", ladder and budget. */
export const recovery: Step<RecoveryState> = { name: 'recovery', initial: initialState, reduce, wakeAt }

function reduce(state: RecoveryState, event: CoreEvent, now: Now): Reduced<RecoveryState> {
  const turn: Turn = { state, now, events: [], effects: [] }
  const due = wakeAt(state)
  // Asked to be woken and woken much later: the monitor itself stood still, and what it has not heard meanwhile says nothing.
  if (due !== null && now.mono - due > globalRules.lateMs) standBack(turn)
  take(turn, event)
  treatAll(turn)
  return { state, events: turn.events, effects: turn.effects }
}

function take(turn: Turn, event: CoreEvent): void {
  const { state } = turn
  switch (event.type) {
    case 'services.changed':
      return changeServices(turn, event.services)
    case 'instance.started':
    case 'instance.exited':
    case 'instance.failed':
    case 'instance.suspended':
    case 'instance.resumed':
    case 'instance.stopping':
    case 'instance.lost':
    case 'instance.changed':
    case 'instance.removed':
      return instanceChanged(turn, event)
    case 'verdict':
      return judged(turn, event.verdict)
    case 'observer.changed':
      if (state.observerUnwell && !event.unwell) standBack(turn)
      state.observerUnwell = event.unwell
      return
    case 'action.wanted':
      return wanted(turn, event)
    case 'incident.opened':
    case 'incident.updated':
      // Somebody has taken it into their own hands, or it is another's illness after all: whatever was planned for it is off.
      if (event.incident.cause === 'operator' || event.incident.cause === 'dependency')
        incidentOver(turn, event.incident, true)
      return
    case 'incident.recovered':
    case 'incident.closed':
      return incidentOver(turn, event.incident, event.type === 'incident.closed')
    case 'action.finished':
      return finished(turn, event.action, event.outcome)
    case 'maintenance.changed':
      state.maintenance.clear()
      for (const entry of event.maintenance) state.maintenance.set(entry.service, entry)
      return
    case 'restored':
      return restore(turn, event)
    default:
  }
}

/** Nothing is done for a while, and whoever has to prove itself gets the time for fresh looks. */
function standBack(turn: Turn): void {
  const { state, now } = turn
  state.holdUntil = Math.max(state.holdUntil, now.mono + globalRules.observerPauseMs)
  for (const patient of state.patients.values()) {
    if (patient.phase.kind !== 'verifying') continue
    const until = Math.max(patient.phase.until, state.holdUntil + globalRules.freshLooksMs)
    patient.phase = { ...patient.phase, until }
  }
}

function changeServices(turn: Turn, specs: readonly ServiceSpec[]): void {
  const { services, patients, instances } = turn.state
  services.clear()
  for (const spec of specs) services.set(spec.name, spec)
  for (const [id, instance] of instances) {
    if (services.has(instance.service)) continue
    instances.delete(id)
    patients.delete(id)
  }
}

function instanceChanged(turn: Turn, event: RuntimeEvent): void {
  const { instances, patients } = turn.state
  const { instance } = event
  if (event.type === 'instance.removed') {
    instances.delete(instance.id)
    patients.delete(instance.id)
    return
  }
  const known = instances.get(instance.id)
  if (instance.state === 'unknown') {
    if (known) known.state = 'unknown'
    return
  }
  if (instance.exit?.oomKilled && known && known.state !== 'exited' && endedAgain(instance))
    noteOom(turn, instance.service)
  const failure = instance.state === 'failed' && instance.failure?.permanent ? instance.failure.reason : null
  const replaced = known !== undefined && known.startedAt !== instance.startedAt
  instances.set(instance.id, {
    service: instance.service,
    state: instance.state,
    startedAt: instance.startedAt,
    permanentFailure: failure,
    // What was known of a former run says nothing about this one.
    status: known && !replaced ? known.status : known && instance.startedAt !== null ? 'starting' : 'unknown',
    endedAt: instance.exit?.at ?? null,
    wasBrief: wasBrief(instance, known),
    stopped: isStopped(instance) && (known?.state !== 'exited' || known.endedAt !== instance.exit?.at || known.stopped),
  })
  const patient = patients.get(instance.id)
  if (patient && replaced && instance.startedAt !== null && isIdle(patient)) {
    // Somebody else started it: this run gets its time before anything is done to it.
    patient.phase = verifying(turn, patient.service, known.startedAt)
  }
  if (patient && known?.state === 'unknown' && !endedAgain(instance)) lookAgain(turn, patient)
  if (patient?.phase.kind === 'verifying' && endedAgain(instance)) {
    actionFailed(turn, patient, `it ended again: ${describeEnd(instance)}`)
  }
}

/** It was out of sight: what was known of it before is no reason to act, and it may have become well meanwhile. */
function lookAgain({ now }: Turn, patient: Patient): void {
  const until = now.mono + globalRules.freshLooksMs
  const { phase } = patient
  if (phase.kind === 'verifying') patient.phase = { ...phase, until: Math.max(phase.until, until) }
  else if (isIdle(patient)) patient.phase = { kind: 'verifying', replaces: null, sameRun: true, until }
}

const isIdle = (patient: Patient) => patient.phase.kind === 'waiting' || patient.phase.kind === 'quarantined'

function verifying(turn: Turn, service: string, replaces: string | null, sameRun = false): Patient['phase'] {
  const { services, boots } = turn.state
  const spec = services.get(service)
  const graceMs = spec ? startupGrace(spec, boots.get(service) ?? 0) : 0
  return { kind: 'verifying', replaces, sameRun, until: turn.now.mono + graceMs }
}

const endedAgain = (instance: Instance) => instance.state === 'exited' || instance.state === 'failed'

/** Of what may have been a job: its run ended by itself, and was no long one. */
function wasBrief({ state, exit }: Instance, known: InstanceRecord | undefined): boolean {
  if (state !== 'exited' || exit === null || (exit.endedBy ?? 'itself') !== 'itself') return false
  if (known?.state === 'exited' && known.endedAt === exit.at) return known.wasBrief
  const ranMs = known?.startedAt ? wallOf(exit.at) - wallOf(known.startedAt) : 0
  return !(ranMs >= globalRules.serverMs)
}

function isStopped({ state, exit }: Instance): boolean {
  const by = exit?.endedBy
  return state === 'exited' && (by === 'stop' || by === 'before' || by === 'unknown')
}

function noteOom({ state, now }: Turn, service: string): void {
  state.ooms.set(service, [...(state.ooms.get(service) ?? []).slice(-9), now.mono])
}

function describeEnd(instance: Instance): string {
  if (instance.failure) return instance.failure.reason
  const { exit } = instance
  if (exit?.signal) return `signal ${exit.signal}`
  return exit?.code === null || exit === null ? 'exit code unknown' : `exit code ${exit.code}`
}

function judged(turn: Turn, verdict: Verdict): void {
  const { instances, patients } = turn.state
  const instance = instances.get(verdict.instance)
  // Of another run than the one that is there, or of the end of that other one.
  if (!instance || (instance.startedAt !== null && verdict.startedAt !== instance.startedAt)) return
  instance.status = verdict.status
  if (verdict.bootMs !== undefined) {
    const { boots } = turn.state
    boots.set(verdict.service, Math.max(boots.get(verdict.service) ?? 0, verdict.bootMs))
  }
  const patient = patients.get(verdict.instance)
  const alive = isAlive(verdict.status)
  if (!patient) {
    // Quarantined in a former life of the monitor, and cured while nobody looked.
    if (alive && !isTreated(turn, verdict.service)) release(turn, verdict.service)
    return
  }
  // Alive and degraded is cured as far as a restart can cure: that it cannot serve is diagnosed on its own.
  if (alive && patient.phase.kind !== 'acting' && patient.phase.kind !== 'verifying' && !patient.rejoin)
    return discharge(turn, patient)
  if (alive && patient.phase.kind === 'verifying' && isNewRun(patient, instance.startedAt))
    return discharge(turn, patient)
  if (verdict.status !== 'unhealthy') return
  patient.believed ||= verdict.evidence !== null
  if (patient.phase.kind === 'verifying' && verdict.startedAt === instance.startedAt && verdict.evidence !== null) {
    actionFailed(turn, patient, verdict.reason)
  }
}

const isAlive = (status: Verdict['status']) => status === 'healthy' || status === 'degraded'

const isTreated = (turn: Turn, service: string) =>
  [...turn.state.patients.values()].some((patient) => patient.service === service)

/** A resumed instance is the same run; after anything else the start time must have changed. */
function isNewRun(patient: Patient, startedAt: string | null): boolean {
  const { phase } = patient
  return phase.kind === 'verifying' && (phase.sameRun || startedAt !== phase.replaces)
}

type Wanted = Extract<CoreEvent, { type: 'action.wanted' }>

function wanted(turn: Turn, event: Wanted): void {
  const { instance, service, incident, reason, evidence, waitFor, rejoin = false } = event
  const known = turn.state.instances.get(instance)
  // Behind another only what is gone: a start is all that may be done to it.
  if (waitFor !== null && known?.state !== 'exited' && known?.state !== 'failed') return
  // Diagnosis asks for what somebody stopped only when that is no reason any more.
  if (known) known.stopped = false
  admit(turn, { instance, service, incident, reason, waitFor, rejoin }, evidence !== null)
  const patient = turn.state.patients.get(instance)
  if (patient) noteMass(turn, patient, event)
}

function admit(
  turn: Turn,
  who: Pick<Patient, 'instance' | 'service' | 'incident' | 'reason' | 'waitFor' | 'rejoin'>,
  believed: boolean,
): void {
  const { state, now } = turn
  const spec = state.services.get(who.service)
  const known = state.patients.get(who.instance)
  if (known) {
    known.incident = who.incident
    known.waitFor = who.waitFor
    known.rejoin ||= who.rejoin
    known.over = false
    known.believed ||= believed
    return
  }
  if (!spec) return
  const patient: Patient = {
    ...who,
    believed,
    waitUntil: now.mono + globalRules.waitForRootMs,
    phase: { kind: 'waiting', until: now.mono },
    restarts: 0,
    over: false,
    withheld: null,
    wakeAt: null,
  }
  state.patients.set(who.instance, patient)
  if (state.quarantined.has(who.service)) quarantine(turn, patient, spec, '')
  else {
    // Counted from the last attempt: a monitor that keeps dying must not start the wait anew each time.
    const last = state.attempts.get(who.service)?.at(-1) ?? now.mono
    patient.phase = { kind: 'waiting', until: Math.max(now.mono, last + delayBefore(turn, patient, spec)) }
  }
}

function incidentOver(turn: Turn, incident: Incident, closed: boolean): void {
  for (const patient of turn.state.patients.values()) {
    if (patient.incident !== incident.id) continue
    // Who is dead under it waits for just this moment.
    if (!closed && patient.waitFor !== null) continue
    // What is under way is seen through; the rest belongs to an incident that is over.
    if (patient.phase.kind === 'acting') patient.over = true
    else if (closed) turn.state.patients.delete(patient.instance)
    else discharge(turn, patient)
  }
}

function finished(turn: Turn, action: Action, outcome: ActionOutcome): void {
  const { state } = turn
  state.acting.delete(action.id)
  const patient = state.patients.get(action.instance)
  const spec = state.services.get(action.service)
  if (!patient || !spec || patient.phase.kind !== 'acting' || patient.phase.action.id !== action.id) return
  if (patient.over) return discharge(turn, patient)
  switch (outcome.result) {
    case 'aborted':
      // Nothing was done to it, so nothing is counted; another run is there now and gets its time.
      state.attempts.get(action.service)?.pop()
      patient.phase = verifying(turn, action.service, action.precondition.startedAt)
      break
    case 'done':
      patient.phase = verifying(turn, action.service, action.precondition.startedAt, action.kind === 'resume')
      break
    case 'impossible':
      quarantine(turn, patient, spec, outcome.detail)
      return
    case 'failed':
    case 'interrupted':
      actionFailed(turn, patient, outcome.detail)
      return
  }
  const instance = state.instances.get(action.instance)
  // The runtime's event or the verdict may have overtaken the outcome, which waits for the disk.
  if (instance?.state === 'exited' || instance?.state === 'failed') actionFailed(turn, patient, 'it ended at once')
  else if (instance && isAlive(instance.status) && isNewRun(patient, instance.startedAt)) discharge(turn, patient)
}

function restore(turn: Turn, event: Restored): void {
  const { state, now } = turn
  for (const { service, wall } of event.attempts) {
    // Never later than now, whatever the wall clock did meanwhile: a jump must not make attempts immortal.
    const mono = now.mono - Math.max(0, now.wall - wall)
    state.attempts.set(
      service,
      [...(state.attempts.get(service) ?? []), mono].sort((a, b) => a - b),
    )
  }
  // A monitor that keeps dying must not have a full burst each time.
  const { refillMs, burst } = globalRules
  const recent = event.attempts.filter(({ wall }) => now.wall - wall < refillMs * burst && wall <= now.wall).length
  state.tokens = Math.max(0, burst - recent)
  state.refilledAt = now.mono
  for (const { service, bootMs } of event.boots ?? []) state.boots.set(service, bootMs)
  for (const { service, sinceWall, reason } of event.quarantined) state.quarantined.set(service, { sinceWall, reason })
}

function wakeAt(state: RecoveryState): number | null {
  let at = Infinity
  for (const patient of state.patients.values()) at = Math.min(at, patient.wakeAt ?? Infinity)
  return at === Infinity ? null : at
}
