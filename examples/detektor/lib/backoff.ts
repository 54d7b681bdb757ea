import { setTimeout as sleep } from 'node:timers/promises'

/** Growing pauses between failures in a row: 100 ms, doubling up to `maxMs`, each ± 25 %. */
export class Backoff {
  readonly #maxMs: number
  readonly #signal: AbortSignal
  #failures = 0

  constructor(maxMs: number, signal: AbortSignal) {
    this.#maxMs = maxMs
    this.#signal = signal
  }

  get failures(): number {
    return this.#failures
  }

  reset(): void {
    this.#failures = 0
  }

  /** Returns early when the signal aborts. */
  async pause(): Promise<void> {
    const ms = Math.min(this.#maxMs, 100 * 2 ** Math.min(this.#failures, 16)) * (0.75 + Math.random() / 2)
    this.#failures += 1
    await sleep(ms, undefined, { signal: this.#signal }).catch(() => {})
  }
}
