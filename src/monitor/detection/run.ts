import type { Observation } from '../model/index.ts'

/** Failures of one kind in a row. */
export interface Run {
  count: number
  firstStart: number
  lastStart: number
  /** When the first of them was known. */
  firstAt: number
  reason: string
}

export function emptyRun(): Run {
  return { count: 0, firstStart: 0, lastStart: 0, firstAt: 0, reason: '' }
}

export function prolong(run: Run, seen: Observation, reason: string): void {
  if (run.count++ === 0) {
    run.firstStart = seen.startedAt
    run.lastStart = seen.startedAt
    run.firstAt = seen.endedAt
  }
  if (seen.startedAt < run.firstStart) run.firstStart = seen.startedAt
  if (seen.startedAt > run.lastStart) run.lastStart = seen.startedAt
  run.reason = reason
}

/** Spans are measured from start to start. */
export function lasted(run: Run, attempts: number, spanMs: number): boolean {
  return run.count >= attempts && run.lastStart - run.firstStart >= spanMs
}
