import type { Action, DerivedEvent, Incident, IncidentAction, Json, Maintenance, Restored } from '../model/index.ts'

/** What the journal knows at start-up of the life before. */
export interface ReadBack extends Omit<Restored, 'type'> {
  /** Intents without an outcome, oldest first; each counts as an attempt. Inspect, then `markInterrupted`; never replay. */
  readonly pending: readonly Action[]
  /** Who has ever been healthy, and under which probes. */
  readonly proven: readonly ProvenInstance[]
  readonly boots: NonNullable<Restored['boots']>
  /** Those that have not ended yet. */
  readonly maintenance: readonly Maintenance[]
}

export interface ProvenInstance {
  readonly instance: string
  readonly service: string
  /** Fingerprint of the probes that it passed: what others would say of it is not proven. */
  readonly probes: string
}

/** What happened to an incident: the type of the event that says so. */
export type IncidentTransition = Extract<DerivedEvent, { readonly incident: Incident }>['type']

/** An incident as it stands, with what recovery did for it, oldest first. */
export interface JournaledIncident {
  readonly incident: Incident
  readonly actions: readonly IncidentAction[]
}

/** One row of the record. `seq` counts up and has gaps only where old rows were removed at the beginning. */
export interface JournaledEvent {
  readonly seq: number
  /** ISO 8601 UTC. */
  readonly at: string
  readonly type: string
  readonly payload: unknown
}

/** How much is kept. Open incidents and the attempts of the last day are kept in any case. */
export interface Retention {
  readonly events: number
  readonly incidents: number
  readonly actions: number
}

export const defaultRetention: Retention = { events: 200_000, incidents: 10_000, actions: 100_000 }

/** Attempts older than this are not read back; no policy's window is longer. */
export const ATTEMPTS_KEPT_MS = 86_400_000

/** Proven instances kept; the oldest make room. */
export const PROVEN_KEPT = 20_000

/** Actions of operators stand under incidents of this prefix: no illness, so they count in no budget. */
export const OPERATOR_PREFIX = 'operator-'

/** A claim of an idempotency key: who was first, and what was answered. */
export interface KeyClaim {
  /** False: it had been claimed before, and the rest is what was claimed then. */
  readonly fresh: boolean
  /** What was asked for, as a hash. */
  readonly fingerprint: string
  readonly answer: Json
}

/** A key is known for this long. */
export const KEYS_KEPT_MS = 86_400_000
/** More than the API lets through in that time; the oldest make room. */
export const KEYS_KEPT = 50_000

/** State at the opening of an incident, kept for so many incidents. */
export const FORENSICS_KEPT = 2_000
export const BOOTS_KEPT = 5_000
