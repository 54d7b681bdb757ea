import { messageOf, type Logger } from '@medyk/health/internal'
import type { Verdict } from '../model/index.ts'
import type { Boots as Known } from './shard-protocol.ts'

export interface BootLog {
  saveBoot(service: string, bootMs: number): Promise<void>
}

/** A boot that is longer by less than this share teaches nothing new. */
const LONGER = 1.1

/** The longest boot of every service, over all lives of the daemon: what is twice as long is no boot any more. */
export class Boots {
  readonly #journal: BootLog
  readonly #logger: Logger
  readonly #known: Map<string, number>

  constructor(remembered: Known, { journal, logger }: { readonly journal: BootLog; readonly logger: Logger }) {
    this.#journal = journal
    this.#logger = logger
    this.#known = new Map(remembered.map(({ service, bootMs }) => [service, bootMs]))
  }

  get all(): Known {
    return [...this.#known].map(([service, bootMs]) => ({ service, bootMs }))
  }

  take({ service, bootMs }: Verdict): void {
    if (bootMs === undefined || bootMs < LONGER * (this.#known.get(service) ?? 0)) return
    const rounded = Math.round(bootMs)
    this.#known.set(service, rounded)
    this.#journal.saveBoot(service, rounded).catch((error: unknown) => {
      this.#logger.error({ service, err: messageOf(error) }, 'not journaled how long it takes to boot')
    })
  }
}
