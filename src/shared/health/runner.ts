import type { Clock } from './internal/index.ts'
import { isMedykError, withDeadline } from './internal/index.ts'
import { DueQueue, type Due } from './due-queue.ts'
import { outcomeOfThrow, outcomeOfValue, type Outcome } from './outcome.ts'
import type { ResolvedRegistration } from './registration.ts'

/** Wakes are at least this far apart: waking costs more than most checks. */
const WAKE_MS = 20
/** Checks started per turn of the event loop; ten thousand of them must not hold up a request. */
const SLICE = 256
/** How long `stop` waits for checks that were aborted. */
const STOP_MS = 1_000

/** Something that runs periodically. The fields but `registration` belong to the runner. */
export interface Job extends Due {
  readonly registration: ResolvedRegistration
  run: Run | null
}

interface Run {
  readonly controller: AbortController
  readonly startedAt: number
  /** Past its deadline: what it says from here on is too late. */
  expired: boolean
  /** Unregistered or stopped: what it says interests nobody. */
  dropped: boolean
}

/** When a job is wanted next: after its interval, sooner, or not any more. Never later than its interval. */
export type Next = 'interval' | 'never' | { readonly inMs: number }

export interface RunnerOptions<T extends Job> {
  readonly clock: Clock
  /** 0 ≤ n < 1. Spreads the checks over their intervals. */
  readonly random: () => number
  /** Runs at a time. One that ignores its signal gives its place back at the deadline. */
  readonly concurrency: number
  /** Called with every result; answers when the next one is wanted. `durationMs` is null when no run ended with it. */
  readonly onOutcome: (job: T, outcome: Outcome, durationMs: number | null) => Next
}

/** Runs jobs in the background: one timer for all, single flight per job, never more than `concurrency` at a time. */
export class Runner<T extends Job> {
  readonly #options: RunnerOptions<T>
  readonly #queue = new DueQueue<T>()
  readonly #waiting = new Set<T>()
  readonly #running = new Map<Run, Promise<void>>()
  readonly #jobs = new Set<T>()
  /** Without a result yet. */
  readonly #fresh = new Set<T>()
  #active = 0
  #slice = SLICE
  #started = false
  #timer: Disposable | null = null
  #wakeAt = Infinity
  #wokeAt = -Infinity

  constructor(options: RunnerOptions<T>) {
    this.#options = options
  }

  start(jobs: Iterable<T>): void {
    this.#started = true
    for (const job of jobs) this.add(job)
  }

  /** First runs are due at once: nobody should wait an interval for the first word about a check. */
  add(job: T): void {
    if (!this.#started) return
    this.#jobs.add(job)
    this.#fresh.add(job)
    this.#queue.push(job, this.#options.clock.mono())
    this.#arm()
  }

  remove(job: T): void {
    this.#queue.remove(job)
    this.#waiting.delete(job)
    this.#jobs.delete(job)
    this.#fresh.delete(job)
    if (job.run) this.#drop(job.run)
    this.#arm()
  }

  /** Aborts what runs and waits, at most a second, until it has ended. */
  async stop(jobs: Iterable<T>): Promise<void> {
    this.#started = false
    const running = [...this.#running.values()]
    for (const job of jobs) this.remove(job)
    if (running.length === 0) return
    const patience = new AbortController()
    const given = this.#options.clock.sleep(STOP_MS, patience.signal).catch(() => {})
    await Promise.race([Promise.all(running), given])
    patience.abort()
  }

  #drop(run: Run): void {
    run.dropped = true
    run.controller.abort(new DOMException('the check is not wanted any more', 'AbortError'))
  }

  #arm(): void {
    const next = this.#queue.peek()
    const backlog = this.#waiting.size > 0 && this.#active < this.#options.concurrency
    if (!this.#started || (!next && !backlog)) {
      this.#timer?.[Symbol.dispose]()
      this.#timer = null
      this.#wakeAt = Infinity
      return
    }
    const now = this.#options.clock.mono()
    const at = backlog ? now : Math.max(next?.dueAt ?? now, this.#wokeAt + WAKE_MS)
    if (this.#timer && this.#wakeAt <= at) return
    this.#timer?.[Symbol.dispose]()
    this.#wakeAt = at
    this.#timer = this.#options.clock.timer(Math.max(0, at - now), () => this.#wake(), { unref: true })
  }

  #wake(): void {
    const now = this.#options.clock.mono()
    this.#timer = null
    this.#wokeAt = now
    this.#slice = SLICE
    for (let job = this.#queue.peek(); job && job.dueAt <= now; job = this.#queue.peek()) {
      this.#queue.remove(job)
      if (!job.run) this.#waiting.add(job)
      else this.#stillRunning(job, job.run, now)
    }
    this.#pump()
  }

  /** A run that outlives its deadline is a failure again each time that the next run would be due. */
  #stillRunning(job: T, run: Run, now: number): void {
    if (now - run.startedAt < job.registration.timeoutMs) {
      // Left over from before a restart of the runner.
      this.#queue.push(job, run.startedAt + job.registration.timeoutMs)
      return
    }
    const seconds = Math.round((now - run.startedAt) / 1_000)
    const error = new Error(`still running after ${seconds} s; it ignores its signal`)
    this.#report(job, { ...outcomeOfThrow(error), timedOut: true }, null)
  }

  #pump(): void {
    for (const job of this.#waiting) {
      if (this.#active >= this.#options.concurrency || this.#slice <= 0) break
      this.#waiting.delete(job)
      this.#slice -= 1
      this.#begin(job)
    }
    this.#arm()
  }

  #begin(job: T): void {
    const { check, timeoutMs } = job.registration
    const { clock } = this.#options
    const run: Run = { controller: new AbortController(), startedAt: clock.mono(), expired: false, dropped: false }
    job.run = run
    this.#active += 1
    let ended = Promise.resolve()
    const work = (signal: AbortSignal) => {
      // Known apart from the deadline: only when the check itself has ended may it start again.
      const result = (async () => await check(signal))()
      ended = result.then(
        () => {},
        () => {},
      )
      return result
    }
    const parent = run.controller.signal
    const judged = withDeadline<unknown>(timeoutMs, work, { parent, clock, unref: true, what: 'the check' }).then(
      (value) => outcomeOfValue(value),
      (error: unknown) => {
        run.expired = isMedykError(error, 'ERR_DEADLINE')
        return outcomeOfThrow(error)
      },
    )
    const finished = judged
      .then((outcome) => {
        this.#active -= 1
        if (!run.expired && !run.dropped) job.run = null
        if (!run.dropped) this.#report(job, outcome, clock.mono() - run.startedAt)
        this.#pump()
        return ended
      })
      .then(() => {
        this.#running.delete(run)
        if (job.run === run) job.run = null
      })
    this.#running.set(run, finished)
  }

  #report(job: T, outcome: Outcome, durationMs: number | null): void {
    const { clock, random, onOutcome } = this.#options
    const { intervalMs } = job.registration
    const dueAt = job.dueAt
    const next = onOutcome(job, outcome, durationMs)
    const first = this.#fresh.delete(job)
    // The listener may have unregistered it.
    if (next === 'never' || !this.#jobs.has(job)) return
    const now = clock.mono()
    if (typeof next === 'object') this.#queue.push(job, now + Math.min(next.inMs, intervalMs))
    else if (first) this.#queue.push(job, now + intervalMs * random())
    // Missed turns are left out, so that the phase stays and nobody runs back to back.
    else this.#queue.push(job, dueAt + intervalMs * Math.max(1, Math.ceil((now - dueAt) / intervalMs)))
    this.#arm()
  }
}
