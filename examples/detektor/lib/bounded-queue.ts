/** First in, first out, at most `capacity` items. A full queue drops its oldest: of video, the newest is worth most. */
export class BoundedQueue<T> {
  readonly capacity: number
  #items: T[] = []
  /** Items that were pushed out, ever. */
  dropped = 0

  constructor(capacity: number) {
    this.capacity = capacity
  }

  get size(): number {
    return this.#items.length
  }

  get room(): number {
    return this.capacity - this.#items.length
  }

  get fill(): number {
    return this.#items.length / this.capacity
  }

  get oldest(): T | undefined {
    return this.#items[0]
  }

  /** How many items were dropped to make room. */
  push(items: readonly T[]): number {
    this.#items.push(...items)
    return this.#trim()
  }

  /** Gives back what was taken and not used. */
  putBack(items: readonly T[]): number {
    this.#items.unshift(...items)
    return this.#trim()
  }

  peek(max: number): readonly T[] {
    return this.#items.slice(0, max)
  }

  take(max: number): T[] {
    return this.#items.splice(0, max)
  }

  #trim(): number {
    const excess = Math.max(0, this.#items.length - this.capacity)
    this.#items.splice(0, excess)
    this.dropped += excess
    return excess
  }
}
