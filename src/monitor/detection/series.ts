const KEPT = 8

/**
 * The attempts since the last answer, in order of start. Only how many and when the first began matter; the first few
 * are kept so that a void one can be taken out as if it had never been.
 */
export interface Series {
  count: number
  kept: number
  /** How many of them were answered with an error. */
  answered: number
  readonly attempts: Float64Array
  readonly starts: Float64Array
}

export function emptySeries(): Series {
  return { count: 0, kept: 0, answered: 0, attempts: new Float64Array(KEPT), starts: new Float64Array(KEPT) }
}

/** Only meaningful while `count > 0`. */
export function firstStart(series: Series): number {
  return series.starts[0] ?? 0
}

export function addStart(series: Series, attempt: number, at: number): void {
  if (series.kept < KEPT) {
    series.attempts[series.kept] = attempt
    series.starts[series.kept] = at
    series.kept++
  }
  series.count++
}

export function clearSeries(series: Series): void {
  series.count = 0
  series.kept = 0
  series.answered = 0
}

/** An attempt of the series was answered, if with an error. */
export function countAnswered(series: Series, attempt: number): void {
  if (series.count > 0 && attempt >= (series.attempts[0] ?? 0)) series.answered++
}

/** Takes a void attempt out. One that began before the series did is not in it. */
export function removeStart(series: Series, attempt: number): void {
  if (series.count === 0 || attempt < (series.attempts[0] ?? 0)) return
  series.count--
  const at = series.attempts.subarray(0, series.kept).indexOf(attempt)
  if (at < 0) return
  series.attempts.copyWithin(at, at + 1, series.kept)
  series.starts.copyWithin(at, at + 1, series.kept)
  series.kept--
  // The kept ones were all void, yet later ones run: begin anew with those to come rather than guess a first start.
  if (series.kept === 0) clearSeries(series)
}
