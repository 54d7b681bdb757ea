const max = 4_096

/** The samples of one second: kept until they are taken. Past the bound the oldest are overwritten. */
export class Percentiles {
  #samples: number[] = []
  #next = 0

  add(ms: number): void {
    this.#samples[this.#next++ % max] = ms
  }

  /** Values at the given shares (0.5 is the median) of what was added since the last time; null when nothing was. */
  take<const Shares extends readonly number[]>(...shares: Shares): { [I in keyof Shares]: number } | null {
    const sorted = this.#samples.sort((a, b) => a - b)
    this.#samples = []
    this.#next = 0
    if (sorted.length === 0) return null
    const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0
    return shares.map(at) as { [I in keyof Shares]: number }
  }
}
