import {
  isMedykError,
  MedykError,
  messageOf,
  unfailing,
  withDeadline,
  type Clock,
  type Logger,
} from '@medyk/health/internal'
import { endsARun, runs, tellings } from './changes.ts'
import { hasChanged, toRows, type ContainerRow } from './container-row.ts'
import { isContainerId, toContainerView } from './container-view.ts'
import { EngineApi } from './engine-api.ts'
import { EventLines, type ContainerEvent } from './event-lines.ts'
import { EventStream } from './event-stream.ts'
import { LOG_MARGIN_BYTES, readableTail } from './log-tail.ts'
import { Presence } from './presence.ts'
import { NEEDED_FOR } from './refusal.ts'
import { meantMs, RunEnds, type RunEnd } from './run-ends.ts'
import type { ContainerEnd, ContainerView, DockerChange, DockerHost, DockerPermission, DockerSettings } from './view.ts'

const SWEEP_MS = 1_000
/** While Docker fails to answer. */
const RETRY_MS = 500
/** Every container is inspected once in so many sweeps, whether or not anything shows that it has changed. */
const ROUND_SWEEPS = 25
const LOOK_MS = 15_000
const LOGS_MS = 5_000
const MAX_LOG_BYTES = 1_048_576
/** Of what has been removed, so that a look that began before does not bring it back. */
const MAX_GONE = 2_000
/** Docker remembers 256 events: what ended longer ago than this is not worth asking for. */
const HISTORY_MS = 3_600_000
/** From the end of a run until `die` is told. */
const DIE_DELAY_MS = 300

const PROBED: readonly DockerPermission[] = ['start', 'stop', 'restart', 'unpause', 'logs']
const TO_LOOK_AT = new Set('create start restart die oom pause unpause rename update health_status'.split(' '))

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

/** What is kept of one container. */
interface Entry {
  readonly id: string
  view: ContainerView | null
  row: ContainerRow | undefined
  readonly ends: RunEnds
  end: ContainerEnd | null
  /** Cancels the time after which a signal that ended nothing is forgotten. */
  stopping: Disposable | null
  looking: Promise<ContainerView> | null
  next: Promise<ContainerView> | null
}

class Host implements DockerHost {
  readonly settings: DockerSettings
  readonly #clock: Clock
  readonly #logger: Logger
  readonly #api: EngineApi
  readonly #closed = new AbortController()
  readonly #listeners = new Set<(change: DockerChange) => void>()
  readonly #entries = new Map<string, Entry>()
  readonly #views = new Map<string, ContainerView>()
  readonly #gone = new Set<string>()
  readonly #denied = new Map<DockerPermission, string>()
  readonly #presence: Presence
  #events: EventStream | null = null
  #nap = new AbortController()
  #round = 0
  #sweeping: Promise<void> = Promise.resolve()

  private constructor(settings: DockerSettings, { clock, logger }: DockerHostContext) {
    this.settings = settings
    this.#clock = clock
    this.#logger = unfailing(logger)
    this.#api = new EngineApi(settings, clock)
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
    return this.#views
  }

  endOf(id: string): ContainerEnd | null {
    return this.#entries.get(id)?.end ?? null
  }

