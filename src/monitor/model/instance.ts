/**
 * created: known, never run here · running · suspended: a stopped process (state T) · paused: frozen by the runtime ·
 * restarting: its runtime is at work on it · exited: ran and ended · failed: could not be started
 */
export type InstanceState = 'created' | 'running' | 'suspended' | 'paused' | 'restarting' | 'exited' | 'failed'

export interface ExitInfo {
  /** null when unknown (the process was not our child) or ended by a signal. */
  readonly code: number | null
  readonly signal: string | null
  readonly oomKilled: boolean
  /** ISO 8601 UTC. */
  readonly at: string
}

/** One running copy of a service, as its runtime sees it. */
export interface Instance {
  /** Stable over restarts of the same copy. */
  readonly id: string
  readonly service: string
  /** Kind of its runtime. */
  readonly kind: string
  readonly state: InstanceState
  readonly pid: number | null
  /** ISO 8601 UTC with milliseconds; together with `id` it names this run. null: not running. */
  readonly startedAt: string | null
  readonly exit: ExitInfo | null
  /** Why it is in state `failed`. */
  readonly failure: { readonly reason: string; readonly permanent: boolean } | null
  /** Starts by Medyk since it was first seen, the first start not counted. */
  readonly restarts: number
}
