import { isoOf, type Action, type ActionKind, type ServiceSpec } from '../../model/index.ts'
import { attemptsInWindow, backoff, domainSpent, takeGlobal } from './budget.ts'
import { stepMass } from './mass.ts'
import { objectionTo, type Objection } from './objections.ts'
import { globalRules, type InstanceRecord, type Patient, type RecoveryState, type Turn } from './state.ts'

/** Goes over everyone who needs treatment, lets those act whose time has come, and notes when to look again. */
export function treatAll(turn: Turn): void {
  for (const patient of turn.state.patients.values()) patient.wakeAt = treat(turn, patient)
}

function treat(turn: Turn, patient: Patient): number | null {
  const { state, now } = turn
  const spec = state.services.get(patient.service)
  const instance = state.instances.get(patient.instance)
  if (!spec || !instance || patient.phase.kind === 'acting') return null
  // It was merely dead under another's illness. Now that it runs, whether it is well is for diagnosis to say.
  if (patient.waitFor !== null && instance.state !== 'exited' && instance.state !== 'failed') {
    discharge(turn, patient)
    return null
  }
  if (patient.phase.kind === 'verifying') {
    if (now.mono < patient.phase.until) return patient.phase.until
    // Nothing was seen, so nothing is proven; the time is set anew when the monitor is well.
    if (state.observerUnwell || instance.state === 'unknown') return null
    actionFailed(turn, patient, 'it was not well again in time')
  }
  const { phase } = patient
  if (phase.kind !== 'waiting' && phase.kind !== 'quarantined') return null
  const objection = objectionTo(turn, patient, spec, instance)
  if (objection) return withhold(turn, patient, objection)
  if (now.mono < phase.until) return phase.until
  const ahead = now.mono < patient.waitUntil ? whoGoesFirst(state, patient) : null
  if (ahead !== null) return withhold(turn, patient, { reason: `it waits for ${ahead}`, until: patient.waitUntil })
  const used = attemptsInWindow(state, patient.service, spec.recovery, now.mono)
  if (phase.kind === 'waiting') {
    const hopeless =
      instance.permanentFailure ??
      hungryAgain(turn, spec) ??
      (used >= spec.recovery.attempts ? spentBudget(used, spec) : null)
    if (hopeless !== null) return quarantine(turn, patient, spec, hopeless)
  }
  const kind = remedyFor(instance)
  if (spec.recovery.dryRun)
    return withhold(turn, patient, {
      reason: `dry run: it would be ${PAST[kind]} now, as attempt ${used + 1}`,
      until: null,
    })
  const spent = domainSpent(state, spec.domain, now.mono)
  if (spent) return withhold(turn, patient, spent)
  const granted = takeGlobal(state, now.mono, kind === 'start' ? 0.5 : 1)
  if (!granted.ok) return granted.at
  stepMass(turn, patient)
  act(turn, patient, spec, instance, used + 1)
  return null
}

/**
 * Whom somebody who is dead under another's illness waits for: the root until it is well, and every dependency that is dead
 * or about to be up again, so that whole trees of dead services start in order.
 */
function whoGoesFirst(state: RecoveryState, patient: Patient): string | null {
  const { waitFor } = patient
  if (waitFor === null) return null
  const above = dependenciesOf(state, patient.service)
  const instances = [...state.instances.values()]
  if (!instances.some(({ service }) => service === waitFor)) return waitFor
  for (const { service, status, state: runs } of instances) {
    if (service === waitFor && status !== 'healthy') return service
    const down = runs === 'exited' || runs === 'failed' || runs === 'unknown' || status === 'starting'
    if (down && above.has(service)) return service
  }
  return null
}

/** Direct and indirect. */
function dependenciesOf(state: RecoveryState, service: string): ReadonlySet<string> {
  const found = new Set<string>()
  const visit = (name: string) => {
    for (const edge of state.services.get(name)?.dependsOn ?? []) {
      if (edge.service === service || found.has(edge.service)) continue
      found.add(edge.service)
      visit(edge.service)
    }
  }
  visit(service)
  return found
}

