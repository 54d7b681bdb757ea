import { messageOf, systemClock, type Clock } from '@medyk/health/internal'
import {
  detect,
  hasSucceeded,
  initialDetection,
  rules,
  type DetectionInput,
  type DetectionState,
  type ObserverCondition,
} from '../detection/index.ts'
import type { AttemptOutcome, Instance, Now, ProbeSpec, Prober, RuntimeEvent, ServiceSpec } from '../model/index.ts'
import { probers } from '../probing/probers/index.ts'
import { afterTurns } from '../probing/probers/turns.ts'
import {
  initialSchedule,
  schedule,
  WakeQueue,
  type Launch,
  type ScheduleEvent,
  type ScheduleState,
} from '../probing/schedule/index.ts'
import { outputOf } from '../simulation/trace.ts'
import { Asker } from './asker.ts'
import { SelfWatch } from './self-watch.ts'
import { openSentinel, type Sentinel } from './sentinel.ts'
import { ShardMeter } from './shard-meter.ts'
import type { DetectionRecord, FromShard, ShardSettings, ToShard } from './shard-protocol.ts'

/** The half of a message port that a shard needs: of a worker's parent or of a channel within one thread. */
export interface ShardPort {
  postMessage(message: FromShard): void
  on(event: 'message', listener: (message: ToShard) => void): unknown
  off(event: 'message', listener: (message: ToShard) => void): unknown
}

export interface ShardSurroundings {
  readonly clock?: Clock
  /** In [0, 1): spreads the probes over their interval. */
  readonly random?: () => number
}

interface Target {
  /** Replaced as long as that changes nothing for what is examined. */
  spec: ServiceSpec
  readonly id: string
  readonly detection: DetectionState
  readonly schedule: ScheduleState
  readonly probes: ReadonlyMap<string, ProbeSpec>
  readonly abort: AbortController
}

const due: ScheduleEvent = { type: 'due' }
const tick: DetectionInput = { type: 'tick' }
const secondMs = 1_000
const shardNumber = 0

/** Opens the probers and starts listening. What comes over the port before that waits there. */
export async function runShard(
  port: ShardPort,
  settings: ShardSettings,
  surroundings: ShardSurroundings = {},
): Promise<Shard> {
  const loaded = Object.entries(probers).map(async ([kind, load]) => {
    return [kind, await (await load()).create({ userAgent: settings.userAgent })] as const
  })
  const kinds = new Map(await Promise.all(loaded))
  let sentinel: Sentinel | null = null
  try {
    sentinel = await openSentinel()
  } catch (error) {
    port.postMessage({ type: 'problem', message: `no loopback echo to judge ourselves by: ${messageOf(error)}` })
  }
  return new Shard(port, settings, kinds, sentinel, surroundings)
}

/**
 * Probing and detection of many targets on one thread. Observations stay here; verdicts leave. Its own health comes
 * first: before any outcome is believed the loop's punctuality is looked at.
 */
export class Shard implements Disposable {
  readonly #port: ShardPort
  readonly #settings: ShardSettings
  readonly #clock: Clock
  readonly #random: () => number
  readonly #targets = new Map<string, Target>()
  readonly #launches = new WakeQueue<Target>()
  readonly #ticks = new WakeQueue<Target>()
  readonly #self: SelfWatch
  readonly #asker: Asker
  readonly #meter = new ShardMeter()
  readonly #heartbeat: NodeJS.Timeout
  readonly #onMessage = (message: ToShard) => this.#take(message)
  #records: DetectionRecord[] = []
  #services = new Map<string, ServiceSpec>()
  #boots: ReadonlyMap<string, number> = new Map()
  #timer: Disposable | null = null
  #timerAt = Infinity
  #lastSecond: number
  #isTicking = false
  #stopped = false

