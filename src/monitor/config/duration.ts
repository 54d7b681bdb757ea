import { formatDuration, isMedykError, parseDuration } from '@medyk/health/internal'
import { z } from 'zod'
import { quote } from './problem.ts'

/** Longest duration anywhere in the config: timers of the platform overflow past 24.8 days. */
const MAX_MS = 7 * 86_400_000

interface DurationOptions {
  readonly describe: string
  /** For the JSON Schema only; the defaults themselves are applied when the model is built. */
  readonly default?: string
  /** Milliseconds, inclusive. */
  readonly min?: number
  readonly max?: number
}

/** A Go-style duration, given as text, yielded as milliseconds. */
export function duration({ describe, default: standard, min = 1, max = MAX_MS }: DurationOptions) {
  const range = `from ${min === 0 ? '0s' : formatDuration(min)} to ${formatDuration(max)}`
  return z
    .unknown()
    .transform((value, ctx) => {
      const ms = milliseconds(value)
      if (typeof ms === 'number' && ms >= min && ms <= max) return ms
      const wrong = typeof ms === 'string' ? ms : `${quote(value)} is out of range`
      ctx.addIssue({ code: 'custom', message: `${wrong}; expected a duration ${range}, for example 1.5s` })
      return z.NEVER
    })
    .meta({
      type: 'string',
      pattern: String.raw`^(0|(\d+(\.\d+)?(ms|s|m|h|d))+)$`,
      description: `${describe} A duration with its unit (ms, s, m, h, d), ${range}.`,
      ...(standard === undefined ? {} : { default: standard }),
    })
}

/** Milliseconds, or what is wrong with `value`. */
function milliseconds(value: unknown): number | string {
  if (value === 0) return 0
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) return `${value} is not a number of anything`
    return value < 0 ? `${value} is negative` : `${value} has no unit`
  }
  if (typeof value !== 'string') return 'this is not a duration'
  if (/^-[\d.]/.test(value)) return `${quote(value)} is negative`
  if (/^\d+(\.\d+)?$/.test(value) && Number(value) !== 0) return `${quote(value)} has no unit`
  try {
    return parseDuration(value)
  } catch (error) {
    if (isMedykError(error)) return error.message
    throw error
  }
}
