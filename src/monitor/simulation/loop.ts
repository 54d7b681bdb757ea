import type { Action, ActionOutcome, CoreEvent, DerivedEvent, Effect, Now, Step } from '../model/index.ts'
import type { Scheduled } from './queue.ts'
import type { TraceSink } from './trace.ts'
import type { World } from './world.ts'

/** From one thread of the monitor to the other, milliseconds. */
export const HOP_MS = 1

export interface LoopPorts {
  readonly world: World
  readonly trace: TraceSink | null
  /** What the core concludes, at the moment it does. */
  concluded(event: DerivedEvent): void
  act(action: Action, done: (outcome: ActionOutcome) => void): void
  confirm(effect: Extract<Effect, { type: 'confirm' }>, done: (sound: string[], doubtful: string[]) => void): void
}

/** The ordered loop of the daemon's main thread in virtual time: feeds the core, wakes it, carries out its effects. */
export class CoreLoop {
  readonly #core: Step<unknown>
  readonly #ports: LoopPorts
  #state: unknown
  #wake: Scheduled | null = null

  constructor(core: Step<unknown>, ports: LoopPorts) {
    this.#core = core
    this.#ports = ports
    this.#state = core.initial()
  }

  /** As a message from elsewhere: one hop later, in order. */
  send(event: CoreEvent): void {
    const { world } = this.#ports
    world.observerAt(world.now + HOP_MS, () => this.feed(event))
  }

  feed(event: CoreEvent): void {
    const { world, trace } = this.#ports
    const now: Now = { mono: world.now, wall: world.wall() }
    trace?.write({ t: 'core', event, now })
    const { state, events, effects } = this.#core.reduce(this.#state, event, now)
    this.#state = state
    if (events.length > 0 || effects.length > 0) trace?.write({ t: 'out', events, effects })
    for (const conclusion of events) this.#ports.concluded(conclusion)
    for (const effect of effects) this.#carryOut(effect)
    this.#arm()
  }

  #carryOut(effect: Effect): void {
    const { world } = this.#ports
    if (effect.type === 'act') {
      const { action } = effect
      world.observerAt(world.now + HOP_MS, () =>
        this.#ports.act(action, (outcome) => this.send({ type: 'action.finished', action, outcome })),
      )
    } else {
      this.#ports.confirm(effect, (sound, doubtful) => {
        this.send({ type: 'confirmed', token: effect.token, sound, doubtful })
      })
    }
  }

  #arm(): void {
    const { world } = this.#ports
    const at = this.#core.wakeAt(this.#state)
    if (this.#wake !== null && this.#wake.run !== null) {
      if (this.#wake.at === at) return
      this.#wake.run = null
    }
    if (at === null) {
      this.#wake = null
      return
    }
    const wake = world.observerAt(at, () => {
      wake.run = null
      this.feed({ type: 'tick' })
    })
    this.#wake = wake
  }
}
