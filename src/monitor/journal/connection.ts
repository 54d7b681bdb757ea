import type { Worker } from 'node:worker_threads'
import { MedykError, messageOf, systemClock, withDeadline, type Clock } from '@medyk/health/internal'
import {
  READS,
  toError,
  type Arguments,
  type Close,
  type FromWorker,
  type Operation,
  type Request,
  type Result,
  type WorkerOptions,
} from './protocol.ts'

export type Spawn = (options: WorkerOptions) => Worker

export interface ConnectionOptions {
  readonly worker: Omit<WorkerOptions, 'now'>
  readonly clock: Clock
  readonly deadlineMs: number
  /** Opening may have to check a large database first. */
  readonly openDeadlineMs: number
  readonly maxQueue: number
  readonly spawn: Spawn
  onProblems(problems: readonly string[]): void
  /** After each write, and when the worker ends unasked: null when it worked, else what went wrong. */
  onWrite(failure: MedykError | null): void
}

/** A worker that crashed is started again by the next call, at most this often. */
const RESPAWN_AFTER_MS = 1_000
const CLOSE_MS = 5_000

interface Waiting {
  readonly operation: Operation
  resolve(value: unknown): void
  reject(error: Error): void
}

interface Session {
  readonly worker: Worker
  readonly waiting: Map<number, Waiting>
  /** Requests sent and not answered, those included that nobody waits for any more. */
  unanswered: number
  readonly ready: Promise<void>
  readonly ended: Promise<void>
}

/** The main thread's side of the writer: every call is answered, refused or past its deadline, whatever the worker does. */
export class Connection {
  readonly #options: ConnectionOptions
  #session: Session | null = null
  #spawnedAt = Number.NEGATIVE_INFINITY
  #lastId = 0
  #closing: Promise<void> | null = null

  constructor(options: ConnectionOptions) {
    this.#options = options
  }

  /** Resolves when the database is open. */
  async open(): Promise<void> {
    const session = this.#connect()
    const { openDeadlineMs, clock } = this.#options
    try {
      await withDeadline(openDeadlineMs, () => session.ready, { clock, what: 'opening the journal' })
    } catch (error) {
      await session.worker.terminate()
      throw error
    }
  }

  async call<O extends Operation>(operation: O, ...args: Arguments<O>): Promise<Result<O>> {
    const { deadlineMs, clock, maxQueue } = this.#options
    if (this.#closing !== null) throw new MedykError('ERR_JOURNAL_CLOSED', 'the journal is closed')
    const session = this.#connect()
    if (session.unanswered >= maxQueue) {
      throw new MedykError('ERR_JOURNAL_BUSY', `${session.unanswered} records wait to be written`, {
        hint: 'the disk under the state directory is too slow or stuck',
      })
    }
    const id = ++this.#lastId
    const request: Request = { type: 'request', id, operation, args, expires: systemClock.mono() + deadlineMs }
    session.worker.postMessage(request)
    session.unanswered++
    const answer = new Promise<unknown>((resolve, reject) => session.waiting.set(id, { operation, resolve, reject }))
    try {
      return (await withDeadline(deadlineMs, () => answer, { clock, what: `the journal (${operation})` })) as Result<O>
    } finally {
      session.waiting.delete(id)
    }
  }

  /** Writes what has been called before, then ends. Never rejects. */
  close(): Promise<void> {
    this.#closing ??= this.#end()
    return this.#closing
  }

  async #end(): Promise<void> {
    const session = this.#session
    if (session === null) return
    session.worker.postMessage({ type: 'close' } satisfies Close)
    try {
      await withDeadline(CLOSE_MS, () => session.ended, { clock: this.#options.clock })
    } catch {
      await session.worker.terminate()
    }
  }

  #connect(): Session {
    if (this.#session !== null) return this.#session
    const now = this.#options.clock.mono()
    if (now - this.#spawnedAt < RESPAWN_AFTER_MS) {
      throw new MedykError('ERR_JOURNAL_WORKER', 'the journal has just ended unexpectedly and is not open yet')
    }
    this.#spawnedAt = now
    return (this.#session = this.#start())
  }

  #start(): Session {
    const { spawn, clock, worker: options } = this.#options
    const worker = spawn({ ...options, now: new Date(clock.wall()).toISOString() })
    const opening = Promise.withResolvers<void>()
    const ending = Promise.withResolvers<void>()
    const waiting = new Map<number, Waiting>()
    const session: Session = { worker, waiting, unanswered: 0, ready: opening.promise, ended: ending.promise }
    // Those who wait for it hear of it; after a respawn nobody does.
    opening.promise.catch(() => {})
    let failure: MedykError | null = null
    let isOpen = false
    worker.on('message', (message: FromWorker) => {
      if (message.type === 'ready') {
        this.#options.onProblems(message.problems)
        isOpen = true
        opening.resolve()
      } else if (message.type === 'failed') {
        failure = toError(message.failure)
      } else {
        session.unanswered--
        this.#settle(session, message)
      }
    })
    worker.on('error', (error) => {
      failure = new MedykError('ERR_JOURNAL_WORKER', `the journal crashed: ${messageOf(error)}`, { cause: error })
    })
    worker.on('exit', () => {
      this.#session = null
      const reason = failure ?? new MedykError('ERR_JOURNAL_WORKER', 'the journal ended unexpectedly')
      opening.reject(reason)
      for (const each of waiting.values()) each.reject(reason)
      if (isOpen && this.#closing === null) this.#options.onWrite(reason)
      ending.resolve()
    })
    return session
  }

  #settle(session: Session, answer: Extract<FromWorker, { id: number }>): void {
    const waiting = session.waiting.get(answer.id)
    const error = answer.type === 'refused' ? toError(answer.failure) : null
    const isRead = (READS as readonly string[]).includes(waiting?.operation ?? '')
    // A refusal for the record's own fault says nothing about the disk.
    if (!isRead && (error === null || error.code === 'ERR_JOURNAL_WRITE')) this.#options.onWrite(error)
    if (error !== null) waiting?.reject(error)
    else if (answer.type === 'done') waiting?.resolve(answer.value)
  }
}
