import type {
  ActionRow,
  ApiEvent,
  AuditRow,
  CoverageReport,
  HealthReport,
  IncidentDetail,
  IncidentPage,
  IncidentQuery,
  MaintenanceRow,
  RestartAccepted,
  ServiceDetail,
  ServiceRow,
} from './api.ts'

/**
 * What the server needs to know of the monitor. `app` implements it. The synchronous half reads memory; the promises may
 * ask the journal and are given a deadline by the server.
 */
export interface MonitorState {
  /** In the order in which they should be listed. */
  services(): readonly ServiceRow[]
  service(name: string): ServiceDetail | null
  /** Newest first. Rejects with MedykError ERR_CURSOR for a cursor that it did not hand out. */
  incidents(query: IncidentQuery): Promise<IncidentPage>
  incident(id: string): Promise<IncidentDetail | null>
  /**
   * Before it returns it calls `listener` with one `hello` and then, when `since` is still in the buffer, with everything
   * after it; from then on with every event. `EventLog` is a ready implementation.
   */
  subscribe(listener: (event: ApiEvent) => void, since?: string): Disposable
  /** The daemon itself: is it alive, may it be relied on. */
  health(probe: 'liveness' | 'readiness'): HealthReport
  /** Prometheus text format 0.0.4. */
  metrics(): Promise<string>
  coverage(): CoverageReport
  /** A service in the words that the library's services use of themselves; null: there is none of this name. */
  report(service: string, probe: 'liveness' | 'readiness'): HealthReport | null
  /** Prometheus text format 0.0.4; `up` is false while the service is unhealthy or unknown. */
  serviceMetrics(service: string): Promise<{ readonly text: string; readonly up: boolean } | null>
}

/** Who asks, as the audit names him: the role, and behind it whatever name he gives himself. */
export interface Request {
  readonly service: string
  readonly by: string
}

/**
 * What an operator may do. `app` implements it. Rejects with MedykError: ERR_UNKNOWN_SERVICE, ERR_NO_RUNTIME, ERR_NOT_RUNNING,
 * ERR_BUSY, ERR_MAINTENANCE (a wrong time), ERR_KEY_REUSED, or an error of the journal: then nothing was done.
 */
export interface MonitorCommands {
  /** Resolves when it holds and is on the disk. `until`: ISO 8601 UTC, at most 24 h away. */
  maintain(request: Request & { readonly reason: string; readonly until: string }): Promise<MaintenanceRow>
  /** Returns what still holds for the service. No error where there was none. */
  endMaintenance(request: Request): Promise<MaintenanceRow | null>
  /** All that hold now, one for each service. */
  maintenance(): readonly MaintenanceRow[]
  /** Resolves when it is certain to be done. `key`: the same one gives the same answer and is carried out once, for 24 h. */
  restart(request: Request & { readonly reason: string; readonly key: string | null }): Promise<RestartAccepted>
  action(id: string): Promise<ActionRow | null>
}

/** Where every change, allowed or refused, is written down. */
export interface AuditTrail {
  /** Resolves when the row is on the disk; rejects when it cannot be: then the change must not be made. */
  record(row: Omit<AuditRow, 'at' | 'count'>): Promise<void>
  /** Never rejects. Past 60 a minute refused ones are only counted, and told in one row. */
  refused(row: Omit<AuditRow, 'at' | 'count' | 'result'>): Promise<void>
  /** Newest first. */
  read(limit: number): Promise<readonly AuditRow[]>
}
