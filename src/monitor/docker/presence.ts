import { messageOf, type Clock } from '@medyk/health/internal'

/** So long Docker may fail before it counts as lost: it is slow under load, and a restart of its proxy takes a moment. */
const LOST_AFTER_MS = 2_000
/** A timer this late means that this process stood still, and an answer may wait unread. */
const LATE_MS = 20

/** Whether Docker answers: lost after it has failed to for two seconds, told once. */
export class Presence {
  readonly #clock: Clock
  readonly #onLost: (reason: string) => void
  #failingSince: number | null = null
  #lost: { readonly since: number; readonly reason: string } | null = null
  #alarm: Disposable | null = null

  constructor(clock: Clock, onLost: (reason: string) => void) {
    this.#clock = clock
    this.#onLost = onLost
  }

  get lost() {
    return this.#lost
  }

  /** Does `work`, whose success shows that Docker answers; one at a time. */
  async during<T>(work: () => Promise<T>): Promise<T> {
    const began = this.#clock.mono()
    let settled = false
    const alarm = () => {
      if (!settled) this.lose(`no answer for ${LOST_AFTER_MS / 1_000} s`)
    }
    this.#alarm = this.#clock.timer(
      LOST_AFTER_MS,
      () => (this.#clock.mono() - began - LOST_AFTER_MS > LATE_MS ? afterPendingInput(alarm) : alarm()),
      { unref: true },
    )
    try {
      const result = await work()
      this.#failingSince = null
      return result
    } catch (error) {
      this.#failingSince ??= began
      if (this.#clock.mono() - this.#failingSince >= LOST_AFTER_MS) this.lose(messageOf(error))
      throw error
    } finally {
      settled = true
      this.#alarm[Symbol.dispose]()
      this.#alarm = null
    }
  }

  lose(reason: string): void {
    if (this.#lost) return
    this.#lost = { since: this.#clock.mono(), reason }
    this.#onLost(reason)
  }

  found(): void {
    this.#lost = null
  }

  [Symbol.dispose](): void {
    this.#alarm?.[Symbol.dispose]()
  }
}

function afterPendingInput(fn: () => void): void {
  setImmediate(() => setImmediate(() => setImmediate(fn)))
}
