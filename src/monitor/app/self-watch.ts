import type { Clock } from '@medyk/health/internal'
import { initialSelfHealth, observeTick, penalize, press, type ObserverCondition } from '../detection/index.ts'
import { HostPressure } from './host-pressure.ts'
import type { Sentinel } from './sentinel.ts'

type OnChange = (now: ObserverCondition, before: ObserverCondition) => void

/** Keeps the eyes of a shard on itself: its punctuality, its clocks, its own echo. */
export class SelfWatch implements Disposable {
  readonly #clock: Clock
  readonly #sentinel: Sentinel | null
  readonly #onChange: OnChange
  readonly #health
  readonly #pressure = new HostPressure()
  #isOver = false

  constructor(clock: Clock, sentinel: Sentinel | null, onChange: OnChange) {
    this.#clock = clock
    this.#sentinel = sentinel
    this.#onChange = onChange
    this.#health = initialSelfHealth(this.#now())
  }

  get condition(): ObserverCondition {
    return this.#health.condition
  }

  /** Cheap; to be called before anything that time alone, or an attempt in flight, would decide. */
  look(): void {
    const before = this.#health.condition
    this.#tell(before, observeTick(this.#health, this.#now()))
  }

  doubt(sign: 'local' | 'sentinel'): void {
    const before = this.#health.condition
    this.#tell(before, penalize(this.#health, sign, this.#now()))
  }

  /** Once a second. */
  listen(): void {
    const before = this.#health.condition
    this.#tell(before, press(this.#health, this.#pressure.look(this.#clock.mono()), this.#now()))
    void this.#sentinel?.check().then((heard) => {
      if (heard === false && !this.#isOver) this.doubt('sentinel')
    })
  }

  [Symbol.dispose](): void {
    this.#isOver = true
    this.#sentinel?.[Symbol.dispose]()
  }

  #now() {
    return { mono: this.#clock.mono(), wall: this.#clock.wall() }
  }

  #tell(before: ObserverCondition, changed: ObserverCondition | null): void {
    if (changed) this.#onChange(changed, before)
  }
}
