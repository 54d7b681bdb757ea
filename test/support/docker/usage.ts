import { readFileSync } from 'node:fs'

export interface Usage {
  /** `performance.now()`. */
  readonly at: number
  /** Of all threads, user and system. */
  readonly cpuMs: number
  readonly rssMiB: number
}

/** Linux counts in hundredths of a second, on every architecture that Node runs on. */
const TICK_MS = 10

/** What a process has used so far, as the kernel tells. */
export function usageOf(pid: number): Usage {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  // The name stands in brackets and may contain anything.
  const field = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  const kib = Number(/^VmRSS:\s*(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1])
  return { at: performance.now(), cpuMs: (Number(field[11]) + Number(field[12])) * TICK_MS, rssMiB: kib / 1_024 }
}

/** Per cent of one core between two looks. */
export const cpuPercent = (from: Usage, to: Usage): number => (100 * (to.cpuMs - from.cpuMs)) / (to.at - from.at)

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = Math.floor(sorted.length / 2)
  return sorted.length % 2 === 1 ? (sorted[middle] ?? 0) : ((sorted[middle - 1] ?? 0) + (sorted[middle] ?? 0)) / 2
}
