import { MedykError, messageOf } from './internal/index.ts'
import type { Counter, Gauge, Histogram, Labels, MetricOptions, Metrics, MetricsRegistry } from './metrics.ts'
import { metricsTable, type MetricName } from './metrics-table.ts'
import { CounterClass, GaugeClass, HistogramClass, RegistryClass, type ClientRegistry } from './prometheus.ts'

/** Series per metric; what comes beyond is counted in `health_series_dropped_total` instead of exported. */
export const MAX_SERIES = 1_000

const none: Labels = Object.freeze({})

/** `Metrics` over the Prometheus client, whose types stay in here. */
export class ClientMetrics implements Metrics {
  readonly #registry: MetricsRegistry
  readonly #dropped: Counter
  #rendering: Promise<string> | null = null

  /** Own registry when none is given. */
  constructor(registry?: MetricsRegistry) {
    this.#registry = registry ?? new RegistryClass()
    const dropped = new CounterClass(this.tableConfig('health_series_dropped_total'))
    this.#dropped = { inc: (by = 1, labels = {}) => dropped.inc(labels as { metric: string }, by) }
  }

  get contentType(): string {
    return this.#registry.contentType
  }

  text(): Promise<string> {
    this.#rendering ??= this.#registry.metrics().finally(() => (this.#rendering = null))
    return this.#rendering
  }

  counter(options: MetricOptions): Counter {
    if (!options.name.endsWith('_total')) {
      throw new MedykError('ERR_METRIC', `the name of counter "${options.name}" has to end in _total`)
    }
    const counter = this.#make(options, (config) => new CounterClass(config))
    const admit = this.#cap(options.name)
    return { inc: (by = 1, labels = none) => void (admit(labels) && counter.inc(labels, by)) }
  }

  gauge(options: MetricOptions & { readonly read?: () => number }): Gauge {
    const { read } = options
    const gauge = this.#make(options, (config) => {
      if (!read) return new GaugeClass(config)
      return new GaugeClass({
        ...config,
        collect() {
          // One reading that fails must not cost the whole scrape: NaN is Prometheus' word for "not known".
          try {
            this.set(read())
          } catch {
            this.set(NaN)
          }
        },
      })
    })
    const admit = this.#cap(options.name)
    return { set: (value, labels = none) => void (admit(labels) && gauge.set(labels, value)) }
  }

  histogram(options: MetricOptions & { readonly buckets?: readonly number[] }): Histogram {
    const { buckets } = options
    const histogram = this.#make(
      options,
      (config) => new HistogramClass({ ...config, ...(buckets && { buckets: [...buckets] }) }),
    )
    const admit = this.#cap(options.name)
    return { observe: (value, labels = none) => void (admit(labels) && histogram.observe(labels, value)) }
  }

  /** Says that samples of `metric` were left out. */
  drop(metric: string): void {
    this.#dropped.inc(1, { metric })
  }

  /** What the client needs to make a metric of the table. */
  tableConfig(name: MetricName) {
    const row = metricsTable.find((candidate) => candidate.name === name)
    return this.#config({ name, help: row?.meaning ?? name, labels: row?.labels ?? [] })
  }

  #config({ name, help, labels = [] }: MetricOptions) {
    if (this.#registry.getSingleMetric(name) !== undefined) {
      throw new MedykError('ERR_METRIC', `there is a metric "${name}" in this registry already`, {
        hint: 'choose another name, or give each Health its own registry',
      })
    }
    return { name, help, labelNames: [...labels], registers: [this.#registry as unknown as ClientRegistry] }
  }

  #make<M>(options: MetricOptions, make: (config: ReturnType<ClientMetrics['tableConfig']>) => M): M {
    const config = this.#config(options)
    try {
      return make(config)
    } catch (error) {
      throw new MedykError('ERR_METRIC', `metric "${options.name}": ${messageOf(error)}`, {
        hint: 'names and labels are letters, digits and _, and every metric has a help text',
        cause: error,
      })
    }
  }

  #cap(metric: string): (labels: Labels) => boolean {
    const known = new Set<string>()
    return (labels) => {
      if (labels === none) return true
      const key = Object.entries(labels).map(String).sort().join('\u0000')
      if (known.has(key)) return true
      if (known.size >= MAX_SERIES) {
        this.drop(metric)
        return false
      }
      known.add(key)
      return true
    }
  }
}
