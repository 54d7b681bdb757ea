/**
 * created: known, never run here · running · suspended: a stopped process (state T) · paused: frozen by the runtime ·
 * restarting: its runtime is at work on it · stopping: somebody has asked it to end, and it has not yet · exited: ran and
 * ended · failed: could not be started · unknown: its runtime does not answer, so nobody knows
 */
export type InstanceState =
  | 'created'
  | 'running'
  | 'suspended'
  | 'paused'
  | 'restarting'
  | 'stopping'
  | 'exited'
  | 'failed'
  | 'unknown'

/**
 * How a run came to its end. itself: nobody asked for it · kill: somebody killed it through its runtime · stop: somebody
 * stopped it through its runtime, and may have meant it · medyk: an action of ours · before: it had ended when Medyk first
 * saw it · unknown: its end was not seen
 */
export type EndedBy = 'itself' | 'kill' | 'stop' | 'medyk' | 'before' | 'unknown'

/** What the runtime's own check of an instance says (a container's HEALTHCHECK). */
export interface RuntimeHealth {
  readonly status: 'starting' | 'healthy' | 'unhealthy'
  /** The check itself cannot run (its program is missing): it says nothing about the instance. */
  readonly broken: boolean
  /** One printable sentence without secrets; empty when there is nothing to say. */
  readonly detail: string
}

export interface ExitInfo {
  /** null when unknown (the process was not our child) or ended by a signal. */
  readonly code: number | null
  readonly signal: string | null
  readonly oomKilled: boolean
  /** Absent: itself. */
  readonly endedBy?: EndedBy
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
  /** What people call it, where `id` is not that; for showing. */
  readonly name?: string
  /** Version of what it runs, as its runtime knows it (the tag of an image). Absent: not known. */
  readonly version?: string
  /** Address at which probes with `dial: 'instance'` find it; may differ in each run. null or absent: none. */
  readonly address?: string | null
  /** null or absent: the runtime has no check of its own for it. */
  readonly health?: RuntimeHealth | null
  /** Id of the instance whose network namespace it shares: without that one's current run it is cut off. */
  readonly networkOf?: string | null
}
