import type { ProbeSpec, RuntimeEvent } from '../model/index.ts'
import { Attempt } from './attempt.ts'
import { Network } from './network.ts'
import { EventQueue, type Scheduled } from './queue.ts'
import type { Random } from './random.ts'
import type { Scenario } from './scenario.ts'
import { Target } from './target.ts'

/** 2026-01-01T00:00:00Z; any fixed day will do, so that a run tells the same story whenever it is repeated. */
const EPOCH_WALL = 1_767_225_600_000
/** The machine has been up for an hour: monotonic time never begins at 0 where a monitor runs. */
const BOOTED_MS = 3_600_000
/** Between two stalls of a starved monitor, on average. */
const STARVED_GAP_MS = 150
/** A service looks at its dependencies about once a second and needs a moment to believe it. */
const FOLLOWS_AFTER_MS = [1_000, 2_000] as const

/** Who wants to know what happens in the world. */
export interface Witness {
  runtimeEvent(event: RuntimeEvent): void
  /** For the story of a run; `service` is null where it concerns all. */
  truth(service: string | null, what: string): void
  changed(target: Target): void
}

/** Virtual time, the network and the truth about every service. Everything that happens is an entry of one queue. */
export class World {
  /** Milliseconds, monotonic. */
  now = BOOTED_MS
  readonly network: Network
  readonly random: Random
  readonly targets = new Map<string, Target>()
  /** Entries worked off; a measure of what a run costs. */
  steps = 0
  readonly #queue = new EventQueue()
  readonly #followers = new Map<string, Target[]>()
  readonly #inFlight = new Map<Target, Set<Attempt>>()
  readonly #aliveBefore = new Map<Target, boolean>()
  readonly #witness: Witness
  #wallOffset = EPOCH_WALL - BOOTED_MS
  #stoppedUntil = -Infinity
  #starved = { until: -Infinity, lagMs: 0, next: 0 }

  constructor(scenario: Scenario, random: Random, witness: Witness) {
    this.random = random
    this.#witness = witness
    this.network = new Network(scenario.network, random.fork('network'))
    for (const plan of scenario.services) {
      const target = new Target(plan, random.fork(`service/${plan.spec.name}`))
      this.targets.set(target.name, target)
      this.#inFlight.set(target, new Set())
    }
    for (const target of this.targets.values()) {
      if (!target.plan.followsDependencies) continue
      for (const { service } of target.plan.spec.dependsOn) {
        this.#followers.set(service, [...(this.#followers.get(service) ?? []), target])
      }
    }
  }

  wall(): number {
    return Math.round(this.now + this.#wallOffset)
  }

  target(name: string): Target {
    const target = this.targets.get(name)
    if (!target) throw new RangeError(`the scenario has no service "${name}"`)
    return target
  }

  /** Something of the world; happens whatever the monitor does. */
  at(time: number, run: () => void): Scheduled {
    return this.#queue.add(Math.max(time, this.now), run)
  }

  /** Something that the monitor does; late when the monitor is stopped or starved. */
  observerAt(time: number, run: () => void): Scheduled {
    return this.#queue.add(Math.max(time, this.now), run, true)
  }

  run(until: number): void {
    const queue = this.#queue
    for (let next = queue.peek(); next !== undefined && next.at <= until; next = queue.peek()) {
      queue.take()
      if (next.run === null) continue
      this.now = next.at
      if (next.observer && this.#held(next.at)) {
        queue.postpone(next, this.#stoppedUntil)
        continue
      }
      this.steps += 1
      next.run()
    }
    this.now = Math.max(this.now, until)
  }

  /** Asks a target over a fresh connection; `closed` gives it up. */
  ask(target: Target, probe: ProbeSpec): Attempt {
    const attempt = new Attempt(target, probe, this.now, this.network)
    this.#inFlight.get(target)?.add(attempt)
    return attempt
  }

  closed(attempt: Attempt): void {
    attempt.log(this.now)
    this.#inFlight.get(attempt.target)?.delete(attempt)
  }

  inFlight(target: Target): Iterable<Attempt> {
    return this.#inFlight.get(target) ?? []
  }

  tell(event: RuntimeEvent): void {
    this.#witness.runtimeEvent(event)
  }

  note(service: string | null, what: string): void {
    this.#witness.truth(service, what)
  }

  /** The truth about `target` is another now: whoever is asking or following it has to learn it. */
  changed(target: Target): void {
    for (const attempt of this.#inFlight.get(target) ?? []) {
      const before = attempt.endsAt
      attempt.reconsider(this.now, this.network)
      if (attempt.endsAt !== before) attempt.moved?.()
    }
    this.#witness.changed(target)
    const alive = target.alive(this.now)
    if (this.#aliveBefore.get(target) === alive) return
    this.#aliveBefore.set(target, alive)
    for (const follower of this.#followers.get(target.name) ?? []) {
      this.at(this.now + this.random.between(...FOLLOWS_AFTER_MS), () => this.#follow(follower))
    }
  }

  stopObserver(forMs: number): void {
    this.#stoppedUntil = Math.max(this.#stoppedUntil, this.now + forMs)
  }

  starveObserver(forMs: number, lagMs: number): void {
    this.#starved = { until: this.now + forMs, lagMs, next: this.now }
  }

  jumpClock(byMs: number): void {
    this.#wallOffset += byMs
  }

  #held(at: number): boolean {
    if (at < this.#stoppedUntil) return true
    const starved = this.#starved
    if (at >= starved.until || at < starved.next) return false
    this.#stoppedUntil = at + this.random.exponential(starved.lagMs)
    starved.next = this.#stoppedUntil + this.random.exponential(STARVED_GAP_MS)
    return true
  }

  /** A service looks at its dependencies. */
  #follow(follower: Target): void {
    const lost = follower.plan.spec.dependsOn
      .map((edge) => edge.service)
      .filter((name) => this.targets.get(name)?.alive(this.now) === false)
    if (follower.process === null || lost.join() === follower.lostDependencies.join()) return
    follower.lostDependencies = lost
    this.note(follower.name, lost.length > 0 ? `cannot reach ${lost.join(', ')}` : 'reaches its dependencies again')
    this.changed(follower)
  }

  /** A fresh process knows at once what it cannot reach. */
  lookAround(target: Target): void {
    this.#follow(target)
  }
}
