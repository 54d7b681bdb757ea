import { Counter, Gauge, Histogram, Registry } from '@prometheus-io/client'
import { wallOf, type Action, type ActionOutcome, type DerivedEvent } from '../model/index.ts'
import type { ServiceRow } from '../server/index.ts'

const STATUSES = ['healthy', 'degraded', 'unhealthy', 'starting', 'unknown'] as const
const CAUSES = ['self', 'dependency', 'host', 'observer', 'operator'] as const
/** Seconds; around the gates of 2, 3.6, 5, 6 and 30 s. */
const BUCKETS = [0.1, 0.25, 0.5, 1, 2, 3, 3.6, 5, 6, 8, 10, 15, 30, 60, 120]

export interface DaemonMetrics {
  /** Counters of a service start at 0, so that their first increase is seen. A quarantine may be of a former life. */
  declare(service: string, isQuarantined: boolean): void
  take(event: DerivedEvent): void
  actionFinished(action: Action, outcome: ActionOutcome): void
  observer(unwell: boolean): void
  probing(attempts: number, latenessP99Ms: number): void
  render(services: readonly ServiceRow[], coverageRatio: number): Promise<string>
}

/** The daemon's own metrics: base units, bounded labels (service, cause, kind, result; never an id or a text). */
export function createMetrics(version: string): DaemonMetrics {
  const registers = [new Registry()]
  const [registry] = registers as [Registry]
  const counter = <L extends string>(name: string, help: string, labelNames: L[] = []) =>
    new Counter({ name, help, labelNames, registers })
  const gauge = <L extends string>(name: string, help: string, labelNames: L[] = []) =>
    new Gauge({ name, help, labelNames, registers })
  const histogram = (name: string, help: string) => new Histogram({ name, help, buckets: BUCKETS, registers })

  gauge('medyk_build_info', 'Constant 1; the version is the label', ['version']).set({ version }, 1)
  const status = gauge('medyk_service_status', '1 for the status that the service is in, else 0', ['service', 'status'])
  const incidents = counter('medyk_incidents_total', 'Incidents opened, by root and cause', ['service', 'cause'])
  const actions = counter('medyk_actions_total', 'Actions carried out', ['service', 'kind', 'result'])
  const quarantined = gauge('medyk_service_quarantined', '1 while the budget is spent', ['service'])
  const detection = histogram('medyk_detection_seconds', 'From the first evidence to the verdict')
  const recovery = histogram('medyk_recovery_seconds', 'From the verdict to verified health')
  const observer = gauge('medyk_observer_unwell', '1 while Medyk does not trust its own eyes')
  const attempts = counter('medyk_probe_attempts_total', 'Probe attempts, hedges included')
  const lateness = gauge('medyk_probe_lateness_seconds', 'How late probes started in the last second, 99th percentile')

  const coverage = gauge('medyk_coverage_ratio', 'Services of which something that they do is examined, of all')

  const seconds = (from: string, to: string) => Math.max(0, (wallOf(to) - wallOf(from)) / 1_000)

  return {
    declare(service, isQuarantined) {
      for (const cause of CAUSES) incidents.inc({ service, cause }, 0)
      quarantined.set({ service }, isQuarantined ? 1 : 0)
    },
    take(event) {
      if (event.type === 'incident.opened') {
        const { service, cause, openedAt, detectedAt } = event.incident
        incidents.inc({ service, cause })
        detection.observe(seconds(openedAt, detectedAt))
      }
      if (event.type === 'incident.recovered' && event.incident.recoveredAt !== null) {
        recovery.observe(seconds(event.incident.detectedAt, event.incident.recoveredAt))
      }
      if (event.type === 'service.quarantined') quarantined.set({ service: event.service }, 1)
      if (event.type === 'service.released') quarantined.set({ service: event.service }, 0)
    },
    actionFinished(action, outcome) {
      actions.inc({ service: action.service, kind: action.kind, result: outcome.result })
    },
    observer: (unwell) => observer.set(unwell ? 1 : 0),
    probing(count, latenessP99Ms) {
      attempts.inc(count)
      lateness.set(latenessP99Ms / 1_000)
    },
    async render(services, coverageRatio) {
      coverage.set(coverageRatio)
      for (const row of services) {
        for (const name of STATUSES) status.set({ service: row.name, status: name }, row.status === name ? 1 : 0)
      }
      return await registry.metrics()
    },
  }
}
