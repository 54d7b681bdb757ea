import type { Probe } from './registration.ts'
import { worst, type Status } from './status.ts'

/** The three questions that may be asked of a service. `health` is liveness. */
export type Endpoint = 'health' | 'ready' | 'startup'

/** The body of `/health`, `/ready` and `/startup`. */
export interface Report {
  readonly status: Status
  /** ISO 8601 UTC to the second. */
  readonly timestamp: string
  readonly service: string
  readonly version: string
  /** `health`: all checks; `ready` and `startup`: those of that probe. A check without a result yet is `degraded`. */
  readonly checks: Readonly<Record<string, Status>>
  readonly metadata: {
    readonly uptime_seconds: number
    /** Why the check that failed last did so, redacted; null while all are healthy. */
    readonly last_error: string | null
  }
}

/** What evaluation needs to know of a check. `status` null: no result yet. */
export interface CheckFacts {
  readonly name: string
  readonly status: Status | null
  readonly probes: readonly Probe[]
  readonly critical: boolean
}

/** Where the service stands in its life. */
export interface Stage {
  /** Started, and every critical start-up check has succeeded once. */
  readonly cameUp: boolean
  /** Shutting down or stopped. */
  readonly leaving: boolean
}

export interface Evaluation {
  readonly status: Status
  /** 503 exactly when `status` is unhealthy. */
  readonly code: 200 | 503
  readonly checks: readonly (readonly [name: string, status: Status])[]
}

const probeOf: Readonly<Record<Endpoint, Probe>> = { health: 'liveness', ready: 'readiness', startup: 'startup' }

/**
 * The answer to `endpoint`. Liveness fails only for a critical liveness check: whatever else is wrong (a dependency, most
 * often) a restart would not mend, so it degrades. Before its first result a check is taken as alive and as not ready,
 * like kubelet does.
 */
export function evaluate(endpoint: Endpoint, checks: readonly CheckFacts[], stage: Stage): Evaluation {
  const probe = probeOf[endpoint]
  const listed = endpoint === 'health' ? checks : checks.filter((check) => check.probes.includes(probe))
  const fails = (check: CheckFacts) => {
    if (!check.critical || !check.probes.includes(probe)) return false
    return check.status === 'unhealthy' || (endpoint === 'ready' && check.status === null)
  }
  const closed = {
    health: false,
    ready: !stage.cameUp || stage.leaving,
    startup: !stage.cameUp,
  }[endpoint]
  // Start-up is history once it is done: what fails later does not undo it.
  const failed = endpoint === 'startup' ? closed : closed || listed.some(fails)
  const shown = listed.map((check) => [check.name, check.status ?? 'degraded'] as const)
  const milder = worst(shown.map(([, status]) => status)) === 'healthy' ? 'healthy' : 'degraded'
  return { status: failed ? 'unhealthy' : milder, code: failed ? 503 : 200, checks: shown }
}

export interface Identity {
  readonly service: string
  readonly version: string
}

/** ISO 8601 UTC to the second, as in `2024-01-20T10:00:00Z`. */
export function isoSeconds(wallMs: number): string {
  return `${new Date(wallMs).toISOString().slice(0, 19)}Z`
}

export function toReport(
  { service, version }: Identity,
  { status, checks }: Evaluation,
  at: { readonly wallMs: number; readonly uptimeSeconds: number },
  lastError: string | null,
): Report {
  return {
    status,
    timestamp: isoSeconds(at.wallMs),
    service,
    version,
    checks: Object.fromEntries(checks),
    metadata: { uptime_seconds: at.uptimeSeconds, last_error: lastError },
  }
}
