import type { DerivedEvent } from '../../model/index.ts'
import type { Objection } from './objections.ts'
import { globalRules, type InstanceRecord, type Patient, type Turn } from './state.ts'

type Wanted = Extract<DerivedEvent, { type: 'action.wanted' }>

/** So many of a domain are ill at once that restarting them is no answer: freeze, and say so once. */
export function noteMass(turn: Turn, patient: Patient, wanted: Wanted): void {
  const { mass } = wanted
  if (!mass) return
  const { state, now, events } = turn
  patient.massDomain = mass.domain
  const known = state.masses.get(mass.domain)
  if (known && now.mono - known.seenAt < globalRules.massForgetMs) {
    known.seenAt = now.mono
    return
  }
  state.masses.set(mass.domain, {
    seenAt: now.mono,
    freeAt: now.mono + globalRules.massFreezeMs,
  })
  const reason = `${mass.ill} of ${mass.of} services are ill at once: nothing that runs is restarted for ${globalRules.massFreezeMs / 1_000} s`
  events.push({ type: 'mass.failure', domain: mass.domain, ill: mass.ill, of: mass.of, reason })
}

/** The dead may be started, which hurts nobody; what runs waits, and then goes one after another. */
export function heldByMass(turn: Turn, patient: Patient, instance: InstanceRecord): Objection | null {
  if (patient.massDomain === undefined || instance.state === 'exited' || instance.state === 'failed') return null
  const mass = turn.state.masses.get(patient.massDomain)
  if (!mass || turn.now.mono >= mass.freeAt) return null
  return { reason: 'so many are ill at once that the fault is likely elsewhere', until: mass.freeAt }
}

/** One of the held goes ahead: the next one later. */
export function stepMass(turn: Turn, patient: Patient): void {
  const mass = patient.massDomain === undefined ? undefined : turn.state.masses.get(patient.massDomain)
  if (mass) mass.freeAt = turn.now.mono + globalRules.massStepMs
}
