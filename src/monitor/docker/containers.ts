import { isMedykError, MedykError, messageOf, type Clock, type Logger } from '@medyk/health/internal'
import { endsARun, runs, tellings } from './changes.ts'
import { hasChanged, type ContainerRow } from './container-row.ts'
import { isContainerId, toContainerView } from './container-view.ts'
import { EventLines, type ContainerEvent } from './event-lines.ts'
import { meantMs, RunEnds, type RunEnd } from './run-ends.ts'
import type { ContainerEnd, ContainerView, DockerChange } from './view.ts'

/** Every container is inspected once in so many sweeps, whether or not anything shows that it has changed. */
const ROUND_SWEEPS = 25
/** Of what has been removed, so that a look that began before does not bring it back. */
const MAX_GONE = 2_000
/** Docker remembers 256 events: what ended longer ago than this is not worth asking for. */
const HISTORY_MS = 3_600_000
/** From the end of a run until `die` is told. */
const DIE_DELAY_MS = 300
const TO_LOOK_AT = new Set('create start restart die oom pause unpause rename update health_status'.split(' '))

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

export interface ContainersContext {
  readonly clock: Clock
  readonly logger: Logger
  /** The answer to `inspect`. */
  readonly inspect: (id: string) => Promise<unknown>
  /** The lines of events that Docker remembers of a container between two times (Unix ms by its clock). */
  readonly history: (id: string, since: number, until: number) => Promise<string>
  readonly historyAllowed: () => boolean
  readonly tell: (change: DockerChange) => void
}

/** All containers as they were last seen. Takes events and lists as hints, looks for itself, and tells each change once. */
export class Containers implements Disposable {
  readonly #context: ContainersContext
  readonly #entries = new Map<string, Entry>()
  readonly #views = new Map<string, ContainerView>()
  readonly #gone = new Set<string>()
  #round = 0
  #closed = false

  constructor(context: ContainersContext) {
    this.#context = context
  }

  get views(): ReadonlyMap<string, ContainerView> {
    return this.#views
  }

  endOf(id: string): ContainerEnd | null {
    return this.#entries.get(id)?.end ?? null
  }

  /** A look that begins after this call. Rejects with ERR_NO_INSTANCE, or as `inspect` does. */
  async look(id: string): Promise<ContainerView> {
    if (!isContainerId(id) || this.#gone.has(id)) throw noInstance(id)
    return await this.#look(this.#entry(id))
  }

  /** What the next list says of a container is not compared with what a former one said. */
  doubt(): void {
    for (const entry of this.#entries.values()) entry.row = undefined
  }

  /** Whom to inspect after this list. */
  due(rows: readonly ContainerRow[]): readonly string[] {
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
    return [...due].map(({ id }) => id)
  }

  note(event: ContainerEvent): void {
    if (this.#gone.has(event.id) || this.#closed) return
    const entry = this.#entry(event.id)
    if (event.action === 'destroy') {
      this.#remove(entry)
      return
    }
    if (entry.ends.note(event, entry.view ?? undefined) === 'stopping') this.#stopping(entry)
    if (event.action === 'stop') this.#stoppedLate(entry)
    if (!TO_LOOK_AT.has(event.action)) return
    this.#look(entry).catch((error: unknown) => {
      this.#context.logger.debug(
        { container: entry.id.slice(0, 12), err: messageOf(error) },
        'cannot look at a container',
      )
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
      const inspected = await this.#context.inspect(entry.id)
      const view = toContainerView(inspected)
      const end = endsARun(entry.view, view) ? await this.#endOf(entry, view) : null
      if (this.#gone.has(entry.id) || this.#closed) throw noInstance(entry.id)
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
      this.#context.tell({ type: 'container', container, stopping: entry.stopping !== null, end: how })
    }
  }

  /** From the events that came; else once from what Docker remembers; else unknown. */
  async #endOf(entry: Entry, view: ContainerView): Promise<RunEnd> {
    const finished = Date.parse(view.finishedAt!)
    const seen = entry.ends.of(finished)
    if (seen) return seen
    const unknown: RunEnd = { at: finished, exitCode: null, end: 'unknown' }
    if (!this.#context.historyAllowed() || this.#context.clock.wall() - finished > HISTORY_MS) return unknown
    try {
      const since = finished - meantMs(view.stopTimeoutMs) - 5_000
      const told = await this.#context.history(entry.id, since, finished + DIE_DELAY_MS)
      const lines = new EventLines()
      const ends = new RunEnds()
      for (const event of [...lines.push(told), ...lines.end()]) ends.note(event, view)
      return ends.of(finished) ?? entry.ends.of(finished) ?? unknown
    } catch (error) {
      this.#context.logger.debug(
        { container: entry.id.slice(0, 12), err: messageOf(error) },
        'cannot find out how it ended',
      )
      return entry.ends.of(finished) ?? unknown
    }
  }

  #stopping(entry: Entry): void {
    if (!entry.view || !runs(entry.view)) return
    const first = entry.stopping === null
    entry.stopping?.[Symbol.dispose]()
    entry.stopping = this.#context.clock.timer(
      meantMs(entry.view.stopTimeoutMs),
      () => {
        entry.stopping = null
        if (entry.view && !this.#gone.has(entry.id)) {
          this.#context.tell({ type: 'container', container: entry.view, stopping: false, end: null })
        }
      },
      { unref: true },
    )
    if (first) this.#context.tell({ type: 'container', container: entry.view, stopping: true, end: null })
  }

  /** Told to have ended by itself; yet it was stopped, as is known only now. */
  #stoppedLate(entry: Entry): void {
    const { view, end, ends } = entry
    if (view?.state !== 'exited' || view.finishedAt === null || end !== 'itself') return
    if (ends.of(Date.parse(view.finishedAt))?.end !== 'stop') return
    entry.end = 'stop'
    this.#context.tell({ type: 'container', container: view, stopping: false, end: 'stop' })
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
    if (entry.view) this.#context.tell({ type: 'removed', id: entry.id })
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

  [Symbol.dispose](): void {
    this.#closed = true
    for (const entry of this.#entries.values()) this.#forgetStopping(entry)
  }
}

function noInstance(id: string): MedykError {
  return new MedykError('ERR_NO_INSTANCE', `there is no container "${id.slice(0, 64)}"`, {
    hint: 'it has been removed',
  })
}
