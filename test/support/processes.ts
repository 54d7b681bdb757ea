import { readdirSync, readFileSync } from 'node:fs'

/** A process of this machine; its number alone could be given to another one. */
export interface Seen {
  readonly pid: number
  readonly parent: number
  readonly startTicks: string
}

export function seen(pid: number): Seen | null {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8')
    // The name stands in brackets and may contain anything.
    const field = text.slice(text.lastIndexOf(')') + 2).split(' ')
    if (field[0] === 'Z') return null
    return { pid, parent: Number(field[1]), startTicks: field[19] ?? '' }
  } catch {
    return null
  }
}

export const lives = (process: Seen): boolean => seen(process.pid)?.startTicks === process.startTicks

/** What `pid` has started, and what that has started, as long as nobody in between has died. */
export function descendants(pid: number): readonly Seen[] {
  const all = readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry))
    .flatMap((entry) => seen(Number(entry)) ?? [])
  const below = (parent: number): Seen[] =>
    all.filter((process) => process.parent === parent).flatMap((process) => [process, ...below(process.pid)])
  return below(pid)
}
