/**
 * A running estimate of the 99th percentile (stochastic approximation in the logarithm): a few multiplications a
 * sample and no memory. It begins as the largest value seen, since the first answers are few, and follows the
 * percentile n/(n+1) until that reaches 99 %.
 */
export interface Percentile {
  samples: number
  value: number
}

const TARGET = 0.99
const MIN_STEP = 0.1

export function emptyPercentile(): Percentile {
  return { samples: 0, value: 0 }
}

export function learn(estimate: Percentile, ms: number): void {
  const n = ++estimate.samples
  if (n <= 3) {
    if (ms > estimate.value) estimate.value = ms
    return
  }
  const p = n < 100 ? n / (n + 1) : TARGET
  const step = n < 100 ? 1 / Math.sqrt(n) : MIN_STEP
  if (ms > estimate.value) estimate.value = Math.min(ms, Math.max(1, estimate.value) * (1 + step * p))
  else estimate.value *= 1 - step * (1 - p)
}
