import { createHash } from 'node:crypto'
import { messageOf, type Logger } from '@medyk/health/internal'
import type { Journal, ReadBack } from '../journal/index.ts'
import type { ServiceSpec, Verdict } from '../model/index.ts'

/**
 * Which instances have been healthy at some time, over all lives of the daemon: of these alone an illness is believed
 * before the first success. It holds for the probes that were passed; others have yet to prove that they can be.
 */
export class Proven {
  readonly #journal: Pick<Journal, 'saveProven'>
  readonly #logger: Logger
  #probes: ReadonlyMap<string, string> = new Map()
  readonly #instances: Set<string>

  constructor(
    services: readonly ServiceSpec[],
    remembered: ReadBack['proven'],
    { journal, logger }: { readonly journal: Pick<Journal, 'saveProven'>; readonly logger: Logger },
  ) {
    this.#journal = journal
    this.#logger = logger
    this.expect(services)
    const held = remembered.filter(({ service, probes }) => this.#probes.get(service) === probes)
    this.#instances = new Set(held.map(({ instance }) => instance))
  }

  /** These are the services from now on. */
  expect(services: readonly ServiceSpec[]): void {
    this.#probes = new Map(services.map((spec) => [spec.name, fingerprint(spec)]))
  }

  /** Ids. */
  get instances(): readonly string[] {
    return [...this.#instances]
  }

  /** The first healthy verdict of each instance goes into the journal; one that it refuses, with the next. */
  take({ instance, service, status }: Verdict): void {
    const probes = this.#probes.get(service)
    if (status !== 'healthy' || probes === undefined || this.#instances.has(instance)) return
    this.#instances.add(instance)
    this.#journal.saveProven({ instance, service, probes }).catch((error: unknown) => {
      this.#instances.delete(instance)
      this.#logger.error({ instance, err: messageOf(error) }, 'not journaled that it was healthy')
    })
  }
}

function fingerprint({ probes }: ServiceSpec): string {
  return createHash('sha256').update(JSON.stringify(probes)).digest('hex').slice(0, 32)
}
