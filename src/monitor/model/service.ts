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
}

/** Where an edge of the dependency graph was learned. */
export type DependencySource = 'config' | 'compose' | 'label' | 'environment' | 'library'

export interface Dependency {
  readonly service: string
  readonly source: DependencySource
}

/** How often and how hard recovery may try. Source of the defaults: reference "Recovery", field: Nomad, systemd, kubelet. */
export interface RecoveryPolicy {
  readonly enabled: boolean
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
  readonly recovery: RecoveryPolicy
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

export const defaultProbe = { intervalMs: 1_000, timeoutMs: 1_300 } as const
export const defaultStartupGraceMs = 60_000
