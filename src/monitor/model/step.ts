import type { CoreEvent, DerivedEvent, Effect, Now } from './event.ts'

export interface Reduced<State> {
  readonly state: State
  readonly events: readonly DerivedEvent[]
  readonly effects: readonly Effect[]
}

/**
 * One step of the way of data on the main thread: a pure function of state, event and now. `wakeAt` says when (monotonic
 * ms) the state would change by time alone.
 */
export interface Step<State> {
  readonly name: string
  initial(): State
  reduce(state: State, event: CoreEvent, now: Now): Reduced<State>
  wakeAt(state: State): number | null
}
