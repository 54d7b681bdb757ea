import type { InputEvent, Instance, RuntimeEvent, ServiceSpec, Verdict } from '../model/index.ts'
import type { Boots } from './shard-protocol.ts'
import type { TraceRecord } from '../simulation/index.ts'

/** What the main thread asks of a shard. */
export interface ShardHost extends AsyncDisposable {
  /** `proven`: ids of instances that have been healthy at some time, in a former life of the daemon. */
  setTargets(
    services: readonly ServiceSpec[],
    instances: readonly Instance[],
    proven: readonly string[],
    boots?: Boots,
  ): void
  instanceEvent(event: RuntimeEvent): void
  confirm(token: string, services: readonly string[], withinMs: number): void
}

/** The last look at one probe of one instance. */
export interface ProbeSummary {
  readonly instance: string
  readonly probe: string
  readonly lastOutcome: 'ok' | 'explicit' | 'silence' | 'misconfigured' | 'void' | null
  readonly lastLatencyMs: number | null
  /** Wall-clock milliseconds. */
  readonly lastAt: number | null
  /** As the target reported it last. Absent: it never did. */
  readonly version?: string
}

/** What a shard tells about each second. */
export interface ShardSummary {
  readonly probes: readonly ProbeSummary[]
  readonly attempts: number
  readonly latenessP99Ms: number
}

/** What comes back. */
export interface ShardListener {
  onVerdict(verdict: Verdict): void
  onEvent(event: Extract<InputEvent, { type: 'observer.changed' | 'confirmed' }>): void
  onSummary(summary: ShardSummary): void
  /** Only when recording. */
  onRecord(record: TraceRecord): void
  /** The worker is gone or silent: nothing is seen any more. Called once in its life. */
  onLost(reason: string): void
}
