import { MedykError, messageOf } from '@medyk/health/internal'
import type { IncidentPage, IncidentRow, ServiceList } from '../server/index.ts'

/** A command that hangs is worse than one that fails. */
const TIMEOUT_MS = 5_000

/** Reads the daemon's API. Errors say where it was looked for and what to do. */
export class ApiClient {
  readonly #base: string

  constructor(base: string) {
    this.#base = base.replace(/\/+$/, '')
  }

  services = () => this.#get<ServiceList>('/api/v1/services')
  incidents = (limit: number) => this.#get<IncidentPage>(`/api/v1/incidents?limit=${limit}`)
  openIncidents = () => this.#get<IncidentPage>('/api/v1/incidents?limit=200&state=open')
  incident = (id: string) => this.#get<IncidentRow>(`/api/v1/incidents/${encodeURIComponent(id)}`)

  async #get<T>(path: string): Promise<T> {
    const response = await this.#fetch(path)
    const body: unknown = await response.json().catch(() => null)
    if (response.ok && body !== null) return body as T
    const detail = (body as { detail?: string } | null)?.detail
    throw new MedykError('ERR_API', detail ?? `${this.#base}${path} answered ${response.status}`)
  }

  async #fetch(path: string): Promise<Response> {
    try {
      return await fetch(this.#base + path, { signal: AbortSignal.timeout(TIMEOUT_MS), redirect: 'error' })
    } catch (error) {
      const cause = error instanceof Error ? (error.cause ?? error) : error
      throw new MedykError('ERR_NO_DAEMON', `no Medyk daemon answers at ${this.#base}: ${messageOf(cause)}`, {
        hint: 'start one with `npm start` or `medyk serve`, or say where it is with --url or MEDYK_URL',
        cause: error,
      })
    }
  }
}

/** Where the daemon is: flag, MEDYK_URL, MEDYK_PORT, default. */
export function apiBase(flag: string | undefined, env: NodeJS.ProcessEnv): string {
  return flag ?? env['MEDYK_URL'] ?? `http://127.0.0.1:${env['MEDYK_PORT'] ?? 7700}`
}
