/** A registry of a Prometheus client (`@prometheus-io/client`, `prom-client`) to add the metrics to. */
export interface MetricsRegistry {
  readonly contentType: string
  metrics(): Promise<string>
  registerMetric(metric: never): void
  getSingleMetric(name: string): unknown
}

/** Label values; bounded sets only, never ids, addresses or messages. */
export type Labels = Readonly<Record<string, string | number>>

export interface Counter {
  /** Adds `by` (default 1, not negative). */
  inc(by?: number, labels?: Labels): void
}

export interface Gauge {
  set(value: number, labels?: Labels): void
}

export interface Histogram {
  observe(value: number, labels?: Labels): void
}

export interface MetricOptions {
  readonly name: string
  readonly help: string
  readonly labels?: readonly string[]
}

/** The library's own metrics and those that a service adds, in one registry. */
export interface Metrics {
  readonly contentType: string
  /** Everything in Prometheus' text format. Scrapes at the same time share one rendering. */
  text(): Promise<string>
  /** Counters end in `_total`. Throws `ERR_METRIC` for a bad or taken name. */
  counter(options: MetricOptions): Counter
  /** With `read` the value is asked for at each scrape; such a gauge has no labels. Throws `ERR_METRIC`. */
  gauge(options: MetricOptions & { readonly read?: () => number }): Gauge
  /** `buckets` are upper bounds in the metric's unit; default: 5 ms to 10 s, for seconds. Throws `ERR_METRIC`. */
  histogram(options: MetricOptions & { readonly buckets?: readonly number[] }): Histogram
}
