import type { Instance, InstanceStatus, ServiceSpec, Verdict } from '../model/index.ts'
import { isoOf } from '../model/index.ts'
import type {
  ApiEvent,
  EventLog,
  HealthReport,
  IncidentPage,
  IncidentQuery,
  IncidentRow,
  MonitorState,
  ProbeRow,
  ServiceDetail,
  ServiceRow,
} from '../server/index.ts'
import type { CoreState } from './core.ts'
import type { IncidentBook } from './incident-book.ts'
import type { ProbeSummary } from './shard-host.ts'

export interface ProjectionSources {
  core(): CoreState
  instances(): ReadonlyMap<string, Instance>
  summary(instance: string, probe: string): ProbeSummary | undefined
  readonly book: IncidentBook
  readonly events: EventLog
  health(probe: 'liveness' | 'readiness'): HealthReport
  metrics(): Promise<string>
  mono(): number
}

/** What the API shows, read from the core's own state at the moment of asking: there is no second truth to fall behind. */
export class Projection implements MonitorState {
  readonly #sources: ProjectionSources

  constructor(sources: ProjectionSources) {
    this.#sources = sources
  }

  services(): readonly ServiceRow[] {
    return [...this.#sources.core().diagnosis.services.keys()].flatMap((name) => this.row(name) ?? [])
  }

  row(name: string): ServiceRow | null {
    const record = this.#sources.core().diagnosis.services.get(name)
    if (!record) return null
    const { status, cause, reason, since } = record.view
    return {
      name,
      status,
      cause,
      reason,
      since,
      dependsOn: record.spec.dependsOn.map((edge) => edge.service),
      instances: this.#instancesOf(name).map((instance) => ({
        id: instance.id,
        kind: instance.kind,
        pid: instance.pid,
        status: statusOf(record.verdicts.get(instance.id)),
        startedAt: instance.startedAt,
        restarts: instance.restarts,
      })),
    }
  }

  service(name: string): ServiceDetail | null {
    const record = this.#sources.core().diagnosis.services.get(name)
    const row = this.row(name)
    if (!record || !row) return null
    const { symptom, incident } = record.view
    return { ...row, symptom, incident, probes: this.#probes(record.spec), budget: this.#budget(record.spec) }
  }

  async incidents(query: IncidentQuery): Promise<IncidentPage> {
    return this.#sources.book.page(query)
  }

  async incident(id: string): Promise<IncidentRow | null> {
    return this.#sources.book.get(id)
  }

  subscribe(listener: (event: ApiEvent) => void, since?: string): Disposable {
    return this.#sources.events.subscribe(listener, since)
  }

  health(probe: 'liveness' | 'readiness'): HealthReport {
    return this.#sources.health(probe)
  }

  metrics(): Promise<string> {
    return this.#sources.metrics()
  }

  #instancesOf(service: string): readonly Instance[] {
    return [...this.#sources.instances().values()].filter((instance) => instance.service === service)
  }

  #probes(spec: ServiceSpec): readonly ProbeRow[] {
    return this.#instancesOf(spec.name).flatMap((instance) =>
      spec.probes.map((probe) => {
        const last = this.#sources.summary(instance.id, probe.name)
        return {
          instance: instance.id,
          name: probe.name,
          role: probe.role,
          kind: probe.kind,
          intervalMs: probe.intervalMs,
          timeoutMs: probe.timeoutMs,
          lastOutcome: last?.lastOutcome ?? null,
          lastLatencyMs: last?.lastLatencyMs ?? null,
          lastAt: last?.lastAt == null ? null : isoOf(last.lastAt),
        }
      }),
    )
  }

  #budget(spec: ServiceSpec): ServiceDetail['budget'] {
    if (spec.runtime === null) return null
    const { recovery } = this.#sources.core()
    const since = this.#sources.mono() - spec.recovery.windowMs
    const used = (recovery.attempts.get(spec.name) ?? []).filter((at) => at > since).length
    const quarantined = recovery.quarantined.get(spec.name)
    return {
      attemptsUsed: used,
      attemptsAllowed: spec.recovery.attempts,
      windowSeconds: spec.recovery.windowMs / 1_000,
      quarantinedSince: quarantined ? isoOf(quarantined.sinceWall) : null,
    }
  }
}

const statusOf = (verdict: Verdict | undefined): InstanceStatus => verdict?.status ?? 'unknown'
