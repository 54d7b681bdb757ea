import {
  isMedykError,
  MedykError,
  messageOf,
  unfailing,
  withDeadline,
  type Clock,
  type Logger,
} from '@medyk/health/internal'
import { toRows } from './container-row.ts'
import { Containers } from './containers.ts'
import { EngineApi } from './engine-api.ts'
import { EventStream } from './event-stream.ts'
import { LOG_MARGIN_BYTES, readableTail } from './log-tail.ts'
import { Presence } from './presence.ts'
import { NEEDED_FOR } from './refusal.ts'
import type { ContainerEnd, ContainerView, DockerChange, DockerHost, DockerPermission, DockerSettings } from './view.ts'

const SWEEP_MS = 1_000
/** While Docker fails to answer. */
const RETRY_MS = 500
const LOOK_MS = 15_000
const LOGS_MS = 5_000
const MAX_LOG_BYTES = 1_048_576

const PROBED: readonly DockerPermission[] = ['start', 'stop', 'restart', 'unpause', 'logs']

export interface DockerHostContext {
  readonly clock: Clock
  readonly logger: Logger
  /** Open even if Docker does not answer: as lost, until it does. Default: reject. */
  readonly patient?: boolean
}

/**
 * Opens the shared view of a Docker host. Resolves after the first complete look. Rejects with MedykError ERR_RUNTIME when Docker
 * cannot be reached, and ERR_DENIED when `list` or `inspect` is forbidden.
 */
export async function openDockerHost(settings: DockerSettings, context: DockerHostContext): Promise<DockerHost> {
  return await Host.open(settings, context)
}

class Host implements DockerHost {
  readonly settings: DockerSettings
  readonly #clock: Clock
  readonly #logger: Logger
  readonly #api: EngineApi
  readonly #closed = new AbortController()
  readonly #listeners = new Set<(change: DockerChange) => void>()
  readonly #containers: Containers
  readonly #denied = new Map<DockerPermission, string>()
  readonly #presence: Presence
  #events: EventStream | null = null
  #nap = new AbortController()
  #sweeping: Promise<void> = Promise.resolve()

