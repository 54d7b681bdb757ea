import type { Clock } from '@medyk/health/internal'
import type { Journal } from '../journal/index.ts'
import { isoOf } from '../model/index.ts'
import type { HealthReport } from '../server/index.ts'

/** What the daemon says of itself at `/health` and `/ready`. */
export class OwnHealth {
  /** Why nothing is seen any more; null while probing goes on. */
  lost: string | null = null
  observer: { readonly unwell: boolean; readonly reason: string } = { unwell: false, reason: '' }
  /** Services were looked for and the new ones started. */
  started = false
  readonly #journal: Journal
  readonly #clock: Clock
  readonly #version: string
  readonly #since: number

  constructor(journal: Journal, clock: Clock, version: string) {
    this.#journal = journal
    this.#clock = clock
    this.#version = version
    this.#since = clock.wall()
  }

  report(probe: 'liveness' | 'readiness'): HealthReport {
    const checks: HealthReport['checks'] = {
      journal: this.#journal.state === 'ok' ? 'healthy' : 'degraded',
      probing: this.lost === null ? 'healthy' : 'unhealthy',
      observer: this.observer.unwell ? 'degraded' : 'healthy',
      ...(probe === 'readiness' ? { startup: this.started ? 'healthy' : 'unhealthy' } : {}),
    }
    const states = Object.values(checks)
    const last = this.lost ?? (this.observer.unwell ? this.observer.reason : this.#journal.problems.at(-1))
    return {
      status: states.includes('unhealthy') ? 'unhealthy' : states.includes('degraded') ? 'degraded' : 'healthy',
      timestamp: isoOf(this.#clock.wall()).replace(/\.\d+Z$/, 'Z'),
      service: 'medyk',
      version: this.#version,
      checks,
      metadata: { uptime_seconds: Math.floor((this.#clock.wall() - this.#since) / 1_000), last_error: last ?? null },
    }
  }
}
