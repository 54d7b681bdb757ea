import type { RuntimeHealth } from './instance.ts'

/** What a target says of itself in the JSON of its health endpoint. */
export interface TargetReport {
  readonly status: 'healthy' | 'degraded' | 'unhealthy' | null
  /** Names of its checks that are not healthy; at most 20, each at most 80 printable characters. */
  readonly failing: readonly string[]
  readonly version: string | null
  /** It is the report of this project's own library, which may be asked often. */
  readonly library?: true
}

/**
 * The result of one attempt.
 * ok: answered as it should · explicit: refused, reset, 5xx, wrong body, garbage · silence: nothing in time ·
 * misconfigured: 4xx, redirect, wrong certificate: the question is wrong, not the target ·
 * void: the prober itself failed (no descriptor, no memory, aborted): thrown away
 */
export type AttemptOutcome =
  | { readonly class: 'ok'; readonly latencyMs: number; readonly report: TargetReport | null }
  | {
      readonly class: 'explicit'
      readonly reason: string
      readonly latencyMs: number
      readonly report: TargetReport | null
      /** Something answered (5xx, wrong body, garbage), so other answers may still be good. Absent: nobody listens. */
      readonly answered?: boolean
    }
  | { readonly class: 'silence'; readonly reason: string; readonly latencyMs: number }
  | { readonly class: 'misconfigured'; readonly reason: string; readonly latencyMs: number }
  | { readonly class: 'void'; readonly reason: string }

export type AttemptClass = AttemptOutcome['class']

/** One look at an instance. Samples stay in the shard; only verdicts leave it. Times are monotonic milliseconds. */
export interface Observation {
  readonly instance: string
  readonly probe: string
  /** Counts up per probe; a hedge is an attempt of its own. */
  readonly attempt: number
  readonly startedAt: number
  readonly endedAt: number
  readonly outcome: AttemptOutcome
}

/** How detection wants a probe to be driven from here on. */
export interface Pace {
  readonly intervalMs: number
  /** No answer after this long: start another attempt on a fresh socket, and again each time. null: never. */
  readonly hedgeAfterMs: number | null
}

/** What is known of the instance that is being examined, for probers that need it. */
export interface ProbeTarget {
  readonly address: string | null
  readonly health: RuntimeHealth | null
}

/** A prober examines a target once. It answers within the deadline it was given and never throws. */
export interface Prober {
  readonly kind: string
  probe(
    options: unknown,
    limits: {
      readonly timeoutMs: number
      readonly signal: AbortSignal
      /** Connect to this address instead of the host in the options. Absent: as the options say. */
      readonly dial?: string
      readonly target?: ProbeTarget
    },
  ): Promise<AttemptOutcome>
}
