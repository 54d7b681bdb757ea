/** Something that happens at a moment of virtual time. */
export interface Scheduled {
  at: number
  order: number
  /** Done by the monitor and not by the world: waits while the monitor itself is stopped. */
  readonly observer: boolean
  /** null: cancelled. */
  run: (() => void) | null
}

/** A binary heap by time; what falls on the same moment keeps the order in which it was added. */
export class EventQueue {
  readonly #heap: Scheduled[] = []
  #order = 0

  get size(): number {
    return this.#heap.length
  }

  add(at: number, run: () => void, observer = false): Scheduled {
    const entry: Scheduled = { at, order: 0, observer, run }
    this.#put(entry)
    return entry
  }

  /** Puts an entry that was taken back for later; whoever holds it can still cancel it. */
  postpone(entry: Scheduled, at: number): void {
    entry.at = at
    this.#put(entry)
  }

  #put(entry: Scheduled): void {
    entry.order = this.#order++
    const heap = this.#heap
    let hole = heap.push(entry) - 1
    while (hole > 0) {
      const above = (hole - 1) >> 1
      const parent = heap[above] as Scheduled
      if (!sooner(entry, parent)) break
      heap[hole] = parent
      hole = above
    }
    heap[hole] = entry
  }

  peek(): Scheduled | undefined {
    return this.#heap[0]
  }

  take(): Scheduled | undefined {
    const heap = this.#heap
    const first = heap[0]
    const last = heap.pop()
    if (first === undefined || last === undefined || heap.length === 0) return first
    let hole = 0
    for (;;) {
      let child = 2 * hole + 1
      if (child >= heap.length) break
      const right = child + 1
      if (right < heap.length && sooner(heap[right] as Scheduled, heap[child] as Scheduled)) child = right
      if (!sooner(heap[child] as Scheduled, last)) break
      heap[hole] = heap[child] as Scheduled
      hole = child
    }
    heap[hole] = last
    return first
  }
}

function sooner(a: Scheduled, b: Scheduled): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order)
}
