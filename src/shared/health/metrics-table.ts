export interface MetricRow {
  readonly name: string
  readonly type: 'counter' | 'gauge' | 'histogram'
  readonly unit: 'seconds' | 'none'
  readonly labels: readonly string[]
  readonly meaning: string
}

/** Every metric that the library exports by itself. Code, documentation and alert rules are tested against this table. */
export const metricsTable = [
  {
    name: 'health_status',
    type: 'gauge',
    unit: 'none',
    labels: ['probe', 'status'],
    meaning:
      'What /health (liveness), /ready (readiness) and /startup (startup) answer: 1 for the current status, else 0',
  },
  {
    name: 'health_check_status',
    type: 'gauge',
    unit: 'none',
    labels: ['check', 'status'],
    meaning: 'Status of a check: 1 for the current status, else 0; all 0 before the first result',
  },
  {
    name: 'health_check_runs_total',
    type: 'counter',
    unit: 'none',
    labels: ['check', 'result'],
    meaning: 'Runs of a check by result: healthy, degraded, unhealthy or timeout',
  },
  {
    name: 'health_check_duration_seconds',
    type: 'histogram',
    unit: 'seconds',
    labels: ['check'],
    meaning: 'How long the runs of a check took; a run that timed out counts with its time-out',
  },
  {
    name: 'health_info',
    type: 'gauge',
    unit: 'none',
    labels: ['service', 'version'],
    meaning: 'Always 1; carries the name and the version of the service',
  },
  {
    name: 'health_start_timestamp_seconds',
    type: 'gauge',
    unit: 'seconds',
    labels: [],
    meaning: 'When the service began to watch its health, in seconds since the Unix epoch',
  },
  {
    name: 'health_series_dropped_total',
    type: 'counter',
    unit: 'none',
    labels: ['metric'],
    meaning: 'Samples that were not exported because their metric has as many series as it may have',
  },
] as const satisfies readonly MetricRow[]

export type MetricName = (typeof metricsTable)[number]['name']
