import { rules } from './rules.ts'

/** Good answers in a row. Spans are measured from start to start, so that a late answer shortens nothing. */
export interface Streak {
  count: number
  firstAt: number
  lastAt: number
}

export function emptyStreak(): Streak {
  return { count: 0, firstAt: 0, lastAt: 0 }
}

export function extend(streak: Streak, startedAt: number): void {
  if (streak.count === 0) streak.firstAt = startedAt
  streak.count++
  if (startedAt > streak.lastAt || streak.count === 1) streak.lastAt = startedAt
}

/** Long enough to call it healthy again. */
export function sustained(streak: Streak): boolean {
  return streak.count >= rules.healthy.successes && streak.lastAt - streak.firstAt >= rules.healthy.spanMs
}
