import { CheckMetrics } from './check-metrics.ts'
import { ClientMetrics } from './client-metrics.ts'
import { entryOf, releaseCheck, viewOf, type CheckView, type Entry } from './entry.ts'
import { MedykError, silentLogger, systemClock, unfailing, type Clock, type Logger } from './internal/index.ts'
import { Listeners } from './listeners.ts'
import type { Metrics } from './metrics.ts'
import { validateOptions, type HealthOptions } from './options.ts'
import type { Outcome } from './outcome.ts'
import { MAX_CHECKS, resolveRegistrations, type Registration } from './registration.ts'
import { Renderer, type Answer } from './renderer.ts'
import { evaluate, toReport, type Endpoint, type Evaluation, type Report } from './report.ts'
import { Runner, type Next } from './runner.ts'
import type { Status } from './status.ts'
import { applyResult } from './thresholds.ts'

/** While results disagree with the status a check runs again this soon, so that the truth is out in about a second. */
const CONFIRM_MS = 500

/** Doubles each time: what does not settle soon is asked less and less often, down to its interval. */
const lookAgainMs = (times: number) => CONFIRM_MS * 2 ** Math.min(times, 20)

/** A change of a check's status, thresholds applied. */
export interface Transition {
  readonly check: string
  /** null: it had no result before. */
  readonly from: Status | null
  readonly to: Status
  readonly message: string | null
  /** ISO 8601 UTC with milliseconds. */
  readonly at: string
}

export interface HealthEvents {
  transition: Transition
}

/**
 * A service's health: runs its checks in the background and answers from what they last found. Register checks before or
 * after `start()`, from anywhere, at any time.
 */
export class Health implements AsyncDisposable {
  readonly service: string
  readonly version: string
  readonly metrics: Metrics
  readonly #clock: Clock
  readonly #logger: Logger
  readonly #entries = new Map<string, Entry>()
  readonly #runner: Runner<Entry>
  readonly #checkMetrics: CheckMetrics
  readonly #renderer: Renderer
  readonly #transitions: Listeners<Transition>
  /** Without a result yet. */
  readonly #pending = new Set<Entry>()
  /** Critical start-up checks that have not succeeded yet. */
  readonly #comingUp = new Set<Entry>()
  readonly #unsound = new Set<Entry>()
  readonly #awaiting = new Set<() => void>()
  readonly #startedAt: number
  readonly #lastErrorStyle: 'message' | 'check'
  #started = false
  #stopped: Promise<void> = Promise.resolve()
  #cameUp = false
  #leaving = false
  #lastError: string | null = null

