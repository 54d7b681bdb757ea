/**
 * Keys by the time at which each wants to be woken: a binary heap with stale entries, which are skipped when they come
 * up, because changing a time is far more frequent than waking. Real and virtual time alike.
 */
export class WakeQueue<Key> {
  readonly #at = new Map<Key, number>()
  #heap: { at: number; key: Key }[] = []

  get size(): number {
    return this.#at.size
  }

  /** The time of the next key; Infinity when there is none. */
  get nextAt(): number {
    this.#dropStale()
    return this.#heap[0]?.at ?? Infinity
  }

  /** Replaces the key's former time; Infinity removes it. */
  set(key: Key, at: number): void {
    if (this.#at.get(key) === at) return
    if (at === Infinity) {
      this.#at.delete(key)
      return
    }
    this.#at.set(key, at)
    this.#push({ at, key })
    // Stale entries must not grow without bound when times are only ever moved.
    if (this.#heap.length > 64 + 4 * this.#at.size) this.#rebuild()
  }

  delete(key: Key): void {
    this.#at.delete(key)
  }

  /** Takes the next key whose time has come; undefined when none has. */
  pop(now: number): Key | undefined {
    this.#dropStale()
    const top = this.#heap[0]
    if (!top || top.at > now) return undefined
    this.#removeTop()
    this.#at.delete(top.key)
    return top.key
  }

  #dropStale(): void {
    for (let top = this.#heap[0]; top && this.#at.get(top.key) !== top.at; top = this.#heap[0]) this.#removeTop()
  }

  #push(entry: { at: number; key: Key }): void {
    const heap = this.#heap
    let i = heap.length
    heap.push(entry)
    while (i > 0) {
      const parent = (i - 1) >> 1
      const above = heap[parent]
      if (!above || above.at <= entry.at) break
      heap[i] = above
      i = parent
    }
    heap[i] = entry
  }

  #removeTop(): void {
    const heap = this.#heap
    const last = heap.pop()
    if (!last || heap.length === 0) return
    let i = 0
    for (;;) {
      let child = 2 * i + 1
      const left = heap[child]
      if (!left) break
      const right = heap[child + 1]
      const smaller = right && right.at < left.at ? right : left
      if (smaller === right) child++
      if (smaller.at >= last.at) break
      heap[i] = smaller
      i = child
    }
    heap[i] = last
  }

  #rebuild(): void {
    const entries = [...this.#at].map(([key, at]) => ({ key, at }))
    this.#heap = entries.sort((a, b) => a.at - b.at)
  }
}
