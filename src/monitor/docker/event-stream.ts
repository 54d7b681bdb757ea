import { isMedykError, messageOf, type Clock, type Logger } from '@medyk/health/internal'
import type { EngineApi } from './engine-api.ts'
import { EventLines, type ContainerEvent } from './event-lines.ts'

const FIRST_PAUSE_MS = 100
const LONGEST_PAUSE_MS = 5_000
/** A permission comes back by somebody's work. */
const DENIED_PAUSE_MS = 60_000
/** Docker writes down events of one moment in any order. */
const OVERLAP_MS = 1_000
const REMEMBERED = 1_024

export interface EventStreamContext {
  readonly api: EngineApi
  readonly clock: Clock
  readonly logger: Logger
  readonly onEvent: (event: ContainerEvent) => void
  readonly onConnected: () => void
  readonly onDenied: () => void
}

/** Reads Docker's events for as long as it is not closed. After a cut it asks for what it has missed, and tells nothing twice. */
export class EventStream {
  readonly #context: EventStreamContext
  readonly #closed = new AbortController()
  #current = new AbortController()
  /** By the engine's clock; null: nothing is known of it yet. */
  #since: number | null = null
  readonly #known = new Set<string>()
  readonly #firstTry = Promise.withResolvers<void>()
  readonly #running: Promise<void>

  constructor(context: EventStreamContext) {
    this.#context = context
    this.#running = this.#run()
  }

  /** Resolves when the first attempt to connect has come to something. */
  get tried(): Promise<void> {
    return this.#firstTry.promise
  }

  /** Connects anew, now. */
  restart(): void {
    this.#current.abort(new Error('connecting anew'))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed.abort(new Error('closed'))
    await this.#running
  }

  async #run(): Promise<void> {
    const { clock, logger, onDenied } = this.#context
    let pause = FIRST_PAUSE_MS
    while (!this.#closed.signal.aborted) {
      this.#current = new AbortController()
      const signal = AbortSignal.any([this.#closed.signal, this.#current.signal])
      const began = clock.mono()
      let denied = false
      try {
        await this.#read(signal)
      } catch (error) {
        denied = isMedykError(error, 'ERR_DENIED')
        if (denied) onDenied()
        logger.debug({ err: messageOf(error) }, "Docker's event stream has ended")
      }
      this.#firstTry.resolve()
      if (this.#current.signal.aborted || clock.mono() - began > LONGEST_PAUSE_MS) pause = FIRST_PAUSE_MS
      const wait = denied ? DENIED_PAUSE_MS : pause * (0.5 + Math.random())
      await clock.sleep(wait, AbortSignal.any([this.#closed.signal, this.#current.signal])).catch(() => {})
      pause = Math.min(LONGEST_PAUSE_MS, pause * 2)
    }
  }

  async #read(signal: AbortSignal): Promise<void> {
    const { api, onConnected } = this.#context
    const response = await api.events(this.#since === null ? null : this.#since - OVERLAP_MS, signal)
    try {
      this.#since ??= Date.parse(response.headers.date ?? '') || null
      this.#firstTry.resolve()
      onConnected()
      const lines = new EventLines()
      response.setEncoding('utf8')
      for await (const chunk of response as AsyncIterable<string>) this.#take(lines.push(chunk))
      this.#take(lines.end())
    } finally {
      response.destroy()
    }
  }

  #take(events: readonly ContainerEvent[]): void {
    for (const event of events) {
      this.#since = Math.max(this.#since ?? 0, event.at)
      if (this.#known.has(event.key)) continue
      this.#known.add(event.key)
      if (this.#known.size > REMEMBERED) this.#known.delete(this.#known.values().next().value!)
      this.#context.onEvent(event)
    }
  }
}
