import type { IncomingMessage } from 'node:http'
import { MedykError, type Clock } from '@medyk/health/internal'
import { LogTail } from './log-tail.ts'
import { refusal, type Asked } from './refusal.ts'
import { DockerTransport, type Answer } from './transport.ts'
import { record, text } from './untrusted.ts'
import type { DockerPermission, DockerSettings } from './view.ts'

/** The newest version whose answers were read when this was written, and the oldest that has all that is used here. */
const NEWEST = '1.41'
const OLDEST = '1.24'
/** Every engine that may refuse 1.41 accepts this one. */
const FALLBACK = '1.44'

const CALL_MS = 5_000
/** Beyond the grace: Docker may take that long from SIGKILL to the end of a restart. */
const ACTION_MS = 20_000
const START_MS = 30_000
const MIB = 1_048_576
const LIST_BYTES = 16 * MIB
const INSPECT_BYTES = 4 * MIB
const HISTORY_BYTES = 2 * MIB
const SMALL_BYTES = 65_536

/** Only what changes something that is kept of a container; health checks by exec would be three events a second each. */
const EVENTS = 'create start restart die oom kill stop pause unpause rename update destroy health_status'.split(' ')

/** The ten endpoints of the Docker Engine API that Medyk uses. Errors are MedykError, see `refusal`. */
export class EngineApi {
  readonly #transport: DockerTransport
  #version = ''

  constructor(settings: DockerSettings, clock: Clock) {
    this.#transport = new DockerTransport(settings, clock)
  }

  /** Such as `1.41`; empty before `negotiate`. */
  get version(): string {
    return this.#version
  }

  /** Agrees on a version with the engine that is there now; it may be another after every loss. */
  async negotiate(signal?: AbortSignal): Promise<string> {
    const limits = { deadlineMs: CALL_MS, maxBytes: SMALL_BYTES, signal }
    const ping = await this.#transport.call('GET', '/_ping', limits)
    if (ping.status !== 200) throw refusal(ping.status, ping.body, { permission: null, id: null })
    const said = await this.#transport.call('GET', '/version', limits)
    const version = said.status === 200 ? record(jsonOf(said.body)) : {}
    const newest = versionIn(ping.headers['api-version']) ?? versionIn(version.ApiVersion)
    this.#version = agree(newest, versionIn(version.MinAPIVersion))
    return this.#version
  }

