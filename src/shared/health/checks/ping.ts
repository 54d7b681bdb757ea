import type { Check } from '../check.ts'
import { MedykError } from '../internal/index.ts'

export interface PingOptions {
  /** An answer that took longer is `degraded`. Default: never. */
  readonly slowMs?: number
  /** Whether the answer is a good one. Default: every answer that is not `false`. */
  readonly expect?: (answer: unknown) => boolean
}

/**
 * A check around a client's own ping, for example `ping(() => redis.ping())`. It ends with its signal even if the client
 * does not, and never has two pings under way: while one is unanswered, the next run fails instead of adding another.
 */
export function ping(fn: (signal: AbortSignal) => unknown, options: PingOptions = {}): Check {
  const { slowMs = Infinity, expect = (answer) => answer !== false } = options
  let pendingSince: number | null = null
  return async (signal) => {
    signal.throwIfAborted()
    const startedAt = performance.now()
    if (pendingSince !== null) {
      throw new MedykError('ERR_DEADLINE', `no answer for ${Math.round((startedAt - pendingSince) / 100) / 10} s`)
    }
    pendingSince = startedAt
    const asked = (async () => await fn(signal))().finally(() => (pendingSince = null))
    const answer = await endWith(asked, signal)
    const tookMs = Math.round(performance.now() - startedAt)
    if (!expect(answer)) return { status: 'unhealthy', message: 'the answer is not the expected one' }
    if (tookMs > slowMs) {
      return { status: 'degraded', message: `answered after ${tookMs} ms, slower than ${slowMs} ms`, data: { tookMs } }
    }
    return { status: 'healthy', data: { tookMs } }
  }
}

function endWith<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(signal.reason as Error)
    signal.addEventListener('abort', onAbort, { once: true })
    work.finally(() => signal.removeEventListener('abort', onAbort)).then(resolve, reject)
  })
}
