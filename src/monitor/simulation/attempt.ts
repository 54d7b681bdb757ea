import type { AttemptOutcome, ProbeSpec } from '../model/index.ts'
import type { Network } from './network.ts'
import { outcomeOf, type Answer, type Target } from './target.ts'

type Ending = 'open' | 'refused' | 'reset' | 'answered'

/**
 * One question over a fresh connection. Its whole course is computed when it starts, from the truth of that moment; if the
 * truth changes before the target has decided, `reconsider` computes the rest anew.
 */
export class Attempt {
  readonly target: Target
  readonly probe: ProbeSpec
  readonly startedAt: number
  /** Infinity: never. */
  endsAt = Infinity
  /** When the target's answer left it. */
  answeredAt = Infinity
  /** Called when `endsAt` has moved, so that whoever waits for it can wait anew. */
  moved: (() => void) | null = null
  #ending: Ending = 'open'
  #answer: Answer | null = null
  #answerDelay = 0
  #reached = Infinity
  #known = Infinity
  #requestAt = Infinity
  #connected = false

  constructor(target: Target, probe: ProbeSpec, at: number, network: Network) {
    this.target = target
    this.probe = probe
    this.startedAt = at
    const handshake = network.handshake(target.name, at, probe.timeoutMs)
    if (handshake === null) return
    this.#reached = handshake.reached
    this.#known = handshake.known
    this.#arrive(network)
  }

  /** Whether the target may still change its mind at `at`. */
  undecided(at: number): boolean {
    return this.#ending === 'open' || at < this.answeredAt
  }

  /** The truth about the target has changed at `at`. */
  reconsider(at: number, network: Network): void {
    if (this.#reached === Infinity || !this.undecided(at)) return
    if (at < this.#reached) return this.#arrive(network)
    if (!this.#connected) return
    if (this.target.listening(at) === 'no') {
      this.#ending = 'reset'
      this.answeredAt = at
      // A reset is sent once and never again.
      this.endsAt = network.passes(this.target.name, at) ? at + network.delay() : Infinity
      return
    }
    this.#process(Math.max(at, this.#requestAt), network)
  }

  /** What the prober sees when it looks at `at`, the deadline included. */
  outcome(at: number): AttemptOutcome {
    // As the probers measure it: from the request having been sent, so that a lost SYN is no slowness.
    const latencyMs = at - (this.#known <= at ? this.#known : this.startedAt)
    if (this.endsAt > at) return { class: 'silence', reason: 'no answer in time', latencyMs }
    if (this.#ending === 'answered' && this.#answer) return outcomeOf(this.#answer, latencyMs)
    const reason = this.#ending === 'reset' ? 'connection reset' : 'connection refused'
    return { class: 'explicit', reason, latencyMs, report: null }
  }

  /** Writes the answer into the target's own log, if it was given by `at`. */
  log(at: number): void {
    if (this.#ending !== 'answered' || this.#answer === null || this.answeredAt > at) return
    this.target.answered(this.#answer, this.#answerDelay, this.answeredAt)
  }

  #arrive(network: Network): void {
    this.#connected = this.target.listening(this.#reached) !== 'no'
    if (!this.#connected) {
      this.#ending = 'refused'
      this.answeredAt = this.#reached
      this.endsAt = this.#known
      return
    }
    this.#requestAt = network.delivery(this.target.name, this.#known)
    this.#process(this.#requestAt, network)
  }

  #process(from: number, network: Network): void {
    this.#ending = 'open'
    this.answeredAt = Infinity
    this.endsAt = Infinity
    if (from === Infinity || this.target.listening(from) === 'stuck') return
    this.#answer = this.target.answer(this.probe.role)
    this.#answerDelay = this.target.answerDelay()
    this.answeredAt = from + this.#answerDelay
    this.#ending = 'answered'
    this.endsAt = network.delivery(this.target.name, this.answeredAt)
  }
}
