import type { ClientMetrics } from './client-metrics.ts'
import type { Labels } from './metrics.ts'
import type { MetricName } from './metrics-table.ts'
import type { Outcome } from './outcome.ts'
import { CounterClass, GaugeClass, HistogramClass } from './prometheus.ts'
import type { Identity } from './report.ts'
import { statuses, type Status } from './status.ts'

const results = [...statuses, 'timeout'] as const

/** What the metrics show that is read at a scrape. */
export interface MetricsView extends Identity {
  readonly startedAtWallMs: number
  readonly probeStatuses: () => Iterable<readonly [probe: string, status: Status]>
  readonly checkStatus: (name: string) => Status | null
}

/** The metrics of the table, for at most `maxChecks` check names at a time. */
export class CheckMetrics {
  readonly #metrics: ClientMetrics
  readonly #maxChecks: number
  readonly #exported = new Set<string>()
  readonly #runs
  readonly #duration

  constructor(metrics: ClientMetrics, view: MetricsView, maxChecks: number) {
    this.#metrics = metrics
    this.#maxChecks = maxChecks
    this.#runs = new CounterClass(metrics.tableConfig('health_check_runs_total'))
    this.#duration = new HistogramClass({
      ...metrics.tableConfig('health_check_duration_seconds'),
      buckets: [0.001, 0.005, 0.025, 0.1, 0.25, 0.5, 1, 2.5, 10],
    })
    const { service, version } = view
    const gauge = (name: MetricName) => new GaugeClass(metrics.tableConfig(name))
    gauge('health_info').set({ service, version }, 1)
    gauge('health_start_timestamp_seconds').set(view.startedAtWallMs / 1_000)
    this.#onScrape('health_status', (set) => {
      for (const [probe, current] of view.probeStatuses()) {
        for (const status of statuses) set({ probe, status }, Number(status === current))
      }
    })
    this.#onScrape('health_check_status', (set) => {
      for (const check of this.#exported) {
        const current = view.checkStatus(check)
        for (const status of statuses) set({ check, status }, Number(status === current))
      }
    })
  }

  #onScrape(
    name: MetricName,
    fill: (set: (labels: Labels, value: number) => void) => void,
  ): InstanceType<typeof GaugeClass<string>> {
    return new GaugeClass({
      ...this.#metrics.tableConfig(name),
      collect() {
        this.reset()
        fill((labels, value) => this.set(labels, value))
      },
    })
  }

  add(check: string): void {
    if (this.#exported.size < this.#maxChecks) this.#exported.add(check)
  }

  remove(check: string): void {
    if (!this.#exported.delete(check)) return
    for (const result of results) this.#runs.remove({ check, result })
    this.#duration.remove({ check })
  }

  record(check: string, outcome: Outcome, durationMs: number): void {
    if (!this.#exported.has(check)) {
      this.#metrics.drop('health_check_runs_total')
      return
    }
    this.#runs.inc({ check, result: outcome.timedOut ? 'timeout' : outcome.status })
    this.#duration.observe({ check }, durationMs / 1_000)
  }
}
