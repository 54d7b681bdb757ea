import { createHash } from 'node:crypto'
import type {
  Action,
  ActionOutcome,
  AttemptClass,
  DerivedEvent,
  Incident,
  RuntimeEvent,
  ServiceView,
  Verdict,
} from '../model/index.ts'
import { MAX_LISTED, noFigures, sample, type Figures, type SimulatedAction } from './figures.ts'
import { judge } from './oracle.ts'
import { tellConclusion, tellOutcome, tellVerdict } from './retell.ts'
import { isServiceFault, type Fault, type TroubleKind } from './scenario.ts'
import type { Target } from './target.ts'
import type { World } from './world.ts'

/** truth: what happened · seen: what the monitor was told · verdict, incident, action: what it made of that */
export type StoryKind = 'truth' | 'seen' | 'verdict' | 'incident' | 'action'

/** One line of what happened, for reading. `at` is milliseconds since the run began. */
export interface StoryLine {
  readonly at: number
  readonly kind: StoryKind
  readonly service: string | null
  readonly text: string
}

const MAX_STORY = 20_000
/** A declaration that comes later after the end of a fault is about something else. */
const LATE_MS = 2_000
/** Faults that a restart by the monitor is meant to cure, so that time to recovery means something. */
const CURABLE: ReadonlySet<TroubleKind> = new Set(['crash', 'hang', 'suspend'])

interface Injected {
  readonly kind: TroubleKind
  readonly at: number
  /** When it ends by itself, which proves nothing about the cure; Infinity: never. */
  readonly until: number
  declared: boolean
  recovered: boolean
}

/** Keeps the books of a run: compares what the monitor says with the truth, and remembers what it did. */
export class Recorder {
  readonly figures: Figures = noFigures()
  readonly story: StoryLine[] = []
  readonly incidents = new Map<string, Incident>()
  readonly actions: SimulatedAction[] = []
  readonly views = new Map<string, ServiceView>()
  readonly declarationsOf = new Map<string, string[]>()
  readonly withheld: { readonly service: string; readonly reason: string }[] = []
  quarantined: string[] = []
  observerUnwell = 0
  readonly #world: World
  readonly #start: number
  readonly #hash = createHash('sha256')
  readonly #injected = new Map<string, Injected[]>()
  readonly #wellVerdict = new Map<string, boolean>()
  /** What the probes saw of each service since its last line, by class of outcome. */
  readonly #observed = new Map<string, Map<AttemptClass, number>>()

  constructor(world: World) {
    this.#world = world
    this.#start = world.now
  }

  tell(kind: StoryKind, service: string | null, text: string): void {
    const at = this.#world.now - this.#start
    this.#hash.update(`${at} ${kind} ${service} ${text}\n`)
    if (this.story.length < MAX_STORY) this.story.push({ at, kind, service, text })
  }

  observed(service: string, outcome: AttemptClass): void {
    let counts = this.#observed.get(service)
    if (!counts) this.#observed.set(service, (counts = new Map()))
    counts.set(outcome, (counts.get(outcome) ?? 0) + 1)
  }

