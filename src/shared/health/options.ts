import { MedykError, printable, type Clock, type Logger } from './internal/index.ts'
import type { MetricsRegistry } from './metrics.ts'

export interface HealthOptions {
  /** Name of the service, as in the answers and in `health_info`. */
  readonly service: string
  readonly version: string
  readonly clock?: Clock
  /** 0 ≤ n < 1; spreads checks over their intervals. Default `Math.random`. */
  readonly random?: () => number
  /** Default: silent. */
  readonly logger?: Logger
  /** A Prometheus client's registry to add the metrics to. Default: an own one. */
  readonly metrics?: MetricsRegistry
  /** Checks that run at a time. Default 64. */
  readonly concurrency?: number
  /** Check names that have metrics of their own; the rest is counted in `health_series_dropped_total`. Default 200. */
  readonly maxExportedChecks?: number
  /** What `last_error` tells anonymous callers: the failing check with its redacted message, or its name only. Default `message`. */
  readonly lastError?: 'message' | 'check'
}

export function validateOptions(options: HealthOptions): void {
  const problems: string[] = []
  const { concurrency = 1, maxExportedChecks = 0, lastError = 'message' } = options
  for (const field of ['service', 'version'] as const) {
    const value: unknown = options[field]
    const ok = typeof value === 'string' && value !== '' && value.length <= 100 && printable(value) === value
    if (!ok) problems.push(`${field} must be 1 to 100 printable characters`)
  }
  if (!Number.isInteger(concurrency) || concurrency < 1)
    problems.push('concurrency must be a whole number of at least 1')
  if (!Number.isInteger(maxExportedChecks) || maxExportedChecks < 0) {
    problems.push('maxExportedChecks must be a whole number of at least 0')
  }
  if (lastError !== 'message' && lastError !== 'check') problems.push('lastError must be "message" or "check"')
  if (problems.length > 0) {
    throw new MedykError('ERR_OPTIONS', `new Health(): ${problems.join('; ')}`, {
      hint: 'mend each option that is named',
    })
  }
}
