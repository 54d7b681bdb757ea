import type { AttemptOutcome, ProbeRole, TargetReport } from '../model/index.ts'
import type { Random } from './random.ts'
import type { ServiceTrouble, SimulatedService, TroubleKind } from './scenario.ts'

/** What was truly wrong, and when. `to` is null while it lasts. */
export interface TroublePeriod {
  readonly kind: TroubleKind | 'late-boot'
  readonly from: number
  to: number | null
}

/** An answer without the time it took on the way. */
export type Answer =
  | { readonly class: 'ok'; readonly report: TargetReport | null }
  | {
      readonly class: 'explicit'
      readonly reason: string
      readonly report: TargetReport | null
      readonly answered: true
    }
  | { readonly class: 'misconfigured'; readonly reason: string }

/** What meets a connection at the moment: nobody listens, a process that is stuck, or one that works. */
export type Listening = 'no' | 'stuck' | 'yes'

export interface Process {
  /** Wall clock, as the runtime tells it. */
  readonly startedAt: string
  readonly bornAt: number
  /** Virtual time from which it listens. */
  readonly readyAt: number
}

const wellReport: TargetReport = { status: 'healthy', failing: [], version: '1.0.0' }
const wellAnswer: Answer = { class: 'ok', report: wellReport }

/** The truth about one simulated service: what its process does and what is wrong with it. Knows nothing of the monitor. */
export class Target {
  readonly plan: SimulatedService
  readonly name: string
  /** Everything that was ever wrong, oldest first; recent enough periods only (`forget`). */
  troubles: TroublePeriod[] = []
  process: Process | null = null
  /** Dependencies that this service has noticed to be dead. */
  lostDependencies: readonly string[] = []
  /** When a request was last answered correctly, and when wrongly. */
  lastGoodAnswerAt = -Infinity
  lastBadAnswerAt = -Infinity
  readonly #random: Random
  #now: ServiceTrouble[] = []

  constructor(plan: SimulatedService, random: Random) {
    this.plan = plan
    this.name = plan.spec.name
    this.#random = random
  }

  trouble<K extends TroubleKind>(kind: K): Extract<ServiceTrouble, { kind: K }> | undefined {
    for (const trouble of this.#now) if (trouble.kind === kind) return trouble as Extract<ServiceTrouble, { kind: K }>
    return undefined
  }

  begin(trouble: ServiceTrouble, at: number): void {
    this.end(trouble.kind, at)
    this.#now.push(trouble)
    this.troubles.push({ kind: trouble.kind, from: at, to: null })
  }

  end(kind: TroubleKind | 'late-boot', at: number): void {
    this.#now = this.#now.filter((trouble) => trouble.kind !== kind)
    for (const period of this.troubles) if (period.kind === kind && period.to === null) period.to = at
  }

  listening(at: number): Listening {
    if (this.process === null || at < this.process.readyAt) return 'no'
    return this.#now.length > 0 && (this.trouble('hang') || this.trouble('suspend')) ? 'stuck' : 'yes'
  }

  /** Whether anyone who depends on this service would find it alive. */
  alive(at: number): boolean {
    return this.listening(at) === 'yes' && (this.trouble('errors')?.share ?? 0) < 1 && !this.trouble('garbage')
  }

  /** Whether it does its work, as an operator would say: alive, ready, and nothing wrong but dependencies. */
  sound(at: number): boolean {
    return this.listening(at) === 'yes' && this.#now.every((trouble) => trouble.kind === 'cannot-start')
  }

  answerDelay(): number {
    return this.#random.spread(this.plan.latency) + (this.#now.length > 0 ? (this.trouble('slow')?.addMs ?? 0) : 0)
  }

  answer(role: ProbeRole): Answer {
    const lost = this.lostDependencies
    if (this.#now.length === 0 && lost.length === 0) return wellAnswer
    if (this.trouble('misconfigured')) return { class: 'misconfigured', reason: 'answered 404' }
    if (this.trouble('garbage'))
      return { class: 'explicit', reason: 'answered 200 with a wrong body', report: null, answered: true }
    const errors = this.trouble('errors')
    if (errors && this.#random.chance(errors.share)) {
      return { class: 'explicit', reason: 'answered 500', report: null, answered: true }
    }
    const failing = [...(this.trouble('not-ready')?.failing ?? []), ...lost]
    if (failing.length === 0) return wellAnswer
    if (role === 'readiness') {
      const report: TargetReport = { status: 'unhealthy', failing, version: '1.0.0' }
      return { class: 'explicit', reason: 'answered 503', report, answered: true }
    }
    return { class: 'ok', report: { status: 'degraded', failing, version: '1.0.0' } }
  }

  /** Notes in the target's own request log that it answered. */
  answered(answer: Answer, delayMs: number, at: number): void {
    if (answer.class === 'ok' && answer.report?.status === 'healthy' && delayMs < SLOW_ANSWER_MS) {
      this.lastGoodAnswerAt = Math.max(this.lastGoodAnswerAt, at)
    } else this.lastBadAnswerAt = Math.max(this.lastBadAnswerAt, at)
  }

  /** Drops what ended before `at`. */
  forget(at: number): void {
    if (this.troubles.length > 16) this.troubles = this.troubles.filter((t) => t.to === null || t.to >= at)
  }
}

/** An answer slower than this is not in threshold, whoever gives it. Source: reference, "slow". */
const SLOW_ANSWER_MS = 400

export function outcomeOf(answer: Answer, latencyMs: number): AttemptOutcome {
  return { ...answer, latencyMs }
}
