import type {
  Action,
  DerivedEvent,
  Effect,
  InstanceState,
  InstanceStatus,
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
} as const

export interface InstanceRecord {
  readonly service: string
  state: InstanceState
  startedAt: string | null
  permanentFailure: string | null
  status: InstanceStatus
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
})

export interface Turn {
  readonly state: RecoveryState
  readonly now: Now
  readonly events: DerivedEvent[]
  readonly effects: Effect[]
}