  #tellObserved(service: string): void {
    const counts = this.#observed.get(service)
    if (!counts || counts.size === 0) return
    this.tell('seen', service, `probes: ${[...counts].map(([outcome, count]) => `${count} ${outcome}`).join(', ')}`)
    counts.clear()
  }

  /** Over all that was told, in order, and how much was done for it. */
  digest(): string {
    return this.#hash.copy().update(`${this.#world.steps} ${this.figures.attempts}`).digest('hex').slice(0, 16)
  }

  injected(fault: Fault): void {
    if (!isServiceFault(fault)) return
    // Who is thought to be ill already cannot be found ill; what waits for a start is not there yet.
    if (this.#wellVerdict.get(fault.service) !== true || fault.kind === 'cannot-start') return
    const until = 'forMs' in fault && fault.forMs !== undefined ? this.#world.now + fault.forMs : Infinity
    this.#tellObserved(fault.service)
    const list = this.#injected.get(fault.service) ?? []
    list.push({ kind: fault.kind, at: this.#world.now, until, declared: false, recovered: false })
    this.#injected.set(fault.service, list)
  }

  /** The truth about a target has changed. */
  changed(target: Target): void {
    const { now } = this.#world
    const { process } = target
    if (process === null || !target.sound(now)) return
    for (const fault of this.#injected.get(target.name) ?? []) {
      if (fault.recovered || fault.until < Infinity || !CURABLE.has(fault.kind)) continue
      fault.recovered = true
      sample(this.figures.recovery, fault.kind, now - fault.at)
      sample(this.figures.overhead, fault.kind, now - fault.at - (process.readyAt - process.bornAt))
    }
  }

  verdict(verdict: Verdict, target: Target): void {
    const { status, previous, service, symptom, reason } = verdict
    this.#tellObserved(service)
    this.#retell(tellVerdict(verdict))
    this.#wellVerdict.set(service, status === 'healthy')
    if (status !== 'degraded' && status !== 'unhealthy') return
    for (const fault of this.#injected.get(service) ?? []) {
      if (fault.declared || this.#world.now > fault.until + LATE_MS) continue
      fault.declared = true
      sample(this.figures.detection, fault.kind, this.#world.now - fault.at)
    }
    if (status === previous) return
    this.figures.declarations += 1
    const truth = judge(this.#world, target)
    const heard = this.declarationsOf.get(service) ?? []
    heard.push(status)
    this.declarationsOf.set(service, heard)
    if (truth === 'unreachable') this.figures.unreachable += 1
    if (truth !== 'false') return
    this.figures.falseCount += 1
    this.tell('truth', service, `was well when it was called ${status}: a false declaration`)
    if (this.figures.falseDeclarations.length < MAX_LISTED) {
      const at = this.#world.now - this.#start
      this.figures.falseDeclarations.push({ at, service, status, symptom, reason, truth })
    }
  }

  concluded(event: DerivedEvent): void {
    switch (event.type) {
      case 'service.changed':
        this.views.set(event.service.name, event.service)
        break
      case 'incident.opened':
        this.figures.incidents += 1
        this.incidents.set(event.incident.id, event.incident)
        break
      case 'incident.updated':
      case 'incident.recovered':
      case 'incident.closed':
        this.incidents.set(event.incident.id, event.incident)
        break
      case 'action.withheld':
        this.withheld.push({ service: event.service, reason: event.reason })
        break
      case 'service.quarantined':
        this.figures.quarantines += 1
        this.quarantined.push(event.service)
        break
      case 'service.released':
        this.quarantined = this.quarantined.filter((name) => name !== event.service)
        break
      case 'action.decided':
        break
    }
    const told = tellConclusion(event)
    if (told) this.#retell(told)
  }

  acting(action: Action, target: Target): SimulatedAction {
    const entry: SimulatedAction = { decidedAt: this.#world.now - this.#start, action, outcome: null, finishedAt: null }
    this.actions.push(entry)
    this.figures.actions += 1
    if (action.kind === 'restart' && target.sound(this.#world.now)) {
      this.figures.healthyRestarts += 1
      this.tell('truth', action.service, 'was well when it was restarted')
    }
    return entry
  }

  acted(entry: SimulatedAction, outcome: ActionOutcome): void {
    entry.outcome = outcome
    entry.finishedAt = this.#world.now - this.#start
    this.#retell(tellOutcome(entry.action, outcome))
  }

  seen(event: RuntimeEvent): void {
    this.tell('seen', event.instance.service, event.type)
  }

  doubtedItself(unwell: boolean, reason: string): void {
    this.observerUnwell += Number(unwell)
    this.tell('seen', null, unwell ? reason : 'the monitor trusts itself again')
  }

  finish(services: number): void {
    this.figures.serviceHours += (services * (this.#world.now - this.#start)) / 3_600_000
    for (const faults of this.#injected.values()) {
      for (const { kind, declared } of faults) {
        if (!declared) this.figures.undetected[kind] = (this.figures.undetected[kind] ?? 0) + 1
      }
    }
  }

  #retell({ kind, service, text }: Omit<StoryLine, 'at'>): void {
    this.tell(kind, service, text)
  }
}