  watch(listener: (change: DockerChange) => void): Disposable {
    const entry = (change: DockerChange) => listener(change)
    this.#listeners.add(entry)
    return { [Symbol.dispose]: () => void this.#listeners.delete(entry) }
  }

  async inspect(id: string, signal: AbortSignal): Promise<ContainerView> {
    signal.throwIfAborted()
    this.#closed.signal.throwIfAborted()
    if (!isContainerId(id) || this.#gone.has(id)) throw noInstance(id)
    const limits = { parent: signal, clock: this.#clock, what: `looking at container ${id.slice(0, 12)}`, unref: true }
    try {
      return await withDeadline(LOOK_MS, () => this.#look(this.#entry(id)), limits)
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
    await this.#events?.[Symbol.asyncDispose]()
    await this.#sweeping
    for (const entry of this.#entries.values()) entry.stopping?.[Symbol.dispose]()
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
      onEvent: (event) => this.#onEvent(event),
      // What was missed is looked for at once.
      onConnected: () => this.#nap.abort(),
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
      const results = await Promise.allSettled(this.#due(rows).map((entry) => this.#look(entry)))
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
    for (const entry of this.#entries.values()) entry.row = undefined
    this.#events?.restart()
    void this.#probePermissions().catch((error: unknown) => {
      this.#logger.debug({ err: messageOf(error) }, 'cannot find out what is permitted')
    })
  }

  /** Whom to inspect after this list. */
  #due(rows: readonly ContainerRow[]): readonly Entry[] {
    const due = new Set<Entry>()
    const listed = new Set<string>()
    for (const row of rows) {
      listed.add(row.id)
      if (this.#gone.has(row.id)) continue
      const entry = this.#entry(row.id)
      if (!entry.view || hasChanged(entry.row, row)) due.add(entry)
      entry.row = row
    }
    // The list may be older than an event, so whoever is missing is asked for.
    for (const entry of this.#entries.values()) if (!listed.has(entry.id)) due.add(entry)
    const running = rows.filter((row) => row.running)
    for (let left = Math.ceil(running.length / ROUND_SWEEPS); left > 0; left--) {
      const row = running[this.#round++ % running.length]
      const entry = row && this.#entries.get(row.id)
      if (entry) due.add(entry)
    }
    return [...due]
  }

  #onEvent(event: ContainerEvent): void {
    if (this.#gone.has(event.id) || this.#closed.signal.aborted) return
    const entry = this.#entry(event.id)
    if (event.action === 'destroy') {
      this.#remove(entry)
      return
    }
    if (entry.ends.note(event, entry.view ?? undefined) === 'stopping') this.#stopping(entry)
    if (!TO_LOOK_AT.has(event.action)) return
    this.#look(entry).catch((error: unknown) => {
      this.#logger.debug({ container: entry.id.slice(0, 12), err: messageOf(error) }, 'cannot look at a container')
    })
  }

  /** One look at a time for each container; whoever asks meanwhile gets the next one, which begins after this one. */
  #look(entry: Entry): Promise<ContainerView> {
    if (!entry.looking) {
      entry.looking = this.#lookNow(entry).finally(() => (entry.looking = null))
      return entry.looking
    }
    entry.next ??= entry.looking
      .catch(() => {})
      .then(() => {
        entry.next = null
        return this.#look(entry)
      })
    return entry.next
  }

  async #lookNow(entry: Entry): Promise<ContainerView> {
    try {
      const inspected = await this.#permitted('inspect', () => this.#api.inspect(entry.id, this.#closed.signal))
      const view = toContainerView(inspected)
      const end = endsARun(entry.view, view) ? await this.#endOf(entry, view) : null
      if (this.#gone.has(entry.id)) throw noInstance(entry.id)
      this.#closed.signal.throwIfAborted()
      this.#absorb(entry, view, end)
      return view
    } catch (error) {
      // The next sweep shall try again, whatever the list says.
      entry.row = undefined
      if (isMedykError(error, 'ERR_NO_INSTANCE')) this.#remove(entry)
      throw error
    }
  }

  #absorb(entry: Entry, view: ContainerView, end: RunEnd | null): void {
    const former = entry.view
    const told = tellings(former, view, end ?? (entry.end && { at: 0, exitCode: null, end: entry.end }))
    if (entry.stopping && (!runs(view) || former?.startedAt !== view.startedAt)) this.#forgetStopping(entry)
    entry.view = view
    this.#views.set(entry.id, view)
    for (const { container, end: how } of told) {
      entry.end = how
      this.#tell({ type: 'container', container, stopping: entry.stopping !== null, end: how })
    }
  }

  /** From the events that came; else once from what Docker remembers; else unknown. */
  async #endOf(entry: Entry, view: ContainerView): Promise<RunEnd> {
    const finished = Date.parse(view.finishedAt!)
    const seen = entry.ends.of(finished)
    if (seen) return seen
    const unknown: RunEnd = { at: finished, exitCode: null, end: 'unknown' }
    if (this.#denied.has('events') || this.#clock.wall() - finished > HISTORY_MS) return unknown
    try {
      const since = finished - meantMs(view.stopTimeoutMs) - 5_000
      const told = await this.#api.history(entry.id, since, finished + DIE_DELAY_MS, this.#closed.signal)
      const lines = new EventLines()
      const ends = new RunEnds()
      for (const event of [...lines.push(told), ...lines.end()]) ends.note(event, view)
      return ends.of(finished) ?? entry.ends.of(finished) ?? unknown
    } catch (error) {
      this.#logger.debug({ container: entry.id.slice(0, 12), err: messageOf(error) }, 'cannot find out how it ended')
      return entry.ends.of(finished) ?? unknown
    }
  }

  #stopping(entry: Entry): void {
    if (!entry.view || !runs(entry.view)) return
    const first = entry.stopping === null
    entry.stopping?.[Symbol.dispose]()
    entry.stopping = this.#clock.timer(
      meantMs(entry.view.stopTimeoutMs),
      () => {
        entry.stopping = null
        if (entry.view && !this.#gone.has(entry.id)) {
          this.#tell({ type: 'container', container: entry.view, stopping: false, end: null })
        }
      },
      { unref: true },
    )
    if (first) this.#tell({ type: 'container', container: entry.view, stopping: true, end: null })
  }

  #forgetStopping(entry: Entry): void {
    entry.stopping?.[Symbol.dispose]()
    entry.stopping = null
  }

  #remove(entry: Entry): void {
    if (this.#gone.has(entry.id)) return
    this.#gone.add(entry.id)
    if (this.#gone.size > MAX_GONE) this.#gone.delete(this.#gone.values().next().value!)
    this.#forgetStopping(entry)
    this.#entries.delete(entry.id)
    this.#views.delete(entry.id)
    // What was never told to exist need not be told to have gone.
    if (entry.view) this.#tell({ type: 'removed', id: entry.id })
  }

  #entry(id: string): Entry {
    const known = this.#entries.get(id)
    if (known) return known
    const entry: Entry = {
      id,
      view: null,
      row: undefined,
      ends: new RunEnds(),
      end: null,
      stopping: null,
      looking: null,
      next: null,
    }
    this.#entries.set(id, entry)
    return entry
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

function noInstance(id: string): MedykError {
  return new MedykError('ERR_NO_INSTANCE', `there is no container "${id.slice(0, 64)}"`, {
    hint: 'it has been removed',
  })
}