  constructor(
    port: ShardPort,
    settings: ShardSettings,
    kinds: ReadonlyMap<string, Prober>,
    sentinel: Sentinel | null,
    { clock = systemClock, random = Math.random }: ShardSurroundings = {},
  ) {
    this.#port = port
    this.#settings = settings
    this.#asker = new Asker(kinds, settings.maxInFlight)
    this.#clock = clock
    this.#random = random
    this.#self = new SelfWatch(clock, sentinel, (now, before) => this.#observerChanged(now, before))
    this.#lastSecond = clock.mono()
    this.#heartbeat = setInterval(() => this.#beat(), rules.observer.tickMs)
    port.on('message', this.#onMessage)
    port.postMessage({ type: 'ready' })
  }

  /** Ends every attempt; nothing is posted after this. */
  [Symbol.dispose](): void {
    if (this.#stopped) return
    this.#flush()
    this.#stopped = true
    this.#port.off('message', this.#onMessage)
    clearInterval(this.#heartbeat)
    this.#timer?.[Symbol.dispose]()
    for (const target of this.#targets.values()) target.abort.abort()
    this.#self[Symbol.dispose]()
  }

  #now(): Now {
    return { mono: this.#clock.mono(), wall: this.#clock.wall() }
  }

  #take(message: ToShard): void {
    this.#self.look()
    switch (message.type) {
      case 'targets':
        this.#reconcile(message)
        break
      case 'instance':
        this.#runtimeEvent(message.event)
        break
      case 'confirm':
        void this.#confirm(message)
        break
      case 'stop':
        this[Symbol.dispose]()
        break
    }
    this.#arm()
  }

  #reconcile({ services, instances, proven, boots }: Extract<ToShard, { type: 'targets' }>): void {
    this.#boots = new Map(boots.map(({ service, bootMs }) => [service, bootMs]))
    this.#services = new Map(services.map((spec) => [spec.name, spec]))
    const wanted = new Set(instances.map((instance) => instance.id))
    for (const id of this.#targets.keys()) if (!wanted.has(id)) this.#drop(id)
    for (const instance of instances) {
      const spec = this.#services.get(instance.service)
      const known = this.#targets.get(instance.id)
      if (!spec) this.#drop(instance.id)
      else if (!known || !isExaminedAlike(known.spec, spec)) {
        this.#drop(instance.id)
        this.#watch(spec, instance, proven.includes(instance.id))
      } else {
        known.spec = spec
        this.#detect(known, { type: eventOf(instance), instance })
      }
    }
  }

  #runtimeEvent(event: RuntimeEvent): void {
    const { instance } = event
    const target = this.#targets.get(instance.id)
    if (event.type === 'instance.removed') {
      if (target) this.#detect(target, event)
      this.#drop(instance.id)
    } else if (target) this.#detect(target, event)
    else {
      const spec = this.#services.get(instance.service)
      if (spec) this.#watch(spec, instance, false)
    }
  }

  #watch(spec: ServiceSpec, instance: Instance, proven: boolean): void {
    const now = this.#now()
    const startedAt = instance.startedAt === null ? Number.NaN : Date.parse(instance.startedAt)
    const options = {
      proven,
      runningForMs: Number.isNaN(startedAt) ? 0 : Math.max(0, now.wall - startedAt),
      bootMs: this.#boots.get(spec.name) ?? 0,
    }
    this.#record({ t: 'watch', shard: shardNumber, service: spec, instance, options, now })
    const target: Target = {
      spec,
      id: instance.id,
      detection: initialDetection(spec, instance, now, options),
      schedule: initialSchedule(spec.probes, now.mono, this.#random),
      probes: new Map(spec.probes.map((probe) => [probe.name, probe])),
      abort: new AbortController(),
    }
    this.#targets.set(instance.id, target)
    const { unwell, stretched } = this.#self.condition
    this.#detect(target, stretched ? { type: 'observer', unwell, stretched } : tick)
    this.#schedule(target, due)
  }

  #drop(id: string): void {
    const target = this.#targets.get(id)
    if (!target) return
    this.#targets.delete(id)
    this.#launches.delete(target)
    this.#ticks.delete(target)
    target.abort.abort()
  }

  #detect(target: Target, input: DetectionInput): void {
    const now = this.#now()
    const detected = detect(target.detection, input, now)
    if (this.#settings.record) {
      const at = { shard: shardNumber, instance: target.id }
      this.#record({ t: 'detect', ...at, input, now })
      const output = outputOf(detected)
      if (output) this.#record({ t: 'verdict', ...at, output })
    }
    if (detected.verdict) this.#port.postMessage({ type: 'verdict', verdict: detected.verdict })
    this.#ticks.set(target, detected.wakeAt)
    for (const { probe, pace } of detected.pace) this.#schedule(target, { type: 'pace', probe, pace })
    for (const probe of detected.probeNow) this.#schedule(target, { type: 'now', probe })
  }

  #schedule(target: Target, event: ScheduleEvent): void {
    const { launches, wakeAt } = schedule(target.schedule, event, this.#clock.mono())
    this.#launches.set(target, wakeAt)
    for (const launch of launches) this.#launch(target, launch)
  }

