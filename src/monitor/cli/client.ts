import { setTimeout as sleep } from 'node:timers/promises'
import { isMedykError, MedykError, messageOf } from '@medyk/health/internal'
import type {
  ActionRow,
  AuditPage,
  CoverageReport,
  IncidentDetail,
  IncidentPage,
  MaintenanceList,
  MaintenanceRow,
  Problem,
  RestartAccepted,
  ServiceList,
} from '../server/index.ts'

/** A command that hangs is worse than one that fails. */
const TIMEOUT_MS = 5_000
/** Pauses before a request that may safely be made twice is made again. */
const RETRIES_MS = [200, 1_000, 3_000]

/** Asks the daemon's API. Errors say where it was looked for and what to do. */
export class ApiClient {
  readonly #base: string
  readonly #token: string | null

  constructor(base: string, token: string | null = null) {
    this.#base = base.replace(/\/+$/, '')
    this.#token = token
  }

  services = () => this.#get<ServiceList>('/api/v1/services')
  incidents = (limit: number) => this.#get<IncidentPage>(`/api/v1/incidents?limit=${limit}`)
  openIncidents = () => this.#get<IncidentPage>('/api/v1/incidents?limit=200&state=open')
  incident = (id: string) => this.#get<IncidentDetail>(`/api/v1/incidents/${encodeURIComponent(id)}`)
  coverage = () => this.#get<CoverageReport>('/api/v1/coverage')
  audit = (limit: number) => this.#get<AuditPage>(`/api/v1/audit?limit=${limit}`)
  maintenance = () => this.#get<MaintenanceList>('/api/v1/maintenance')
  action = (id: string) => this.#get<ActionRow>(`/api/v1/actions/${encodeURIComponent(id)}`)

  startMaintenance = (service: string, body: { reason: string; for: string; by?: string }) =>
    this.#request<MaintenanceRow>('POST', `${serviceAt(service)}/maintenance`, { body })
  endMaintenance = (service: string, body: { by?: string }) =>
    this.#request<{ maintenance: MaintenanceRow | null }>('DELETE', `${serviceAt(service)}/maintenance`, { body })

  /** With the same key it is done once, so it is asked for again when no answer comes. */
  async restart(service: string, body: { reason: string; by?: string }, key: string): Promise<RestartAccepted> {
    const headers = { 'idempotency-key': key }
    for (const ms of RETRIES_MS) {
      try {
        return await this.#request<RestartAccepted>('POST', `${serviceAt(service)}/restart`, { body, headers })
      } catch (error) {
        if (!isMedykError(error, 'ERR_NO_DAEMON') && !isMedykError(error, 'ERR_API_AGAIN')) throw error
        await sleep(ms)
      }
    }
    return await this.#request<RestartAccepted>('POST', `${serviceAt(service)}/restart`, { body, headers })
  }

  #get<T>(path: string): Promise<T> {
    return this.#request<T>('GET', path)
  }

  async #request<T>(
    method: string,
    path: string,
    { body, headers = {} }: { readonly body?: object; readonly headers?: Readonly<Record<string, string>> } = {},
  ): Promise<T> {
    const sent = new Headers(headers)
    if (this.#token !== null) sent.set('authorization', `Bearer ${this.#token}`)
    if (body !== undefined) sent.set('content-type', 'application/json')
    const response = await this.#fetch(path, {
      method,
      headers: sent,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    const answer: unknown = await response.json().catch(() => null)
    if (response.ok && answer !== null) return answer as T
    const problem = answer as Partial<Problem> | null
    const issues = (problem?.issues ?? []).map((issue) => [issue.path, issue.message].filter(Boolean).join(': '))
    const detail = problem?.detail ?? `${this.#base}${path} answered ${response.status}`
    const code = response.status >= 500 ? 'ERR_API_AGAIN' : 'ERR_API'
    const hint = problem?.hint === undefined ? {} : { hint: problem.hint }
    throw new MedykError(code, [detail, ...issues].join('; '), hint)
  }

  async #fetch(path: string, init: RequestInit): Promise<Response> {
    try {
      return await fetch(this.#base + path, { ...init, signal: AbortSignal.timeout(TIMEOUT_MS), redirect: 'error' })
    } catch (error) {
      const cause = error instanceof Error ? (error.cause ?? error) : error
      throw new MedykError('ERR_NO_DAEMON', `no Medyk daemon answers at ${this.#base}: ${messageOf(cause)}`, {
        hint: 'start one with `npm start` or `medyk serve`, or say where it is with --url or MEDYK_URL',
        cause: error,
      })
    }
  }
}

const serviceAt = (name: string) => `/api/v1/services/${encodeURIComponent(name)}`

/** Where the daemon is: flag, MEDYK_URL, MEDYK_PORT, default. */
export function apiBase(flag: string | undefined, env: NodeJS.ProcessEnv): string {
  return flag ?? env['MEDYK_URL'] ?? `http://127.0.0.1:${env['MEDYK_PORT'] ?? 7700}`
}
