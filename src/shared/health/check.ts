import type { Status } from './status.ts'

/** What a check found. */
export interface CheckResult {
  readonly status: Status
  /** One sentence for people; shown redacted, as one printable line of at most 300 characters. */
  readonly message?: string
  /** Figures behind the status, at most 20. Never part of what `/health` tells anonymous callers. */
  readonly data?: Readonly<Record<string, string | number | boolean | null>>
}

/**
 * Examines one thing. Returning nothing means healthy, throwing means unhealthy with the error's message. `signal` aborts
 * at the time-out, when the check is unregistered, and at `stop()`: hand it on to whatever waits. A check that ignores it
 * is reported as timed out and is not started again until it has ended.
 *
 * A check that holds something open between its runs carries a `[Symbol.dispose]`; it is called when the check is
 * unregistered and at `stop()`, and the check may run again afterwards.
 */
export type Check = (signal: AbortSignal) => CheckResult | void | Promise<CheckResult | void>
