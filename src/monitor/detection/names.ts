import { rules } from './rules.ts'

/** A target's list of failing checks, changed only when the same new list came twice, so that it cannot flicker. */
export interface Names {
  current: readonly string[]
  candidate: readonly string[] | null
}

export function sameNames(a: readonly string[], b: readonly string[]): boolean {
  return a === b || (a.length === b.length && a.every((name, i) => name === b[i]))
}

export function hear(names: Names, heard: readonly string[]): void {
  if (sameNames(heard, names.current)) names.candidate = null
  else if (names.candidate && sameNames(heard, names.candidate)) {
    names.current = heard
    names.candidate = null
  } else names.candidate = heard
}

/** At once, when nothing was believed before. */
export function believe(names: Names, heard: readonly string[]): void {
  names.current = heard
  names.candidate = null
}

/** What a living target says of itself in its answers. */
export interface Reported {
  /** Degraded reports in a row. */
  count: number
  firstAt: number
  active: boolean
  readonly names: Names
}

export function emptyReported(): Reported {
  return { count: 0, firstAt: 0, active: false, names: { current: [], candidate: null } }
}

export function countReport(reported: Reported, failing: readonly string[], at: number): void {
  if (reported.count++ === 0 && !reported.active) reported.firstAt = at
  if (reported.active) hear(reported.names, failing)
  else believe(reported.names, failing)
  if (reported.count >= rules.reported.reports) reported.active = true
}
