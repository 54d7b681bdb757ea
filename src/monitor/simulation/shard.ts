import {
  detect,
  initialDetection,
  initialSelfHealth,
  observeTick,
  rules,
  type DetectionInput,
  type DetectionState,
} from '../detection/index.ts'
import type { AttemptClass, Instance, Now, ProbeSpec, RuntimeEvent, Verdict } from '../model/index.ts'
import {
  initialSchedule,
  schedule,
  type Launch,
  type ScheduleEvent,
  type ScheduleState,
} from '../probing/schedule/index.ts'
import type { Attempt } from './attempt.ts'
import type { Scheduled } from './queue.ts'
import type { Target } from './target.ts'
import { outputOf, type TraceSink } from './trace.ts'
import type { World } from './world.ts'

export interface ShardPorts {
  readonly world: World
  readonly trace: TraceSink | null
  /** The monitor may be stopped or starved: then, and only then, it has to watch itself. */
  readonly watchesItself: boolean
  observed(target: Target, outcome: AttemptClass): void
  verdict(verdict: Verdict, target: Target): void
  observer(unwell: boolean, reason: string): void
}

interface Watched {
  readonly target: Target
  readonly id: string
  readonly detection: DetectionState
  readonly schedule: ScheduleState
  readonly probes: ReadonlyMap<string, ProbeSpec>
  launchTimer: Scheduled | null
  tickTimer: Scheduled | null
}

const SHARD = 0

/** A worker shard of the daemon in virtual time: schedules probes, feeds detection, hands verdicts on. */
export class SimulatedShard {
  attempts = 0
  readonly #ports: ShardPorts
  readonly #world: World
  readonly #watched = new Map<string, Watched>()
  readonly #self

  constructor(ports: ShardPorts) {
    this.#ports = ports
    this.#world = ports.world
    this.#self = initialSelfHealth(this.#now())
    if (ports.watchesItself) this.#tickSelf()
  }

  watch(target: Target, instance: Instance, runningForMs: number): void {
    const { spec } = target.plan
    const random = this.#world.random.fork(`phase/${instance.id}`)
    const now = this.#now()
    const options = { runningForMs }
    this.#ports.trace?.write({ t: 'watch', shard: SHARD, service: spec, instance, options, now })
    const watched: Watched = {
      target,
      id: instance.id,
      detection: initialDetection(spec, instance, now, options),
      schedule: initialSchedule(spec.probes, now.mono, () => random.next()),
      probes: new Map(spec.probes.map((probe) => [probe.name, probe])),
      launchTimer: null,
      tickTimer: null,
    }
    this.#watched.set(instance.id, watched)
    this.#detect(watched, { type: 'tick' })
    this.#schedule(watched, { type: 'due' })
  }

  runtimeEvent(event: RuntimeEvent): void {
    const watched = this.#watched.get(event.instance.id)
    if (watched) this.#detect(watched, event)
  }

  /** One fresh look at a target, apart from the schedule. */
  lookOnce(target: Target, withinMs: number, done: (sound: boolean) => void): void {
    const probes = target.plan.spec.probes
    const probe = probes.find(({ role }) => role === 'liveness') ?? probes[0]
    if (!probe) return done(false)
    const timeoutMs = Math.min(probe.timeoutMs, withinMs)
    this.#ask(target, probe, timeoutMs, (attempt) => done(attempt.outcome(this.#world.now).class === 'ok'))
  }

  #now(): Now {
    return { mono: this.#world.now, wall: this.#world.wall() }
  }

  #detect(watched: Watched, input: DetectionInput): void {
    const { trace } = this.#ports
    const now = this.#now()
    trace?.write({ t: 'detect', shard: SHARD, instance: watched.id, input, now })
    const detected = detect(watched.detection, input, now)
    if (trace) {
      const output = outputOf(detected)
      if (output) trace.write({ t: 'verdict', shard: SHARD, instance: watched.id, output })
    }
    if (detected.verdict) this.#ports.verdict(detected.verdict, watched.target)
    watched.tickTimer = this.#rearm(watched.tickTimer, detected.wakeAt, () => this.#detect(watched, { type: 'tick' }))
    for (const { probe, pace } of detected.pace) this.#schedule(watched, { type: 'pace', probe, pace })
    for (const probe of detected.probeNow) this.#schedule(watched, { type: 'now', probe })
  }

  #schedule(watched: Watched, event: ScheduleEvent): void {
    const { launches, wakeAt } = schedule(watched.schedule, event, this.#world.now)
    watched.launchTimer = this.#rearm(watched.launchTimer, wakeAt, () => this.#schedule(watched, { type: 'due' }))
    for (const launch of launches) this.#launch(watched, launch)
  }

  #launch(watched: Watched, launch: Launch): void {
    const probe = watched.probes.get(launch.probe)
    if (!probe) return
    this.attempts += 1
    this.#detect(watched, { type: 'attempt.started', ...launch })
    this.#ask(watched.target, probe, probe.timeoutMs, (attempt) => {
      const outcome = attempt.outcome(this.#world.now)
      const answered = outcome.class !== 'silence' && outcome.class !== 'void'
      this.#observe()
      this.#ports.observed(watched.target, outcome.class)
      this.#detect(watched, {
        type: 'attempt.finished',
        observation: {
          instance: watched.id,
          probe: launch.probe,
          attempt: launch.attempt,
          startedAt: attempt.startedAt,
          endedAt: this.#world.now,
          outcome,
        },
      })
      this.#schedule(watched, { type: 'finished', probe: launch.probe, attempt: launch.attempt, answered })
    })
  }

  /** Calls `settle` when the answer is there or the time is up, whatever happens to the target meanwhile. */
  #ask(target: Target, probe: ProbeSpec, timeoutMs: number, settle: (attempt: Attempt) => void): void {
    const world = this.#world
    const attempt = world.ask(target, probe)
    const deadline = attempt.startedAt + timeoutMs
    const finish = () => {
      attempt.moved = null
      world.closed(attempt)
      settle(attempt)
    }
    let timer = world.observerAt(Math.min(attempt.endsAt, deadline), finish)
    attempt.moved = () => {
      timer.run = null
      timer = world.observerAt(Math.min(attempt.endsAt, deadline), finish)
    }
  }

  #rearm(timer: Scheduled | null, at: number, run: () => void): Scheduled | null {
    if (timer !== null && timer.run !== null) {
      if (timer.at === at) return timer
      timer.run = null
    }
    if (at === Infinity) return null
    const next = this.#world.observerAt(at, () => {
      next.run = null
      run()
    })
    return next
  }

  #tickSelf(): void {
    this.#world.observerAt(this.#world.now + rules.observer.tickMs, () => {
      this.#observe()
      this.#tickSelf()
    })
  }

  #observe(): void {
    if (!this.#ports.watchesItself) return
    const before = this.#self.condition.unwell
    const condition = observeTick(this.#self, this.#now())
    if (condition === null) return
    const { unwell, stretched, reason } = condition
    for (const watched of this.#watched.values()) this.#detect(watched, { type: 'observer', unwell, stretched })
    if (unwell !== before) this.#ports.observer(unwell, reason)
  }
}
