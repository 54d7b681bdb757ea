import { monitorEventLoopDelay, performance, type EventLoopUtilization } from 'node:perf_hooks'
import type { Check, CheckResult } from '../check.ts'
import { worst, type Status } from '../status.ts'

/** Each sample wakes the process; at 50 ms that is 5 ms CPU a second less than at 10 ms and still below every threshold. */
const RESOLUTION_MS = 50
/** A second of samples: with fewer, p99 would be the one worst moment. */
const MIN_SAMPLES = 20

interface Levels {
  readonly degraded: number
  readonly unhealthy: number
}

export interface EventLoopOptions {
  /** 99th percentile of the event loop's delay since the last judgement, ms. Default 100 and 500. */
  readonly delayMs?: Levels
  /** Share of time that the event loop was busy, 0 to 1. Default 0.7 and 0.9. */
  readonly utilization?: Levels
}

/**
 * Whether this process still gets round to things. It watches between its runs and judges only what it has watched: with
 * less than a second of evidence it repeats its last judgement, and at first it says healthy.
 */
export function eventLoop(options: EventLoopOptions = {}): Check & Disposable {
  const { delayMs = { degraded: 100, unhealthy: 500 }, utilization = { degraded: 0.7, unhealthy: 0.9 } } = options
  let watch: { readonly delay: ReturnType<typeof monitorEventLoopDelay>; used: EventLoopUtilization } | null = null
  let last: CheckResult = { status: 'healthy' }

  const check = (): CheckResult => {
    if (watch === null) {
      const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS })
      delay.enable()
      watch = { delay, used: performance.eventLoopUtilization() }
      return last
    }
    const { delay } = watch
    if (delay.count < MIN_SAMPLES) return last
    const now = performance.eventLoopUtilization()
    // A sample is the time between two ticks, so that an idle loop shows the resolution itself.
    const p99 = Math.max(0, delay.percentile(99) / 1e6 - RESOLUTION_MS)
    const busy = performance.eventLoopUtilization(now, watch.used).utilization
    delay.reset()
    watch.used = now
    last = judge(p99, busy, delayMs, utilization)
    return last
  }
  return Object.assign(check, {
    [Symbol.dispose]() {
      watch?.delay.disable()
      watch = null
      last = { status: 'healthy' }
    },
  })
}

function judge(p99: number, busy: number, delayMs: Levels, utilization: Levels): CheckResult {
  const slow = level(p99, delayMs)
  const full = level(busy, utilization)
  const delayP99Ms = Math.round(p99)
  const data = { delayP99Ms, utilization: Math.round(busy * 1_000) / 1_000 }
  const messages = [
    ...(slow === 'healthy' ? [] : [`the event loop is late by ${delayP99Ms} ms (p99)`]),
    ...(full === 'healthy' ? [] : [`the event loop is busy ${Math.round(busy * 100)} % of the time`]),
  ]
  const status = worst([slow, full])
  return messages.length > 0 ? { status, message: messages.join('; '), data } : { status, data }
}

function level(value: number, { degraded, unhealthy }: Levels): Status {
  return value >= unhealthy ? 'unhealthy' : value >= degraded ? 'degraded' : 'healthy'
}
