import type { Clock } from '@medyk/health/internal'
import type { CoreEvent, DerivedEvent, Effect, InputEvent, Now, Step } from '../model/index.ts'

export interface LoopHandlers {
  /** Everything that went in and came out, in order; for the journal, the API and a trace. */
  onTurn(turn: {
    readonly input: InputEvent
    readonly now: Now
    readonly events: readonly DerivedEvent[]
    readonly effects: readonly Effect[]
  }): void
  onEffect(effect: Effect): void
}

/**
 * The one ordered loop of the main thread. Events that arrive while a turn runs wait for the next one; a step that asked
 * to be woken gets a `tick`.
 */
export class CoreLoop<State> implements Disposable {
  state: State
  readonly #step: Step<State>
  readonly #clock: Clock
  readonly #handlers: LoopHandlers
  readonly #queue: InputEvent[] = []
  #timer: Disposable | null = null
  #running = false
  #closed = false

  constructor(step: Step<State>, clock: Clock, handlers: LoopHandlers) {
    this.#step = step
    this.#clock = clock
    this.#handlers = handlers
    this.state = step.initial()
  }

  send(event: InputEvent): void {
    if (this.#closed) return
    this.#queue.push(event)
    if (this.#running) return
    this.#running = true
    try {
      for (let next = this.#queue.shift(); next !== undefined; next = this.#queue.shift()) this.#turn(next)
    } finally {
      this.#running = false
      this.#arm()
    }
  }

  #turn(input: InputEvent): void {
    const now: Now = { mono: this.#clock.mono(), wall: this.#clock.wall() }
    const { state, events, effects } = this.#step.reduce(this.state, input satisfies CoreEvent, now)
    this.state = state
    this.#handlers.onTurn({ input, now, events, effects })
    for (const effect of effects) this.#handlers.onEffect(effect)
  }

  #arm(): void {
    this.#timer?.[Symbol.dispose]()
    this.#timer = null
    if (this.#closed) return
    const at = this.#step.wakeAt(this.state)
    if (at === null) return
    // At least 5 ms apart: timers may fire early, and a step that is not satisfied must not spin.
    const ms = Math.max(5, Math.ceil(at - this.#clock.mono()))
    this.#timer = this.#clock.timer(Math.min(ms, 2 ** 31 - 1), () => this.send({ type: 'tick' }))
  }

  /** Nothing is decided from here on; what is under way is not touched. */
  [Symbol.dispose](): void {
    this.#closed = true
    this.#timer?.[Symbol.dispose]()
  }
}
