/** Plain data only: a spec crosses thread borders and is journaled. All times are milliseconds. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json }

export type ProbeRole = 'liveness' | 'readiness' | 'startup'

/** How one instance is examined in one respect. `kind` names the prober; `options` are that prober's own, validated. */
export interface ProbeSpec {
  readonly name: string
  readonly role: ProbeRole
  readonly kind: string
  readonly options: { readonly [key: string]: Json }
  readonly intervalMs: number
  /** Total: connect, headers and body. Not 1 s, which would collide with TCP's SYN retransmit. */
  readonly timeoutMs: number
  /** Connect to the instance's own address instead of the host that `options` name, which is only what the target is told. */
  readonly dial?: 'instance'
  /** What it was derived from, for people; absent: somebody configured it. */
  readonly derivedFrom?: string
  /** Nobody set its interval: one of our own library's services, which can bear it, is asked every second. */
  readonly mayQuicken?: true
  /** Nobody said that there is such a thing to ask: until it has succeeded it is as if it were not there. */
  readonly guessed?: true
  /** Counts only as long as no guess of the same role has succeeded: slower, or less direct, but somebody's own word. */
  readonly standIn?: true
}

/** Where an edge of the dependency graph was learned. */
export type DependencySource = 'config' | 'compose' | 'network' | 'link' | 'label' | 'environment' | 'library'

export interface Dependency {
  readonly service: string
  readonly source: DependencySource
  /** Where exactly, for people: `environment REDIS_HOST`. */
  readonly via?: string
  /** Declared: when the dependency has been restarted, so must this service be. */
  readonly restart?: true
}

/** How often and how hard recovery may try. Source of the defaults: reference "Recovery", field: Nomad, systemd, kubelet. */
export interface RecoveryPolicy {
  readonly enabled: boolean
  /** Decide and tell, but do nothing. Absent: false. */
  readonly dryRun?: boolean
  /** Whether an instance that is there and does not answer may be restarted (data may be at stake). Absent: true. */
  readonly restartHung?: boolean
  /** Why recovery is off or restricted, for people. */
  readonly because?: string
  /** Actions allowed in `windowMs` (sliding); the next one quarantines instead. */
  readonly attempts: number
  readonly windowMs: number
  /** Delay before attempt n; the last value repeats. */
  readonly delaysMs: readonly number[]
  /** Share by which a delay may deviate either way. */
  readonly jitter: number
  /** Between SIGTERM and SIGKILL for an instance that is hung. */
  readonly stopGraceMs: number
  /** Pause between single tries while quarantined. */
  readonly quarantineRetryMs: number
  /** Healthy for this long after an action: verified for good, and the incident closes. */
  readonly stableMs: number
}

export interface ServiceSpec {
  readonly name: string
  /** Kind of the runtime that runs it; null: watched only, never touched. */
  readonly runtime: string | null
  /** The runtime's own options, validated by it. */
  readonly runtimeOptions: { readonly [key: string]: Json }
  readonly dependsOn: readonly Dependency[]
  readonly probes: readonly ProbeSpec[]
  /** Until its first success a fresh instance is `starting`, at most this long. */
  readonly startupGraceMs: number
  /** The grace as long as no boot of it was ever seen, where nobody said how long it takes. Absent: as any other. */
  readonly unseenBootMs?: number
  readonly recovery: RecoveryPolicy
  /** Failure domain: what tends to fail together, such as a compose project. Absent: the host. */
  readonly domain?: string
  /** Runs once and ends: an end with code 0 is no illness, and it is never started by Medyk. */
  readonly job?: true
  /** Nothing says that it serves: when it ends by itself with code 0, that may be its natural end. */
  readonly mayFinish?: true
}

/**
 * How well a service is covered. checked: something that the service does itself is examined · state: only whether it runs ·
 * none: nothing is known of it
 */
export interface CoverageRow {
  readonly service: string
  readonly level: 'checked' | 'state' | 'none'
  /** What is asked, such as `GET :8001/health`; null: nothing. */
  readonly probe: string | null
  /** Where that comes from, such as `HEALTHCHECK curl -f http://localhost:8001/health`. */
  readonly derivedFrom: string
  /** What is wrong or could be better, and what to do; null: nothing. */
  readonly note: string | null
  /** No service (a container that runs once, say): told, so that nothing is left unsaid, but not counted. Absent: counted. */
  readonly counts?: false
}

/** Leave this service alone until. */
export interface Maintenance {
  readonly service: string
  /** Who asked for it. */
  readonly by: string
  readonly reason: string
  /** ISO 8601 UTC. */
  readonly since: string
  readonly until: string
}

export const defaultRecoveryPolicy: RecoveryPolicy = {
  enabled: true,
  attempts: 5,
  windowMs: 600_000,
  delaysMs: [0, 2_000, 4_000, 8_000, 16_000],
  jitter: 0.25,
  stopGraceMs: 1_000,
  quarantineRetryMs: 600_000,
  stableMs: 30_000,
}

/** Longer than any boot that is one; what took longer waited for something else. */
export const longestBootMs = 600_000

/** Time for a fresh run to become healthy: twice the longest boot that was seen, and never less than configured. `bootMs` 0: none. */
export function startupGrace(
  { startupGraceMs, unseenBootMs = 0 }: Pick<ServiceSpec, 'startupGraceMs' | 'unseenBootMs'>,
  bootMs: number,
): number {
  return Math.max(startupGraceMs, bootMs > 0 ? 2 * Math.min(bootMs, longestBootMs) : unseenBootMs)
}

export const defaultProbe = { intervalMs: 1_000, timeoutMs: 1_300 } as const
export const defaultStartupGraceMs = 60_000
