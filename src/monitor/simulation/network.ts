import type { Random } from './random.ts'
import type { NetworkPlan } from './scenario.ts'

/** Linux's first retransmission of a SYN comes after 1 s and doubles: attempts at these offsets. */
const SYN_ROUNDS_MS = [0, 1_000, 3_000, 7_000]
/** Later packets: the lower bound of Linux's retransmission time-out, doubling. */
const FIRST_RTO_MS = 200
/** Nothing that takes longer matters to a probe that gives up sooner. */
const GIVE_UP_MS = 15_000

interface Period {
  readonly from: number
  readonly to: number
}

/**
 * The way between the monitor and its targets: what a packet sent at a moment meets. Losses are drawn per packet and
 * direction; the delays of TCP that follow from them are Linux's (reference: measured for fresh connections).
 */
export class Network {
  readonly #plan: NetworkPlan
  readonly #random: Random
  #losses: (Period & { readonly share: number })[] = []
  #blackouts: (Period & { readonly services: ReadonlySet<string> | null })[] = []

  constructor(plan: NetworkPlan, random: Random) {
    this.#plan = plan
    this.#random = random
  }

  lossy(from: number, forMs: number, share: number): void {
    this.#losses.push({ from, to: from + forMs, share })
  }

  blackout(from: number, forMs: number, services: readonly string[] | null): void {
    this.#blackouts.push({ from, to: from + forMs, services: services === null ? null : new Set(services) })
  }

  /** Whether nothing could pass to or from `service` during all of [from, to]. */
  cut(service: string, from: number, to: number): boolean {
    return this.#blackouts.some((b) => b.from <= from && b.to >= to && (b.services?.has(service) ?? true))
  }

  delay(): number {
    return this.#random.spread(this.#plan.delay)
  }

  passes(service: string, at: number): boolean {
    let share = this.#plan.loss
    if (this.#losses.length > 0) {
      for (const period of this.#losses) if (at >= period.from && at < period.to) share = period.share
    }
    for (const { from, to, services } of this.#blackouts) {
      if (at >= from && at < to && (services?.has(service) ?? true)) return false
    }
    return !this.#random.chance(share)
  }

  /**
   * The handshake of a fresh connection that begins at `at`: when the target's kernel answers it and when the client knows.
   * A refusal takes the same way. null: not before anyone would have given up.
   */
  handshake(
    service: string,
    at: number,
    timeoutMs: number,
  ): { readonly reached: number; readonly known: number } | null {
    for (const round of SYN_ROUNDS_MS) {
      if (round >= timeoutMs) return null
      if (!this.passes(service, at + round)) continue
      const reached = at + round + this.delay()
      if (this.passes(service, reached)) return { reached, known: reached + this.delay() }
    }
    return null
  }

  /** When data sent at `at` over an open connection arrives; Infinity: too late for anyone. */
  delivery(service: string, at: number): number {
    let sent = at
    let rto = FIRST_RTO_MS
    while (!this.passes(service, sent)) {
      sent += rto
      rto *= 2
      if (sent - at > GIVE_UP_MS) return Infinity
    }
    return sent + this.delay()
  }
}
