import type {
  Action,
  DerivedEvent,
  Effect,
  InstanceState,
  InstanceStatus,
  Maintenance,
  Now,
  ServiceSpec,
} from '../../model/index.ts'

/** Limits over all services. Source: reference "Recovery", budget. */
export const globalRules = {
  /** Actions under way at once. */
  concurrent: 2,
  /** One more action allowed every so often, milliseconds. */
  refillMs: 2_000,
  burst: 3,
  /** After the observer is well again nothing is done for this long. */
  observerPauseMs: 3_000,
  /** Woken this much later than asked for, the monitor itself was away. */
  lateMs: 1_000,
  /** After that, whoever is being verified has at least this long to show that it is well. */
  freshLooksMs: 5_000,
  /** A dead dependant waits this long for its root before it is started all the same. */
  waitForRootMs: 60_000,
  /** A mass failure: what runs is left alone for so long, then restarted one at a time, so far apart; over when not seen for so long. */
  massFreezeMs: 60_000,
  massStepMs: 10_000,
  massForgetMs: 120_000,
  /** Actions of all services of a domain together: so many for each of them, and never fewer than so many, in this time. */
  domainPerService: 3,
  domainAtLeast: 10,
  domainWindowMs: 600_000,
  /** What nothing calls a server counts as one when it has run for so long. */
  serverMs: 600_000,
  /** Ends for want of memory within the policy's window after which another start is no answer. */
  outOfMemory: 3,
} as const

export interface InstanceRecord {
  readonly service: string
  state: InstanceState
  startedAt: string | null
  permanentFailure: string | null
  status: InstanceStatus
  /** When its last run ended, as its runtime says. */
  endedAt: string | null
  /** It ended by itself, and had not run for long. */
  wasBrief: boolean
  /** Somebody stopped it, and diagnosis has not asked for it since. */
  stopped: boolean
}

/**
 * waiting: an action is due at `until` · acting: the runtime is at it · verifying: it was done, and has to be well by
 * `until`, as another run than `replaces` unless it was merely resumed · quarantined: the budget is spent, one try at `until`. Monotonic milliseconds.
 */
export type Phase =
  | { readonly kind: 'waiting'; readonly until: number }
  | { readonly kind: 'acting'; readonly action: Action }
  | { readonly kind: 'verifying'; readonly replaces: string | null; readonly sameRun: boolean; readonly until: number }
  | { readonly kind: 'quarantined'; readonly until: number }

/** An instance that needs treatment. */
export interface Patient {
  readonly instance: string
  readonly service: string
  incident: string
  reason: string
  /** A probe of it has succeeded at some time: without that no illness is believed. */
  believed: boolean
  /** It is dead under the incident of this service: wait for it, until `waitUntil`. */
  waitFor: string | null
  waitUntil: number
  phase: Phase
  /** It runs and is to be restarted since what it hangs on was. */
  rejoin: boolean
  /** Ill as one of many of this domain (null: the host); undefined: alone. */
  massDomain?: string | null
  /** Restarts within this treatment. */
  restarts: number
  /** Its incident was over while an action was under way. */
  over: boolean
  /** The last reason that was published for doing nothing. */
  withheld: string | null
  /** When time alone would change something. */
  wakeAt: number | null
}

/** Owned by the step: `reduce` changes it in place and hands it back. */
export interface RecoveryState {
  readonly services: Map<string, ServiceSpec>
  readonly instances: Map<string, InstanceRecord>
  readonly patients: Map<string, Patient>
  /** Monotonic times of the attempts that may still count, by service. */
  readonly attempts: Map<string, number[]>
  readonly quarantined: Map<string, { readonly sinceWall: number; readonly reason: string }>
  tokens: number
  refilledAt: number | null
  /** Ids of the actions under way. */
  readonly acting: Set<string>
  observerUnwell: boolean
  holdUntil: number
  readonly maintenance: Map<string, Maintenance>
  /** By domain; null: the host. Monotonic. */
  readonly masses: Map<string | null, { seenAt: number; freeAt: number }>
  /** Monotonic times of ends for want of memory, by service. */
  readonly ooms: Map<string, number[]>
  /** The longest boot that is known, by service, milliseconds. */
  readonly boots: Map<string, number>
}

export const initialState = (): RecoveryState => ({
  services: new Map(),
  instances: new Map(),
  patients: new Map(),
  attempts: new Map(),
  quarantined: new Map(),
  tokens: globalRules.burst,
  refilledAt: null,
  acting: new Set(),
  observerUnwell: false,
  holdUntil: 0,
  maintenance: new Map(),
  masses: new Map(),
  ooms: new Map(),
  boots: new Map(),
})

export interface Turn {
  readonly state: RecoveryState
  readonly now: Now
  readonly events: DerivedEvent[]
  readonly effects: Effect[]
}
