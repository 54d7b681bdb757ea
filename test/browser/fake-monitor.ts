import { MedykError } from '@medyk/health/internal'
import {
  createEventLog,
  type EventLog,
  type HealthReport,
  type IncidentRow,
  type MonitorState,
  type ObserverState,
  type ServiceRow,
} from '../../src/monitor/server/index.ts'
import type { Scenario } from './scenarios.ts'

/** A `MonitorState` over plain maps. Every setter publishes what changed, as the daemon does. */
export interface FakeMonitor extends MonitorState {
  readonly log: EventLog
  readonly subscribers: number
  setService(row: ServiceRow): void
  setIncident(row: IncidentRow): void
  setObserver(state: ObserverState): void
  /** Everything is replaced and everybody told to fetch anew. */
  load(scenario: Scenario): void
}

export function createFakeMonitor(first: Scenario, options: { epoch?: string; capacity?: number } = {}): FakeMonitor {
  const log = createEventLog({
    epoch: options.epoch ?? 'test',
    version: '0.1.0',
    wall: Date.now,
    capacity: options.capacity ?? 64,
  })
  let services = new Map<string, ServiceRow>()
  let incidents = new Map<string, IncidentRow>()
  let subscribers = 0
  const fill = (next: Scenario) => {
    services = new Map(next.services.map((row) => [row.name, row]))
    incidents = new Map(next.incidents.map((row) => [row.id, row]))
  }
  fill(first)

  return {
    log,
    get subscribers() {
      return subscribers
    },
    services: () => [...services.values()],

    service(name) {
      const row = services.get(name)
      if (!row) return null
      const open = [...incidents.values()].find((incident) => incident.service === name && incident.closedAt === null)
      return {
        ...row,
        symptom: open?.symptom ?? null,
        incident: open?.id ?? null,
        probes: row.instances.map((instance) => ({
          instance: instance.id,
          name: 'http',
          role: 'liveness' as const,
          kind: 'http',
          intervalMs: 1_000,
          timeoutMs: 1_300,
          lastOutcome: row.status === 'healthy' ? ('ok' as const) : ('explicit' as const),
          lastLatencyMs: row.status === 'healthy' ? 4.2 : null,
          lastAt: new Date().toISOString(),
        })),
        budget: {
          attemptsUsed: open?.actions.length ?? 0,
          attemptsAllowed: 5,
          windowSeconds: 600,
          quarantinedSince: open?.quarantinedSince ?? null,
        },
      }
    },

    async incidents({ limit, cursor, service, state }) {
      const all = [...incidents.values()]
        .filter((row) => service === undefined || row.service === service)
        .filter((row) => state === 'all' || (row.closedAt === null) === (state === 'open'))
        .sort((a, b) => Date.parse(b.openedAt) - Date.parse(a.openedAt))
      const start = cursor === undefined ? 0 : all.findIndex((row) => row.id === cursor)
      if (start < 0) throw new MedykError('ERR_CURSOR', 'this cursor is not one that was handed out')
      return { incidents: all.slice(start, start + limit), nextCursor: all[start + limit]?.id ?? null }
    },
    async incident(id) {
      const row = incidents.get(id)
      return row ? { ...row, story: [], forensics: null } : null
    },

    subscribe(listener, since) {
      const subscription = log.subscribe(listener, since)
      subscribers++
      return {
        [Symbol.dispose]() {
          subscribers--
          subscription[Symbol.dispose]()
        },
      }
    },

    health: (probe): HealthReport => ({
      status: 'healthy',
      timestamp: new Date().toISOString(),
      service: 'medyk',
      version: '0.1.0',
      checks: { [probe === 'liveness' ? 'event-loop' : 'journal']: 'healthy' },
      metadata: { uptime_seconds: 42, last_error: null },
    }),
    metrics: async () => '# TYPE medyk_up gauge\nmedyk_up 1\n',
    coverage() {
      const rows = [...services.keys()].map((name) => ({
        service: name,
        level: 'checked' as const,
        probe: `GET http://${name}/health`,
        derivedFrom: 'the config file',
        note: null,
      }))
      return { ratio: 1, checked: rows.length, total: rows.length, rows }
    },
    report(name, probe) {
      const row = services.get(name)
      if (!row) return null
      return {
        ...this.health(probe),
        service: name,
        status: row.status === 'healthy' || row.status === 'degraded' ? row.status : 'unhealthy',
        metadata: { uptime_seconds: 42, last_error: row.reason },
      }
    },
    async serviceMetrics(name) {
      const report = this.report(name, 'liveness')
      return report && { text: 'health_up 1\n', up: report.status !== 'unhealthy' }
    },

    setService(row) {
      services.set(row.name, row)
      log.publish({ type: 'service', data: row })
    },
    setIncident(row) {
      incidents.set(row.id, row)
      log.publish({ type: 'incident', data: row })
    },
    setObserver: (state) => log.publish({ type: 'observer', data: state }),
    load(next) {
      fill(next)
      log.reset()
    },
  }
}
