import type { Journal } from '../journal/index.ts'
import type { CoverageRow, Instance, InstanceStatus, ServiceSpec, Verdict } from '../model/index.ts'
import { isoOf } from '../model/index.ts'
import type {
  ApiEvent,
  CoverageReport,
  EventLog,
  Forensics,
  HealthReport,
  IncidentPage,
  IncidentDetail,
  IncidentQuery,
  MonitorState,
  ProbeRow,
  ServiceDetail,
  ServiceRow,
} from '../server/index.ts'
import type { CoreState } from './core.ts'
import { coverageReport } from './coverage.ts'
import { journaledRow, type IncidentBook } from './incident-book.ts'
import { storyOf } from './incident-story.ts'
import { serviceMetrics } from './service-metrics.ts'
import { serviceReport, type ServiceFacts } from './service-report.ts'
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
  wall(): number
  readonly journal: Pick<Journal, 'incident' | 'eventsOf' | 'forensics'>
  /** Rows of what discovery found. Absent: everything was configured by hand. */
  coverage?(): readonly CoverageRow[]
}

/** Events of one incident that a story is made of. */
const STORY_EVENTS = 500

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

  async incident(id: string): Promise<IncidentDetail | null> {
    const { book, journal } = this.#sources
    const recent = book.get(id)
    const old = recent ? null : await journal.incident(id)
    const row = recent ?? (old && journaledRow(old))
    if (!row) return null
    // A journal that does not answer costs the details, not what is in memory.
    const [record, forensics] = await Promise.all([
      journal.eventsOf(id, STORY_EVENTS).catch(() => []),
      journal.forensics(id).catch(() => null),
    ])
    return { ...row, story: storyOf(row, record), forensics: forensics as Forensics | null }
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

  coverage(): CoverageReport {
    const services = [...this.#sources.core().diagnosis.services.values()]
    return coverageReport(
      services.map(({ spec, view }) => ({ spec, symptom: view.symptom, reason: view.reason })),
      this.#sources.coverage?.() ?? [],
    )
  }

  report(name: string, probe: 'liveness' | 'readiness'): HealthReport | null {
    const facts = this.#facts(name)
    return facts && serviceReport(facts, probe)
  }

  async serviceMetrics(name: string): Promise<{ readonly text: string; readonly up: boolean } | null> {
    const facts = this.#facts(name)
    return facts && (await serviceMetrics(facts))
  }

  #facts(name: string): ServiceFacts | null {
    const { services } = this.#sources.core().diagnosis
    const record = services.get(name)
    const service = this.service(name)
    if (!record || !service) return null
    return {
      service,
      verdicts: record.verdicts,
      dependencies: new Map(
        record.spec.dependsOn.map((edge) => [edge.service, services.get(edge.service)?.view.status ?? 'unknown']),
      ),
      version: this.#versionOf(record.spec),
      wall: this.#sources.wall(),
    }
  }

  /** What it says itself goes before what its runtime knows. */
  #versionOf(spec: ServiceSpec): string | null {
    const instances = this.#instancesOf(spec.name)
    const reported = instances.flatMap(({ id }) =>
      spec.probes.flatMap((probe) => this.#sources.summary(id, probe.name)?.version ?? []),
    )
    return reported[0] ?? instances.find(({ version }) => version !== undefined)?.version ?? null
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
