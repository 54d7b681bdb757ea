/** What waits in a `DueQueue`, which alone writes to it. */
export interface Due {
  dueAt: number
  /** Its place in the heap; -1 when it is in none. */
  slot: number
  /** Among items due at the same time the one that was pushed first comes first. */
  order: number
}

/** A binary heap by `dueAt` that can also drop or move any item in O(log n): what is unregistered leaves nothing behind. */
export class DueQueue<T extends Due> {
  readonly #heap: T[] = []
  #pushed = 0

  get size(): number {
    return this.#heap.length
  }

  peek(): T | undefined {
    return this.#heap[0]
  }

  /** Adds `item`, or moves it when it is there already. */
  push(item: T, dueAt: number): void {
    this.remove(item)
    item.dueAt = dueAt
    item.order = this.#pushed += 1
    this.#place(item, this.#heap.length)
    this.#up(item)
  }

  pop(): T | undefined {
    const first = this.#heap[0]
    if (first) this.remove(first)
    return first
  }

  remove(item: T): void {
    const { slot } = item
    if (slot === -1) return
    item.slot = -1
    const last = this.#heap.pop()
    if (last === undefined || last === item) return
    this.#place(last, slot)
    this.#up(last)
    this.#down(last)
  }

  #place(item: T, slot: number): void {
    this.#heap[slot] = item
    item.slot = slot
  }

  #up(item: T): void {
    while (item.slot > 0) {
      const parent = this.#heap[(item.slot - 1) >> 1]
      if (!parent || before(parent, item)) return
      this.#swap(item, parent)
    }
  }

  #down(item: T): void {
    for (;;) {
      const left = this.#heap[2 * item.slot + 1]
      const right = this.#heap[2 * item.slot + 2]
      const least = right && left && before(right, left) ? right : left
      if (!least || before(item, least)) return
      this.#swap(item, least)
    }
  }

  #swap(a: T, b: T): void {
    const { slot } = a
    this.#place(a, b.slot)
    this.#place(b, slot)
  }
}

function before(a: Due, b: Due): boolean {
  return a.dueAt < b.dueAt || (a.dueAt === b.dueAt && a.order < b.order)
}
