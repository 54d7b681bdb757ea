/** Events a second over a sliding window, in fixed memory. */
export class RateWindow {
  readonly #windowMs: number
  readonly #times: Float64Array
  #next = 0
  #count = 0
  #first: number | null = null

  /** Faster than `capacity` events per window reads as `capacity`. */
  constructor(windowMs: number, capacity = 512) {
    this.#windowMs = windowMs
    this.#times = new Float64Array(capacity)
  }

  add(now: number): void {
    // After a pause longer than the window the rate begins anew instead of being diluted by it.
    if (this.#count === 0 || now - this.#newest() > this.#windowMs) this.#first = now
    this.#times[this.#next] = now
    this.#next = (this.#next + 1) % this.#times.length
    this.#count = Math.min(this.#count + 1, this.#times.length)
  }

  perSecond(now: number): number {
    if (this.#first === null) return 0
    let events = 0
    while (events < this.#count && this.#at(events) > now - this.#windowMs) events += 1
    // Less than a quarter of the window says nothing about a rate yet.
    const span = Math.min(this.#windowMs, Math.max(now - this.#first, this.#windowMs / 4))
    return (events * 1_000) / span
  }

  #newest(): number {
    return this.#at(0)
  }

  /** The `back`-th newest time. */
  #at(back: number): number {
    return this.#times[(this.#next - 1 - back + 2 * this.#times.length) % this.#times.length] ?? 0
  }
}
