import { diagnosis, type DiagnosisState } from '../diagnosis/index.ts'
import type { CoreEvent, DerivedEvent, Effect, Now, Reduced, Step } from '../model/index.ts'
import { recovery, type RecoveryState } from '../recovery/index.ts'

export interface CoreState {
  readonly diagnosis: DiagnosisState
  readonly recovery: RecoveryState
}

/**
 * The ordered loop of the main thread: each step sees the event and what the steps before it concluded, never what comes
 * after. The daemon, the simulator and `medyk replay` run this very object.
 */
export const core: Step<CoreState> = {
  name: 'core',
  initial: () => ({ diagnosis: diagnosis.initial(), recovery: recovery.initial() }),
  reduce(state, event, now) {
    const events: DerivedEvent[] = []
    const effects: Effect[] = []
    const explained = run(diagnosis, state.diagnosis, [event], now, events, effects)
    // Conclusions first: nobody may act on a bare verdict before its cause is known. What a runtime saw is a fact, and
    // what follows from it is to be acted on with it known.
    const order = event.type.startsWith('instance.') ? [event, ...events] : [...events, event]
    const decided = run(recovery, state.recovery, order, now, events, effects)
    return { state: { diagnosis: explained, recovery: decided }, events, effects }
  },
  wakeAt(state) {
    const times = [diagnosis.wakeAt(state.diagnosis), recovery.wakeAt(state.recovery)].filter((at) => at !== null)
    return times.length > 0 ? Math.min(...times) : null
  },
}

function run<S>(
  step: Step<S>,
  state: S,
  input: readonly CoreEvent[],
  now: Now,
  events: DerivedEvent[],
  effects: Effect[],
): S {
  for (const event of input) {
    const reduced: Reduced<S> = step.reduce(state, event, now)
    state = reduced.state
    events.push(...reduced.events)
    effects.push(...reduced.effects)
  }
  return state
}
