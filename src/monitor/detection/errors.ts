import { rules } from './rules.ts'

/**
 * CUSUM for partial errors: a score that rises with every failure by how much likelier it is at p1 than at p0, and falls
 * with every success. Silence does not come here: a lossy network would look like an ill service.
 */
export interface Errors {
  score: number
  /** The usual share of failures, learned while all is well. */
  baseline: number
  active: boolean
  /** First failure since the score was last zero. */
  firstAt: number
  lastCountedAt: number
}

export function emptyErrors(): Errors {
  return { score: 0, baseline: 0, active: false, firstAt: 0, lastCountedAt: -Infinity }
}

/** A new run, or a whole outage that has its own verdict: what was usual stays known. */
export function forgetErrors(errors: Errors): void {
  errors.score = 0
  errors.active = false
  errors.lastCountedAt = -Infinity
}

export function countFailure(errors: Errors, startedAt: number, endedAt: number): void {
  if (!spaced(errors, startedAt)) return
  const { h, p1, baselineWeight } = rules.errors
  if (errors.score === 0) errors.firstAt = endedAt
  errors.score = Math.min(h, errors.score + Math.log(p1 / expected(errors)))
  if (!errors.active) errors.baseline += baselineWeight * (1 - errors.baseline)
}

/** The alarm is raised here and not at a failure: an unbroken run of failures is an outage, which E1 judges. */
export function countSuccess(errors: Errors, startedAt: number): void {
  const { h, p1, baselineWeight } = rules.errors
  if (errors.score >= h) errors.active = true
  if (!spaced(errors, startedAt)) return
  if (!errors.active) errors.baseline -= baselineWeight * errors.baseline
  if (errors.score === 0) return
  const p0 = expected(errors)
  errors.score = Math.max(0, errors.score + Math.log((1 - p1) / (1 - p0)))
  // A thousand times likelier to be well: some 35 clean answers.
  if (errors.active && errors.score <= h / 2) forgetErrors(errors)
}

function spaced(errors: Errors, startedAt: number): boolean {
  if (startedAt < errors.lastCountedAt + rules.errors.spacingMs) return false
  errors.lastCountedAt = startedAt
  return true
}

function expected(errors: Errors): number {
  const { p0Min, p0Max, baselineFactor } = rules.errors
  return Math.min(p0Max, Math.max(p0Min, baselineFactor * errors.baseline))
}
