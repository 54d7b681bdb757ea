import { wallOf, type ServiceSpec } from '../../model/index.ts'
import { heldByMass } from './mass.ts'
import type { InstanceRecord, Patient, Turn } from './state.ts'

export interface Objection {
  readonly reason: string
  /** Monotonic; null: only an event can change it. */
  readonly until: number | null
}

const always = (reason: string): Objection => ({ reason, until: null })

/** Why nothing may be done now, whatever the budget says; the first that holds. */
export function objectionTo(
  turn: Turn,
  patient: Patient,
  spec: ServiceSpec,
  instance: InstanceRecord,
): Objection | null {
  const { state, now } = turn
  if (spec.runtime === null) return always('it is only watched: no runtime runs it')
  if (!spec.recovery.enabled) return always(spec.recovery.because ?? 'recovery is switched off for it')
  const entry = state.maintenance.get(patient.service)
  if (entry && wallOf(entry.until) > now.wall)
    return always(`maintenance by ${entry.by} until ${entry.until}: ${entry.reason}`)
  if (spec.job) return always('it runs once and ends: Medyk never starts it')
  if (spec.mayFinish && instance.wasBrief)
    return always('it ended by itself within 10 min, and nothing says that it serves: it may be a job that failed')
  if (!patient.believed) return always('its probe has never succeeded')
  if (instance.stopped) return always('somebody has stopped it')
  if (state.observerUnwell) return always('the monitor is unwell itself')
  if (now.mono < state.holdUntil) return { reason: 'the monitor was unwell a moment ago', until: state.holdUntil }
  return ofState(instance) ?? ofHang(patient, spec, instance) ?? heldByMass(turn, patient, instance)
}

function ofState(instance: InstanceRecord): Objection | null {
  switch (instance.state) {
    case 'restarting':
      return always('its runtime is restarting it')
    case 'stopping':
      return always('somebody is stopping it')
    case 'unknown':
      return always('its runtime does not answer')
    default:
      return null
  }
}

/** It is there and does not answer as it should: where data may be at stake, that is for people. */
function ofHang(patient: Patient, spec: ServiceSpec, instance: InstanceRecord): Objection | null {
  const runs = instance.state === 'running' || instance.state === 'suspended'
  if (!runs || patient.rejoin || spec.recovery.restartHung !== false) return null
  return always(`it runs, and is not restarted for a hang${spec.recovery.because ? ` (${spec.recovery.because})` : ''}`)
}
