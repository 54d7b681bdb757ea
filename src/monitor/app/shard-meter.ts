import type { AttemptOutcome } from '../model/index.ts'
import { Percentiles } from './percentiles.ts'
import type { ProbeSummary, ShardSecond } from './shard-protocol.ts'

/** Counts what a shard did within the present second. */
export class ShardMeter {
  readonly #latencies = new Percentiles()
  readonly #lateness = new Percentiles()
  #probes = new Map<string, ProbeSummary>()
  #attempts = 0
  #voids = 0

  finished(instance: string, probe: string, outcome: AttemptOutcome, wall: number): void {
    this.#attempts++
    if (outcome.class === 'void') this.#voids++
    if (outcome.class === 'ok') this.#latencies.add(outcome.latencyMs)
    const lastLatencyMs = outcome.class === 'void' ? null : outcome.latencyMs
    const report = outcome.class === 'ok' || outcome.class === 'explicit' ? outcome.report : null
    const version = report?.version ? { version: report.version } : {}
    const summary = { instance, probe, lastOutcome: outcome.class, lastLatencyMs, lastAt: wall, ...version }
    this.#probes.set(`${instance}\n${probe}`, summary)
  }

  woke(latenessMs: number): void {
    this.#lateness.add(latenessMs)
  }

  /** One target whose name cannot be resolved has its own trouble; when half of all attempts are void it is ours. */
  get isStarved(): boolean {
    return this.#voids > 0 && 2 * this.#voids >= this.#attempts
  }

  /** The second is over: what it came to. */
  take(inFlight: number): ShardSecond {
    const latency = this.#latencies.take(0.5, 0.99)
    const second: ShardSecond = {
      type: 'summary',
      probes: [...this.#probes.values()],
      attempts: this.#attempts,
      latencyP50Ms: latency?.[0] ?? null,
      latencyP99Ms: latency?.[1] ?? null,
      latenessP99Ms: this.#lateness.take(0.99)?.[0] ?? 0,
      inFlight,
    }
    this.#probes = new Map()
    this.#attempts = 0
    this.#voids = 0
    return second
  }
}