  async list(signal?: AbortSignal): Promise<unknown> {
    const limits = { deadlineMs: CALL_MS, maxBytes: LIST_BYTES, signal }
    return jsonOf(await this.#call('GET', '/containers/json?all=1', { permission: null, id: null }, limits))
  }

  async inspect(id: string, signal?: AbortSignal): Promise<unknown> {
    const limits = { deadlineMs: CALL_MS, maxBytes: INSPECT_BYTES, signal }
    return jsonOf(await this.#call('GET', `${pathOf(id)}/json`, { permission: 'inspect', id }, limits))
  }

  /** Events from `since` on (engine time, Unix ms; null: from now on) and for as long as the signal does not abort. */
  async events(since: number | null, signal: AbortSignal): Promise<IncomingMessage> {
    const filters = encodeURIComponent(JSON.stringify({ type: ['container'], event: EVENTS }))
    const from = since === null ? '' : `&since=${seconds(since)}`
    const response = await this.#transport.stream(
      `/v${this.#version}/events?filters=${filters}${from}`,
      CALL_MS,
      signal,
    )
    if (response.statusCode === 200) return response
    response.destroy()
    throw refusal(response.statusCode ?? 0, Buffer.alloc(0), { permission: 'events', id: null })
  }

  /** What the engine still remembers of one container between two times of its own (Unix ms). */
  async history(id: string, since: number, until: number, signal?: AbortSignal): Promise<string> {
    const filters = encodeURIComponent(JSON.stringify({ type: ['container'], container: [id], event: EVENTS }))
    const path = `/events?filters=${filters}&since=${seconds(since)}&until=${seconds(until)}`
    const limits = { deadlineMs: CALL_MS, maxBytes: HISTORY_BYTES, signal }
    return (await this.#call('GET', path, { permission: 'events', id: null }, limits)).toString('utf8')
  }

  async start(id: string, signal?: AbortSignal): Promise<void> {
    await this.#act(id, 'start', '', START_MS, signal)
  }

  async stop(id: string, graceMs: number, signal?: AbortSignal): Promise<void> {
    await this.#act(id, 'stop', `?t=${wholeSeconds(graceMs)}`, graceMs + ACTION_MS, signal)
  }

  async restart(id: string, graceMs: number, signal?: AbortSignal): Promise<void> {
    await this.#act(id, 'restart', `?t=${wholeSeconds(graceMs)}`, graceMs + ACTION_MS, signal)
  }

  async unpause(id: string, signal?: AbortSignal): Promise<void> {
    await this.#act(id, 'unpause', '', CALL_MS, signal)
  }

  /** At most `maxBytes` of the end of the output of both streams, raw. */
  async logs(id: string, maxBytes: number, signal: AbortSignal): Promise<Buffer> {
    const tail = new LogTail(maxBytes)
    const path = `/v${this.#version}${pathOf(id)}/logs?stdout=1&stderr=1&tail=${tail.lines}`
    const response = await this.#transport.stream(path, CALL_MS, signal)
    if (response.statusCode === 200) return await tail.read(response)
    response.destroy()
    throw refusal(response.statusCode ?? 0, Buffer.alloc(0), { permission: 'logs', id })
  }

  /** Whether the engine, or a proxy before it, lets a call through; asked of a container that cannot exist. */
  async allows(permission: DockerPermission, signal?: AbortSignal): Promise<boolean> {
    const limits = { deadlineMs: CALL_MS, maxBytes: SMALL_BYTES, signal }
    const method = permission === 'inspect' || permission === 'logs' ? 'GET' : 'POST'
    const call = permission === 'inspect' ? 'json' : permission === 'logs' ? 'logs?stdout=1&tail=1' : permission
    const path = `/v${this.#version}${pathOf(NOBODY)}/${call}`
    return (await this.#transport.call(method, path, limits)).status !== 403
  }

  close(): void {
    this.#transport.close()
  }

  async #act(id: string, action: DockerPermission, query: string, deadlineMs: number, signal?: AbortSignal) {
    const limits = { deadlineMs, maxBytes: SMALL_BYTES, signal, long: true }
    await this.#call('POST', `${pathOf(id)}/${action}${query}`, { permission: action, id }, limits)
  }

  async #call(
    method: 'GET' | 'POST',
    path: string,
    asked: Asked,
    limits: Parameters<DockerTransport['call']>[2],
  ): Promise<Buffer> {
    const { status, body }: Answer = await this.#transport.call(method, `/v${this.#version}${path}`, limits)
    // 304: it is so already.
    if (status < 400 && status !== 0) return body
    throw refusal(status, body, asked)
  }
}

const NOBODY = '0'.repeat(64)

/** The version to speak with an engine that speaks `newest` at most and `oldest` at least; null: it does not say. */
export function agree(newest: string | null, oldest: string | null): string {
  if (newest !== null && compare(newest, OLDEST) < 0) {
    throw new MedykError('ERR_RUNTIME', `this Docker engine speaks API ${newest}; Medyk needs ${OLDEST} or later`, {
      hint: 'install Docker 1.12 or later',
    })
  }
  const ours = newest !== null && compare(newest, NEWEST) < 0 ? newest : NEWEST
  if (oldest !== null) return compare(oldest, ours) > 0 ? oldest : ours
  return newest !== null && compare(newest, FALLBACK) >= 0 ? FALLBACK : ours
}

function compare(a: string, b: string): number {
  const [majorA = 0, minorA = 0] = a.split('.').map(Number)
  const [majorB = 0, minorB = 0] = b.split('.').map(Number)
  return majorA - majorB || minorA - minorB
}

function versionIn(value: unknown): string | null {
  const said = text(value, 20)
  return /^\d{1,3}\.\d{1,4}$/.test(said) ? said : null
}

/** An id comes from Docker or from a caller: never may it lead to another endpoint. */
function pathOf(id: string): string {
  return `/containers/${encodeURIComponent(id)}`
}

const wholeSeconds = (ms: number) => Math.ceil(Math.max(0, ms) / 1_000)
const seconds = (ms: number) => (ms / 1_000).toFixed(3)

function jsonOf(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'))
  } catch (error) {
    throw new MedykError('ERR_RUNTIME', "Docker's answer is not JSON", {
      hint: 'see what is behind that address',
      cause: error,
    })
  }
}
