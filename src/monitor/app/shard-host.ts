import type { InputEvent, Instance, RuntimeEvent, ServiceSpec, Verdict } from '../model/index.ts'

/** What the main thread asks of a shard, and what comes back. One implementation runs in a worker thread. */
export interface ShardHost extends AsyncDisposable {
  setTargets(services: readonly ServiceSpec[], instances: readonly Instance[]): void
  instanceEvent(event: RuntimeEvent): void
  confirm(token: string, services: readonly string[], withinMs: number): void
}

export interface ShardSummary {
  readonly instance: string
  readonly probe: string
  readonly lastOutcome: 'ok' | 'explicit' | 'silence' | 'misconfigured' | 'void' | null
  readonly lastLatencyMs: number | null
  /** Wall-clock milliseconds. */
  readonly lastAt: number | null
}

export interface ShardListener {
  onVerdict(verdict: Verdict): void
  onEvent(event: Extract<InputEvent, { type: 'observer.changed' | 'confirmed' }>): void
  onSummary(summary: {
    readonly probes: readonly ShardSummary[]
    readonly latenessP99Ms: number
    readonly attempts: number
  }): void
  /** The worker is gone or silent: nothing is seen any more. */
  onLost(reason: string): void
}