  #launch(target: Target, launch: Launch): void {
    const probe = target.probes.get(launch.probe)
    if (!probe) return
    const startedAt = this.#clock.mono()
    this.#detect(target, { type: 'attempt.started', ...launch })
    void this.#asker.ask(probe, target.detection.instance, probe.timeoutMs, target.abort.signal).then((outcome) => {
      if (!target.abort.signal.aborted) this.#finished(target, launch, startedAt, outcome)
    })
  }

  #finished(target: Target, launch: Launch, startedAt: number, outcome: AttemptOutcome): void {
    this.#self.look()
    const { probe, attempt } = launch
    const endedAt = this.#clock.mono()
    this.#meter.finished(target.id, probe, outcome, this.#clock.wall())
    const observation = { instance: target.id, probe, attempt, startedAt, endedAt, outcome }
    this.#detect(target, { type: 'attempt.finished', observation })
    const answered = outcome.class !== 'silence' && outcome.class !== 'void'
    this.#schedule(target, { type: 'finished', probe, attempt, answered })
    this.#arm()
  }

  async #confirm({ token, services, withinMs }: Extract<ToShard, { type: 'confirm' }>): Promise<void> {
    const asked = services.map(async (name) => ({ name, sound: await this.#isSound(name, withinMs) }))
    const answers = await Promise.all(asked)
    if (this.#stopped) return
    const named = (sound: boolean) => answers.filter((one) => one.sound === sound).map((one) => one.name)
    this.#post({ type: 'confirmed', token, sound: named(true), doubtful: named(false) })
  }

  /** One of its instances is. */
  async #isSound(service: string, withinMs: number): Promise<boolean> {
    const targets = [...this.#targets.values()].filter((target) => target.spec.name === service)
    return (await Promise.all(targets.map((target) => this.#looksSound(target, withinMs)))).includes(true)
  }

  /** A good answer now. Where there is nobody to ask, or only a guess that was never right, it is enough that it runs. */
  async #looksSound({ spec, detection, abort }: Target, withinMs: number): Promise<boolean> {
    const { instance, finding } = detection
    // It has done what it was there for: there is nothing to be had of it any more.
    if (finding.symptom === 'finished') return true
    const known = spec.probes.filter((probe) => !probe.guessed || hasSucceeded(detection, probe.name))
    const probe = known.find(({ role }) => role === 'liveness') ?? known[0]
    if (!probe) return instance.state === 'running'
    const { class: said } = await this.#asker.ask(probe, instance, Math.min(withinMs, probe.timeoutMs), abort.signal)
    // Who says that there is no such page is there.
    return said === 'ok' || said === 'misconfigured'
  }

  /** One timer for the earliest of all wishes. */
  #arm(): void {
    if (this.#stopped) return
    const at = Math.min(this.#launches.nextAt, this.#isTicking ? Infinity : this.#ticks.nextAt)
    if (at === this.#timerAt) return
    this.#timer?.[Symbol.dispose]()
    this.#timerAt = at
    if (at === Infinity) this.#timer = null
    else this.#timer = this.#clock.timer(Math.max(0, Math.ceil(at - this.#clock.mono())), () => this.#wake())
  }

  #wake(): void {
    const now = this.#clock.mono()
    this.#meter.woke(now - this.#timerAt)
    this.#timerAt = Infinity
    this.#timer = null
    this.#self.look()
    for (let target = this.#launches.pop(now); target; target = this.#launches.pop(now)) this.#schedule(target, due)
    if (!this.#isTicking && this.#ticks.nextAt <= now) {
      this.#isTicking = true
      afterTurns(() => this.#tickDue())
    }
    this.#arm()
  }

  #tickDue(): void {
    this.#isTicking = false
    if (this.#stopped) return
    this.#self.look()
    const now = this.#clock.mono()
    for (let target = this.#ticks.pop(now); target; target = this.#ticks.pop(now)) this.#detect(target, tick)
    this.#arm()
  }

  #observerChanged({ unwell, stretched, reason }: ObserverCondition, before: ObserverCondition): void {
    for (const target of this.#targets.values()) this.#detect(target, { type: 'observer', unwell, stretched })
    if (unwell !== before.unwell) this.#post({ type: 'observer.changed', unwell, reason })
  }

  #beat(): void {
    this.#self.look()
    const now = this.#clock.mono()
    if (now - this.#lastSecond >= secondMs) {
      this.#lastSecond = now
      this.#endSecond()
    }
    this.#flush()
    this.#arm()
  }

  #endSecond(): void {
    if (this.#meter.isStarved) this.#self.doubt('local')
    this.#self.listen()
    this.#port.postMessage(this.#meter.take(this.#asker.inFlight))
  }

  #record(record: DetectionRecord): void {
    if (this.#settings.record) this.#records.push(record)
  }

  #flush(): void {
    if (this.#records.length === 0) return
    this.#port.postMessage({ type: 'records', records: this.#records })
    this.#records = []
  }

  #post(event: Extract<FromShard, { type: 'event' }>['event']): void {
    this.#port.postMessage({ type: 'event', event })
  }
}

/** Nothing that detection or the schedule goes by is another: edges and policies are for others. */
function isExaminedAlike(a: ServiceSpec, b: ServiceSpec): boolean {
  const relevant = ({ probes, startupGraceMs, unseenBootMs, job, mayFinish }: ServiceSpec) =>
    JSON.stringify([probes, startupGraceMs, unseenBootMs, job, mayFinish])
  return relevant(a) === relevant(b)
}

/** What a list says of an instance, as the event that would have said it. */
function eventOf({ state }: Instance): Exclude<RuntimeEvent['type'], 'instance.removed'> {
  if (state === 'failed') return 'instance.failed'
  if (state === 'unknown') return 'instance.lost'
  if (state === 'stopping') return 'instance.stopping'
  if (state === 'suspended' || state === 'paused') return 'instance.suspended'
  return state === 'running' ? 'instance.started' : 'instance.exited'
}
