import { sleepOn, type Clock } from '../internal/index.ts'

interface Timer {
  readonly at: number
  readonly fn: () => void
}

/** Time that stands still until a test moves it. Starts at 0 ms monotonic and 2024-01-20T10:00:00Z. */
export class FakeClock implements Clock {
  #mono = 0
  #wall: number
  #timers: Timer[] = []

  constructor(wall: number | string = '2024-01-20T10:00:00Z') {
    this.#wall = typeof wall === 'number' ? wall : Date.parse(wall)
  }

  /** Timers that wait. */
  get pending(): number {
    return this.#timers.length
  }

  mono(): number {
    return this.#mono
  }

  wall(): number {
    return this.#wall
  }

  timer(ms: number, fn: () => void): Disposable {
    const timer = { at: this.#mono + Math.max(0, ms), fn }
    // Behind those of the same time: timers fire in the order in which they were set.
    const index = this.#timers.findLastIndex((other) => other.at <= timer.at)
    this.#timers.splice(index + 1, 0, timer)
    return { [Symbol.dispose]: () => void (this.#timers = this.#timers.filter((other) => other !== timer)) }
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return sleepOn(this, ms, signal)
  }

  /** Moves time on by `ms`: runs what falls due, in order and each at its own time, with what follows from it. */
  async advance(ms: number): Promise<void> {
    const end = this.#mono + ms
    await settle()
    for (let next = this.#timers[0]; next && next.at <= end; next = this.#timers[0]) {
      this.#timers.shift()
      this.#moveTo(next.at)
      next.fn()
      await settle()
    }
    this.#moveTo(end)
  }

  /** The wall clock jumps, as when it is set; monotonic time and timers stay. */
  jumpWall(ms: number): void {
    this.#wall += ms
  }

  #moveTo(mono: number): void {
    if (mono <= this.#mono) return
    this.#wall += mono - this.#mono
    this.#mono = mono
  }
}

/** Lets everything that waits for promises only come to rest. */
async function settle(): Promise<void> {
  // Two turns: what the first one resolves may again have something queued.
  for (let turn = 0; turn < 2; turn += 1) await new Promise((resolve) => setImmediate(resolve))
}