/** Says once per reason why nothing is done. Returns when to look again. */
export function withhold(turn: Turn, patient: Patient, objection: Objection): number | null {
  if (patient.withheld !== objection.reason) {
    patient.withheld = objection.reason
    const { service, incident } = patient
    turn.events.push({ type: 'action.withheld', service, incident, reason: objection.reason })
  }
  return objection.until
}

function act(turn: Turn, patient: Patient, spec: ServiceSpec, instance: InstanceRecord, attempt: number): void {
  const { state, now } = turn
  const kind = remedyFor(instance)
  const action: Action = {
    id: `${patient.incident}/${patient.service}/${attempt}-${Math.round(now.wall).toString(36)}`,
    incident: patient.incident,
    service: patient.service,
    instance: patient.instance,
    kind,
    // A stopped process can take no signal but SIGKILL: to wait for it would be lost time.
    // Nor is the same tried twice: what an orderly stop did not help is killed. Where data may be at stake it gets its time.
    graceMs:
      spec.recovery.restartHung !== false && (instance.state === 'suspended' || patient.restarts > 0)
        ? 0
        : spec.recovery.stopGraceMs,
    attempt,
    precondition: { startedAt: kind === 'start' ? null : instance.startedAt },
    reason: `${patient.reason}; attempt ${attempt} of ${spec.recovery.attempts}`,
  }
  state.attempts.set(patient.service, [...(state.attempts.get(patient.service) ?? []), now.mono])
  if (kind === 'restart') patient.restarts += 1
  state.acting.add(action.id)
  patient.phase = { kind: 'acting', action }
  patient.withheld = null
  turn.events.push({ type: 'action.decided', action, decidedAt: isoOf(now.wall) })
  turn.effects.push({ type: 'act', action })
}

const PAST: Readonly<Record<ActionKind, string>> = { start: 'started', restart: 'restarted', resume: 'resumed' }

/** Ended for want of memory again and again: more of the same would only repeat it. */
function hungryAgain({ state, now }: Turn, { name, recovery }: ServiceSpec): string | null {
  const times = (state.ooms.get(name) ?? []).filter((at) => at > now.mono - recovery.windowMs)
  if (times.length < globalRules.outOfMemory) return null
  return `it ran out of memory ${times.length} times: give it more, or find what takes it`
}

function remedyFor(instance: InstanceRecord): ActionKind {
  if (instance.state === 'paused') return 'resume'
  return instance.state === 'running' || instance.state === 'suspended' ? 'restart' : 'start'
}

/** The last action did not help: the next is due after its delay, or, while quarantined, much later. */
export function actionFailed(turn: Turn, patient: Patient, reason: string): void {
  const { state, now } = turn
  const spec = state.services.get(patient.service)
  if (!spec) return
  patient.reason = reason
  patient.phase = state.quarantined.has(patient.service)
    ? { kind: 'quarantined', until: now.mono + spec.recovery.quarantineRetryMs }
    : { kind: 'waiting', until: now.mono + delayBefore(turn, patient, spec) }
}

export function discharge(turn: Turn, patient: Patient): void {
  turn.state.patients.delete(patient.instance)
  release(turn, patient.service)
}

export function release(turn: Turn, service: string): void {
  if (!turn.state.quarantined.delete(service)) return
  turn.events.push({ type: 'service.released', service, reason: 'it is well again' })
}

/** A spent budget needs no delay: the next look quarantines. */
export function delayBefore(turn: Turn, patient: Patient, spec: ServiceSpec): number {
  const used = attemptsInWindow(turn.state, patient.service, spec.recovery, turn.now.mono)
  return used >= spec.recovery.attempts ? 0 : backoff(spec.recovery, used, patient.incident + patient.service)
}

export function quarantine(turn: Turn, patient: Patient, spec: ServiceSpec, reason: string): number {
  const { state, now } = turn
  const until = now.mono + spec.recovery.quarantineRetryMs
  patient.phase = { kind: 'quarantined', until }
  if (state.quarantined.has(patient.service)) return until
  state.quarantined.set(patient.service, { sinceWall: now.wall, reason })
  const { service, incident } = patient
  turn.events.push({ type: 'service.quarantined', service, incident, since: isoOf(now.wall), reason })
  return until
}

const spentBudget = (used: number, spec: ServiceSpec) =>
  `${used} attempts within ${Math.round(spec.recovery.windowMs / 60_000)} min did not help`