  constructor(options: HealthOptions) {
    const { service, version, clock = systemClock, random = Math.random, logger } = options
    validateOptions(options)
    this.service = service
    this.version = version
    this.#clock = clock
    this.#logger = unfailing(logger ?? silentLogger)
    this.#lastErrorStyle = options.lastError ?? 'message'
    this.#startedAt = clock.mono()
    this.#transitions = new Listeners(this.#logger)
    this.#runner = new Runner({
      clock,
      random,
      concurrency: options.concurrency ?? 64,
      onOutcome: (entry, outcome, durationMs) => this.#accept(entry, outcome, durationMs),
    })
    this.#renderer = new Renderer(
      this,
      (endpoint) => this.#evaluate(endpoint),
      () => this.#lastError,
    )
    const metrics = new ClientMetrics(options.metrics)
    this.metrics = metrics
    this.#checkMetrics = new CheckMetrics(
      metrics,
      {
        service,
        version,
        startedAtWallMs: clock.wall(),
        probeStatuses: () => [
          ['liveness', this.#evaluate('health').status],
          ['readiness', this.#evaluate('ready').status],
          ['startup', this.#evaluate('startup').status],
        ],
        checkStatus: (name) => this.#entries.get(name)?.state.status ?? null,
      },
      options.maxExportedChecks ?? 200,
    )
  }

  /**
   * Adds checks; all of them or, with one `ERR_REGISTRATION` that names every problem, none. Disposing what is returned
   * unregisters exactly these.
   */
  register(registrations: Registration | readonly Registration[]): Disposable {
    const list: readonly unknown[] = Array.isArray(registrations) ? registrations : [registrations]
    const room = MAX_CHECKS - this.#entries.size
    const added = resolveRegistrations(list, (name) => this.#entries.has(name), room).map(entryOf)
    for (const entry of added) this.#add(entry)
    this.#changed()
    return { [Symbol.dispose]: () => added.forEach((entry) => this.#remove(entry)) }
  }

  /** Whether there was such a check. One that is running is aborted, and what it still says is dropped. */
  unregister(name: string): boolean {
    const entry = this.#entries.get(name)
    if (entry) this.#remove(entry)
    return entry !== undefined
  }

  /** Begins to run the checks: each once at once, then by its interval. Does not keep the process alive. */
  start(): void {
    if (this.#started) return
    this.#started = true
    this.#leaving = false
    this.#runner.start(this.#entries.values())
    this.#changed()
  }

  /** Resolves when every check that is registered has a result; rejects with the signal's reason. Keeps the process alive. */
  firstResults(signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason as Error)
      if (this.#pending.size === 0) return resolve()
      // Whoever waits here wants to hear the answer: the checks' own timers would let the process end before.
      const alive = this.#clock.timer(Infinity, () => {})
      const tell = () => {
        alive[Symbol.dispose]()
        signal?.removeEventListener('abort', onAbort)
        resolve()
      }
      const onAbort = () => {
        alive[Symbol.dispose]()
        this.#awaiting.delete(tell)
        reject(signal?.reason as Error)
      }
      signal?.addEventListener('abort', onAbort, { once: true })
      this.#awaiting.add(tell)
    })
  }

  /** From here on `/ready` is 503, so that no new work arrives; `/health` goes on as before. Call it on SIGTERM. */
  shuttingDown(): void {
    this.#leaving = true
    this.#changed()
  }

  /** Ends the checks; those under way are aborted and given a second to end. The last results stay. */
  async stop(): Promise<void> {
    this.shuttingDown()
    if (this.#started) {
      this.#started = false
      this.#stopped = this.#runner.stop(this.#entries.values())
    }
    await this.#stopped
    if (this.#started) return
    for (const entry of this.#entries.values()) releaseCheck(entry, this.#logger)
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop()
  }

  /** Calls `listener` with every event of that kind until disposed. */
  on<K extends keyof HealthEvents>(event: K, listener: (event: HealthEvents[K]) => void): Disposable {
    if (event !== 'transition')
      throw new MedykError('ERR_OPTIONS', `there is no event "${String(event)}", only "transition"`)
    return this.#transitions.add(listener)
  }

  /** What the checks found, in the order of registration. */
  checks(): readonly CheckView[] {
    return [...this.#entries.values()].map(viewOf)
  }

  check(name: string): CheckView | null {
    const entry = this.#entries.get(name)
    return entry ? viewOf(entry) : null
  }

  /** The body of an endpoint as an object. Default: `health`. */
  report(endpoint: Endpoint = 'health'): Report {
    const at = { wallMs: this.#clock.wall(), uptimeSeconds: this.#uptimeSeconds() }
    return toReport(this, this.#evaluate(endpoint), at, this.#lastError)
  }

  /** The status code and the body of an endpoint, ready to be sent. Waits for nothing. */
  answer(endpoint: Endpoint): Answer {
    return this.#renderer.answer(endpoint, this.#clock.wall(), this.#uptimeSeconds())
  }

  #uptimeSeconds(): number {
    return Math.floor((this.#clock.mono() - this.#startedAt) / 1_000)
  }

  #evaluate(endpoint: Endpoint): Evaluation {
    const facts = [...this.#entries.values()].map(({ registration, state }) => ({
      name: registration.name,
      status: state.status,
      probes: registration.probes,
      critical: registration.critical,
    }))
    return evaluate(endpoint, facts, { cameUp: this.#cameUp, leaving: this.#leaving })
  }

  #add(entry: Entry): void {
    const { name, probes, critical } = entry.registration
    this.#entries.set(name, entry)
    this.#pending.add(entry)
    if (critical && probes.includes('startup')) this.#comingUp.add(entry)
    this.#checkMetrics.add(name)
    if (this.#started) this.#runner.add(entry)
  }

  #remove(entry: Entry): void {
    const { name } = entry.registration
    if (this.#entries.get(name) !== entry) return
    this.#entries.delete(name)
    for (const set of [this.#pending, this.#comingUp, this.#unsound]) set.delete(entry)
    this.#runner.remove(entry)
    this.#checkMetrics.remove(name)
    releaseCheck(entry, this.#logger)
    this.#changed()
  }

  #accept(entry: Entry, outcome: Outcome, durationMs: number | null): Next {
    const { registration } = entry
    const from = entry.state.status
    const state = applyResult(entry.state, outcome.status, registration)
    entry.state = state
    entry.latest = outcome
    entry.resultWallMs = this.#clock.wall()
    if (durationMs !== null) {
      entry.durationMs = durationMs
      this.#checkMetrics.record(registration.name, outcome, durationMs)
    }
    if (state.status !== from) this.#transition(entry, from, state.status, outcome.message)
    const { failureThreshold, successThreshold, probes } = registration
    const patience = Math.max(0, state.wavering - failureThreshold - successThreshold)
    if (state.wavering > 0) return { inMs: lookAgainMs(patience) }
    // Most outages are restarts and start-ups: look again soon.
    if (state.status === 'unhealthy') return { inMs: lookAgainMs(state.runs.unhealthy - 1) }
    return probes.join() === 'startup' ? 'never' : 'interval'
  }

  #transition(entry: Entry, from: Status | null, to: Status, message: string | null): void {
    const { name: check } = entry.registration
    const wallMs = this.#clock.wall()
    entry.sinceWallMs = wallMs
    this.#pending.delete(entry)
    if (to === 'healthy') this.#unsound.delete(entry)
    else {
      this.#unsound.add(entry)
      this.#lastError = this.#lastErrorStyle === 'message' ? `${check}: ${message ?? to}` : `${check}: ${to}`
    }
    if (to !== 'unhealthy') this.#comingUp.delete(entry)
    this.#changed()
    this.#logger[to === 'healthy' ? 'info' : 'warn']({ check, from, to, message }, `check "${check}" is ${to}`)
    this.#transitions.emit({ check, from, to, message, at: new Date(wallMs).toISOString() })
  }

  /** Something that answers depend on has changed. */
  #changed(): void {
    // Sticky: a start-up check that is added or fails later does not undo a start-up.
    this.#cameUp ||= this.#started && this.#comingUp.size === 0
    if (this.#unsound.size === 0) this.#lastError = null
    this.#renderer.invalidate()
    if (this.#pending.size > 0) return
    for (const tell of this.#awaiting) tell()
    this.#awaiting.clear()
  }
}
