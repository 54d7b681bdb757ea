/**
 * start: it is not running · restart: stop within the grace, then start · resume: unfreeze what the runtime paused
 */
export type ActionKind = 'start' | 'restart' | 'resume'

export interface Action {
  /** Unique; also the idempotency key. */
  readonly id: string
  readonly incident: string
  readonly service: string
  readonly instance: string
  readonly kind: ActionKind
  /** restart only: between SIGTERM and SIGKILL; 0 kills at once. */
  readonly graceMs: number
  /** Counted within the budget's window, from 1. */
  readonly attempt: number
  /** The run that was judged. Another run is there at execution: abort. */
  readonly precondition: { readonly startedAt: string | null }
  /** For the decision log: why this, why now. */
  readonly reason: string
}

/**
 * done: carried out (not yet verified) · aborted: the precondition no longer held · failed: the runtime said no ·
 * impossible: it never can (no such command) · interrupted: the monitor died meanwhile; counted, never replayed
 */
export type ActionResult = 'done' | 'aborted' | 'failed' | 'impossible' | 'interrupted'

export interface ActionOutcome {
  readonly result: ActionResult
  readonly detail: string
  /** The run that it brought about. */
  readonly startedAt: string | null
}
