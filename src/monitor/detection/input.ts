import type { Observation, Pace, RuntimeEvent, Verdict } from '../model/index.ts'

/** An attempt begins at the `now` that it comes with. `group` is the attempt number of the primary that it hedges, or its own. */
export interface AttemptStarted {
  readonly type: 'attempt.started'
  readonly probe: string
  readonly attempt: number
  readonly group: number
}

export interface AttemptFinished {
  readonly type: 'attempt.finished'
  readonly observation: Observation
}

/** What the monitor thinks of its own eyes: `unwell` discards everything, `stretched` gives silence more time. */
export interface ObserverInput {
  readonly type: 'observer'
  readonly unwell: boolean
  readonly stretched: boolean
}

/** All that detection of one instance takes in; a recorded sequence of these replays to the same verdicts. */
export type DetectionInput = AttemptStarted | AttemptFinished | RuntimeEvent | ObserverInput | { readonly type: 'tick' }

export interface PaceChange {
  readonly probe: string
  /** An `intervalMs` of Infinity stops the probe. */
  readonly pace: Pace
}

export interface Detected {
  readonly verdict: Verdict | null
  /** Only those that changed. */
  readonly pace: readonly PaceChange[]
  /** Examine these at once, out of turn. */
  readonly probeNow: readonly string[]
  /** Monotonic ms at which time alone may change the verdict: send a tick then. Infinity: never. */
  readonly wakeAt: number
}