  private constructor(settings: DockerSettings, { clock, logger }: DockerHostContext) {
    this.settings = settings
    this.#clock = clock
    this.#logger = unfailing(logger)
    this.#api = new EngineApi(settings, clock)
    this.#containers = new Containers({
      clock,
      logger: this.#logger,
      inspect: (id) => this.#permitted('inspect', () => this.#api.inspect(id, this.#closed.signal)),
      history: (id, since, until) => this.#api.history(id, since, until, this.#closed.signal),
      historyAllowed: () => !this.#denied.has('events'),
      tell: (change) => this.#tell(change),
    })
    this.#presence = new Presence(clock, (reason) => {
      this.#logger.warn(
        { host: settings.host, reason },
        'Docker does not answer; its containers are unknown until it does',
      )
      this.#tell({ type: 'lost', reason })
    })
  }

  static async open(settings: DockerSettings, context: DockerHostContext): Promise<Host> {
    const host = new Host(settings, context)
    try {
      await host.#begin(context.patient === true)
      return host
    } catch (error) {
      await host[Symbol.asyncDispose]()
      throw error
    }
  }

  get lost() {
    return this.#presence.lost
  }

  get apiVersion(): string {
    return this.#api.version
  }

  get denied(): ReadonlyMap<DockerPermission, string> {
    return this.#denied
  }

  get containers(): ReadonlyMap<string, ContainerView> {
    return this.#containers.views
  }

  endOf(id: string): ContainerEnd | null {
    return this.#containers.endOf(id)
  }

  watch(listener: (change: DockerChange) => void): Disposable {
    const entry = (change: DockerChange) => listener(change)
    this.#listeners.add(entry)
    return { [Symbol.dispose]: () => void this.#listeners.delete(entry) }
  }

  async inspect(id: string, signal: AbortSignal): Promise<ContainerView> {
    signal.throwIfAborted()
    this.#closed.signal.throwIfAborted()
    const limits = { parent: signal, clock: this.#clock, what: `looking at container ${id.slice(0, 12)}`, unref: true }
    try {
      return await withDeadline(LOOK_MS, () => this.#containers.look(id), limits)
    } catch (error) {
      if (!isMedykError(error, 'ERR_DEADLINE')) throw error
      throw new MedykError('ERR_RUNTIME', error.message, { hint: 'dockerd may hang or be overloaded', cause: error })
    }
  }

  async start(id: string, signal: AbortSignal): Promise<void> {
    await this.#permitted('start', () => this.#api.start(id, this.#until(signal)))
  }

  async stop(id: string, graceMs: number, signal: AbortSignal): Promise<void> {
    await this.#permitted('stop', () => this.#api.stop(id, graceMs, this.#until(signal)))
  }

  async restart(id: string, graceMs: number, signal: AbortSignal): Promise<void> {
    await this.#permitted('restart', () => this.#api.restart(id, graceMs, this.#until(signal)))
  }

  async unpause(id: string, signal: AbortSignal): Promise<void> {
    await this.#permitted('unpause', () => this.#api.unpause(id, this.#until(signal)))
  }

  async logs(id: string, maxBytes: number, signal: AbortSignal): Promise<string> {
    const limit = Math.max(0, Math.min(maxBytes, MAX_LOG_BYTES))
    const what = `reading the output of container ${id.slice(0, 12)}`
    const raw = await this.#permitted('logs', () =>
      withDeadline(LOGS_MS, (inTime) => this.#api.logs(id, limit + LOG_MARGIN_BYTES, inTime), {
        parent: this.#until(signal),
        clock: this.#clock,
        what,
        unref: true,
      }),
    )
    return readableTail(raw, limit)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed.abort(new MedykError('ERR_RUNTIME', 'the view of the Docker host is closed'))
    this.#nap.abort()
    this.#listeners.clear()
    this.#presence[Symbol.dispose]()
    this.#containers[Symbol.dispose]()
    await this.#events?.[Symbol.asyncDispose]()
    await this.#sweeping
    this.#api.close()
  }

  async #begin(patient: boolean): Promise<void> {
    try {
      await this.#api.negotiate(this.#closed.signal)
      await this.#probePermissions()
    } catch (error) {
      if (!patient || isMedykError(error, 'ERR_DENIED')) throw error
      this.#presence.lose(messageOf(error))
    }
    this.#events = new EventStream({
      api: this.#api,
      clock: this.#clock,
      logger: this.#logger,
      onEvent: (event) => this.#containers.note(event),
      onConnected: () => {
        this.#denied.delete('events')
        // What was missed is looked for at once.
        this.#nap.abort()
      },
      onDenied: () => this.#deny('events'),
    })
    if (this.#presence.lost === null) {
      // First the stream: what changes while the list is read is then told by it.
      await this.#events.tried
      const problem = await this.#sweep()
      if (problem !== null && (!patient || isMedykError(problem, 'ERR_DENIED'))) throw problem
    }
    this.#sweeping = this.#sweepOn()
  }

  async #sweepOn(): Promise<void> {
    while (!this.#closed.signal.aborted) {
      const began = this.#clock.mono()
      const problem = await this.#sweep()
      if (this.#closed.signal.aborted) return
      const pause = (problem === null ? SWEEP_MS : RETRY_MS) - (this.#clock.mono() - began)
      this.#nap = new AbortController()
      await this.#clock.sleep(Math.max(50, pause), this.#nap.signal).catch(() => {})
    }
  }

  /** Compares all that is with what is known. Gives what has gone wrong; never rejects. */
  async #sweep(): Promise<unknown> {
    try {
      const rows = await this.#presence.during(async () => {
        if (this.#presence.lost !== null) await this.#api.negotiate(this.#closed.signal)
        return toRows(await this.#api.list(this.#closed.signal))
      })
      if (this.#presence.lost !== null) this.#back()
      const results = await Promise.allSettled(this.#containers.due(rows).map((id) => this.#containers.look(id)))
      const failed = results.find((one) => one.status === 'rejected' && !isMedykError(one.reason, 'ERR_NO_INSTANCE'))
      return failed?.status === 'rejected' ? failed.reason : null
    } catch (error) {
      return error
    }
  }

  #back(): void {
    this.#presence.found()
    this.#logger.info({ host: this.settings.host, apiVersion: this.apiVersion }, 'Docker answers again')
    this.#tell({ type: 'back' })
    this.#containers.doubt()
    this.#events?.restart()
    void this.#probePermissions().catch((error: unknown) => {
      this.#logger.debug({ err: messageOf(error) }, 'cannot find out what is permitted')
    })
  }

  async #probePermissions(): Promise<void> {
    await Promise.all(
      PROBED.map(async (permission) => {
        if (await this.#api.allows(permission, this.#closed.signal)) this.#denied.delete(permission)
        else this.#deny(permission)
      }),
    )
  }

  async #permitted<T>(permission: DockerPermission, work: () => Promise<T>): Promise<T> {
    try {
      return await work()
    } catch (error) {
      if (isMedykError(error, 'ERR_DENIED')) this.#deny(permission)
      throw error
    }
  }

  #deny(permission: DockerPermission): void {
    if (this.#denied.has(permission)) return
    this.#denied.set(permission, NEEDED_FOR[permission])
    this.#logger.warn({ permission, therefore: NEEDED_FOR[permission] }, "Docker's API does not allow a call")
  }

  #until(signal: AbortSignal): AbortSignal {
    return AbortSignal.any([signal, this.#closed.signal])
  }

  #tell(change: DockerChange): void {
    for (const listener of this.#listeners) {
      try {
        listener(change)
      } catch (error) {
        this.#logger.error({ err: messageOf(error) }, 'a listener of the Docker host threw')
      }
    }
  }
}
