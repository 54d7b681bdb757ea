import { messageOf, printable } from '@medyk/health/internal'
import type { AttemptOutcome, Instance, Prober, ProbeSpec } from '../model/index.ts'

/** Asks through the probers, so many at a time. */
export class Asker {
  readonly #probers: ReadonlyMap<string, Prober>
  readonly #max: number
  #inFlight = 0

  constructor(probers: ReadonlyMap<string, Prober>, max: number) {
    this.#probers = probers
    this.#max = max
  }

  get inFlight(): number {
    return this.#inFlight
  }

  /** Never rejects. Probers settle by their timeout; what they cannot do, or one that breaks its promise, is void. */
  async ask(probe: ProbeSpec, instance: Instance, timeoutMs: number, signal: AbortSignal): Promise<AttemptOutcome> {
    const prober = this.#probers.get(probe.kind)
    if (!prober) return { class: 'void', reason: printable(`there is no prober "${probe.kind}"`) }
    const { address = null, health = null } = instance
    if (probe.dial === 'instance' && address === null)
      return { class: 'void', reason: 'its runtime names no address for it' }
    if (this.#inFlight >= this.#max) return { class: 'void', reason: 'too many probes in flight' }
    this.#inFlight++
    try {
      const dial = probe.dial === 'instance' && address !== null ? { dial: address } : {}
      return await prober.probe(probe.options, { timeoutMs, signal, target: { address, health }, ...dial })
    } catch (thrown) {
      return { class: 'void', reason: printable(`the ${probe.kind} prober failed: ${messageOf(thrown)}`) }
    } finally {
      this.#inFlight--
    }
  }
}
