import type {
  ApiEvent,
  HealthReport,
  IncidentPage,
  IncidentQuery,
  IncidentRow,
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
  incident(id: string): Promise<IncidentRow | null>
  /**
   * Before it returns it calls `listener` with one `hello` and then, when `since` is still in the buffer, with everything
   * after it; from then on with every event. `EventLog` is a ready implementation.
   */
  subscribe(listener: (event: ApiEvent) => void, since?: string): Disposable
  /** The daemon itself: is it alive, may it be relied on. */
  health(probe: 'liveness' | 'readiness'): HealthReport
  /** Prometheus text format 0.0.4. */
  metrics(): Promise<string>
}
