import { messageOf, type Clock, type Logger } from '@medyk/health/internal'
import type { Journal } from '../journal/index.ts'
import { isoOf } from '../model/index.ts'
import type { AuditRow, AuditTrail } from '../server/index.ts'

/** Refused ones told one by one within a window; whoever hammers at the door must not fill the disk. */
const TOLD = 60
const WINDOW_MS = 60_000

interface Window {
  told: number
  counted: number
  readonly end: Disposable
}

/** The audit in the journal. */
export class Audit implements AuditTrail, AsyncDisposable {
  readonly #journal: Pick<Journal, 'appendEvent' | 'audit'>
  readonly #clock: Clock
  readonly #logger: Logger
  /** Refused within the window that is open now; null: none is. */
  #window: Window | null = null

  constructor(journal: Pick<Journal, 'appendEvent' | 'audit'>, clock: Clock, logger: Logger) {
    this.#journal = journal
    this.#clock = clock
    this.#logger = logger
  }

  async record(row: Omit<AuditRow, 'at' | 'count'>): Promise<void> {
    await this.#append({ ...row, at: this.#now(), count: 1 })
  }

  async refused(row: Omit<AuditRow, 'at' | 'count' | 'result'>): Promise<void> {
    const window = (this.#window ??= this.#open())
    if (window.told >= TOLD) {
      window.counted++
      return
    }
    window.told++
    await this.#tryAppend({ ...row, result: 'refused', at: this.#now(), count: 1 })
  }

  async read(limit: number): Promise<readonly AuditRow[]> {
    const events = await this.#journal.audit(limit)
    return events.map(({ payload }) => payload as AuditRow)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#close()
  }

  #open(): Window {
    return { told: 0, counted: 0, end: this.#clock.timer(WINDOW_MS, () => void this.#close(), { unref: true }) }
  }

  async #close(): Promise<void> {
    const window = this.#window
    this.#window = null
    window?.end[Symbol.dispose]()
    if (!window || window.counted === 0) return
    await this.#tryAppend({
      at: this.#now(),
      who: 'several',
      role: 'none',
      method: '',
      path: '',
      service: null,
      result: 'refused',
      reason: `${window.counted} more were refused within a minute`,
      key: null,
      count: window.counted,
    })
  }

  async #tryAppend(row: AuditRow): Promise<void> {
    try {
      await this.#append(row)
    } catch (error) {
      this.#logger.error({ row, err: messageOf(error) }, 'not in the audit')
    }
  }

  async #append(row: AuditRow): Promise<void> {
    await this.#journal.appendEvent('audit', row)
  }

  #now(): string {
    return isoOf(this.#clock.wall())
  }
}
