import type { DatabaseSync } from 'node:sqlite'
import { MedykError, messageOf, systemClock } from '@medyk/health/internal'
import { READS, toFailure, type Answer, type Request } from './protocol.ts'
import type { Retention } from './records.ts'
import { makeRoom, prune } from './retention.ts'
import { hintFor, sqliteTrouble } from './sqlite-error.ts'
import { Store } from './store.ts'

/** Writes between two looks at what may be removed. */
const PRUNE_EVERY = 256

/**
 * Executes requests on the database, in order. Writes that stand next to each other share one transaction, hence one
 * sync of the disk; each is answered after that commit and none depends on another's success. Synchronous.
 */
export class Engine {
  readonly #db: DatabaseSync
  readonly #store: Store
  readonly #directory: string
  readonly #retention: Retention
  #writes = 0
  #broken = false

  constructor(db: DatabaseSync, options: { directory: string; retention: Retention }) {
    this.#db = db
    this.#store = new Store(db)
    this.#directory = options.directory
    this.#retention = options.retention
  }

  /** The database turned out to be damaged: end, so that the next opening sets it aside. */
  get broken(): boolean {
    return this.#broken
  }

  execute(requests: readonly Request[]): Answer[] {
    const answers: Answer[] = []
    let writes: Request[] = []
    const flush = () => {
      if (writes.length > 0) answers.push(...this.#commit(writes))
      writes = []
    }
    for (const request of requests) {
      if (request.expires < systemClock.mono()) {
        answers.push(refusal(request, new MedykError('ERR_DEADLINE', 'it was not begun in time')))
      } else if ((READS as readonly string[]).includes(request.operation)) {
        flush()
        answers.push(this.#read(request))
      } else {
        writes.push(request)
      }
    }
    flush()
    return answers
  }

  #read(request: Request): Answer {
    try {
      return { type: 'done', id: request.id, value: this.#run(request) }
    } catch (error) {
      return refusal(request, this.#explain(error, 'ERR_JOURNAL_READ'))
    }
  }

  #commit(requests: readonly Request[], mayMakeRoom = true): Answer[] {
    try {
      const answers = this.#transaction(() => requests.map((request) => this.#write(request)))
      this.#housekeep(requests.length)
      return answers
    } catch (error) {
      if (mayMakeRoom && sqliteTrouble(error) === 'full' && this.#makeRoom()) return this.#commit(requests, false)
      // One record too many for the disk must not take the others with it.
      if (requests.length > 1) return requests.flatMap((request) => this.#commit([request], mayMakeRoom))
      return requests.map((request) => refusal(request, this.#explain(error, 'ERR_JOURNAL_WRITE')))
    }
  }

  /** One request within the group's transaction; refused alone if it is at fault, throws if the database is. */
  #write(request: Request): Answer {
    this.#db.exec('SAVEPOINT one')
    try {
      const value = this.#run(request)
      this.#db.exec('RELEASE one')
      return { type: 'done', id: request.id, value }
    } catch (error) {
      if (sqliteTrouble(error) !== null) throw error
      this.#db.exec('ROLLBACK TO one; RELEASE one')
      return refusal(request, error)
    }
  }

  #run({ operation, args }: Request): unknown {
    return (this.#store[operation] as (...args: readonly unknown[]) => unknown).apply(this.#store, [...args])
  }

  #transaction<T>(work: () => T): T {
    this.#db.exec('BEGIN IMMEDIATE')
    try {
      const value = work()
      this.#db.exec('COMMIT')
      return value
    } catch (error) {
      // SQLite may have rolled back by itself; then there is nothing left to do.
      if (this.#db.isTransaction) this.#db.exec('ROLLBACK')
      throw error
    }
  }

  #housekeep(writes: number): void {
    this.#writes += writes
    if (this.#writes < PRUNE_EVERY) return
    this.#writes = 0
    try {
      this.#transaction(() => prune(this.#db, this.#retention, Date.now()))
    } catch {
      // Whatever it is, the next write meets it too and has somebody to tell.
    }
  }

  #makeRoom(): boolean {
    try {
      return this.#transaction(() => makeRoom(this.#db)) > 0
    } catch {
      return false
    }
  }

  #explain(error: unknown, code: string): unknown {
    const trouble = sqliteTrouble(error)
    if (trouble === null) return error
    if (trouble === 'corrupt') this.#broken = true
    return new MedykError(code, `the journal in ${this.#directory}: ${messageOf(error)}`, {
      hint: hintFor(trouble, this.#directory),
    })
  }
}

function refusal({ id }: Request, error: unknown): Answer {
  return { type: 'refused', id, failure: toFailure(error) }
}
