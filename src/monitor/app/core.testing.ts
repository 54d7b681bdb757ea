import {
  defaultRecoveryPolicy,
  type CoreEvent,
  type DerivedEvent,
  type Effect,
  type EndedBy,
  type ExitInfo,
  type Instance,
  type InputEvent,
  type RecoveryPolicy,
  type ServiceSpec,
  type Verdict,
} from '../model/index.ts'
import { core, type CoreState } from './core.ts'

const serviceOf = (name: string) => name.split('/', 1)[0] ?? name

const WALL = 1_790_000_000_000

export function spec(name: string, dependsOn: string[] = [], policy: Partial<RecoveryPolicy> = {}): ServiceSpec {
  return {
    name,
    runtime: 'process',
    runtimeOptions: {},
    dependsOn: dependsOn.map((service) => ({ service, source: 'config' })),
    probes: [],
    startupGraceMs: 60_000,
    recovery: { ...defaultRecoveryPolicy, jitter: 0, ...policy },
  }
}

/**
 * Drives the core by hand: one instance a service, named like it; remembers all that came out. A further copy of a service
 * is called `web/2`, and is there once it has started.
 */
export class Bench {
  state: CoreState = core.initial()
  mono = 1_000_000
  readonly events: DerivedEvent[] = []
  readonly effects: Effect[] = []
  private runs = new Map<string, number>()

  constructor(...services: ServiceSpec[]) {
    this.send({ type: 'services.changed', services })
    for (const { name } of services) {
      this.started(name)
      this.healthy(name)
    }
    this.clear()
  }

  get wall() {
    return WALL + this.mono
  }

  send(event: InputEvent): void {
    this.sendCore(event)
  }

  private sendCore(event: CoreEvent): void {
    const reduced = core.reduce(this.state, event, { mono: this.mono, wall: this.wall })
    this.state = reduced.state
    this.events.push(...reduced.events)
    this.effects.push(...reduced.effects)
  }

  /** Lets time pass, waking the core exactly when it asks for it. */
  pass(ms: number): void {
    const end = this.mono + ms
    for (let guard = 0; ; guard++) {
      if (guard > 1_000) throw new Error('the core asks to be woken without end')
      const at = core.wakeAt(this.state)
      if (at === null || at > end) break
      this.mono = Math.max(this.mono, at)
      this.sendCore({ type: 'tick' })
    }
    this.mono = end
  }

  clear(): void {
    this.events.length = 0
    this.effects.length = 0
  }

  instance(name: string, part: Partial<Instance> = {}): Instance {
    const run = this.runs.get(name) ?? 0
    return {
      id: name,
      service: serviceOf(name),
      kind: 'process',
      state: 'running',
      pid: 100 + run,
      startedAt: `run-${run}`,
      exit: null,
      failure: null,
      restarts: run,
      ...part,
    }
  }

  started(name: string): void {
    this.runs.set(name, (this.runs.get(name) ?? 0) + 1)
    this.send({ type: 'instance.started', instance: this.instance(name) })
    this.verdict(name, { status: 'starting' })
  }

  /** Another run has begun, and nobody was told. */
  restartedUnseen(name: string): void {
    this.runs.set(name, (this.runs.get(name) ?? 0) + 1)
  }

  exited(name: string): void {
    const exit = { code: 1, signal: null, oomKilled: false, at: '' }
    this.send({
      type: 'instance.exited',
      instance: this.instance(name, { state: 'exited', pid: null, startedAt: null, exit }),
    })
    this.verdict(name, {
      status: 'unhealthy',
      evidence: 'certain',
      symptom: 'exited',
      reason: 'exit code 1',
      startedAt: null,
    })
  }

  /** Its run has ended: by an operator's stop, by `docker kill`, before anybody looked. */
  endedBy(name: string, endedBy: EndedBy, more: Partial<ExitInfo> = {}): void {
    const exit = { code: 0, signal: null, oomKilled: false, at: '', endedBy, ...more }
    const instance = this.instance(name, { state: 'exited', pid: null, startedAt: null, exit })
    this.send({ type: 'instance.exited', instance })
    const symptom = exit.oomKilled ? 'oom' : 'exited'
    const reason = `exited with code ${exit.code}`
    this.verdict(name, { status: 'unhealthy', evidence: 'certain', symptom, reason, startedAt: null })
  }

  /** Somebody has asked it to end. */
  stopping(name: string): void {
    this.send({ type: 'instance.stopping', instance: this.instance(name, { state: 'stopping' }) })
    this.verdict(name, { status: 'unknown', symptom: 'stopped' })
  }

  removed(name: string): void {
    this.send({ type: 'instance.removed', instance: this.instance(name, { state: 'exited', startedAt: null }) })
  }

  /** Its process is stopped (state T), and its silence is known. */
  suspended(name: string): void {
    this.send({ type: 'instance.suspended', instance: this.instance(name, { state: 'suspended' }) })
    this.hung(name)
  }

  hung(name: string): void {
    this.verdict(name, { status: 'unhealthy', evidence: 'silence', symptom: 'hung', reason: 'no answer' })
  }

  notReady(name: string, ...failing: string[]): void {
    this.verdict(name, {
      status: 'degraded',
      evidence: 'explicit',
      symptom: 'not-ready',
      reason: 'answers 503',
      failing,
    })
  }

  silent(name: string): void {
    this.verdict(name, { status: 'degraded', evidence: 'silence', symptom: 'not-ready', reason: 'ready: no answer' })
  }

  healthy(name: string): void {
    this.verdict(name, { status: 'healthy' })
  }

  verdict(name: string, part: Partial<Verdict>): void {
    const verdict: Verdict = {
      instance: name,
      service: serviceOf(name),
      startedAt: `run-${this.runs.get(name) ?? 0}`,
      status: 'healthy',
      previous: 'unknown',
      evidence: null,
      symptom: null,
      reason: '',
      failing: [],
      firstEvidenceAt: this.mono,
      ...part,
    }
    this.send({ type: 'verdict', verdict })
  }

  /** Answers the last `confirm`. */
  confirm(...doubtful: string[]): void {
    const asked = this.effects.findLast((effect) => effect.type === 'confirm')
    if (!asked) throw new Error('nobody asked to confirm anything')
    const sound = asked.services.filter((name) => !doubtful.includes(name))
    this.send({ type: 'confirmed', token: asked.token, sound, doubtful })
  }

  acts() {
    return this.effects.filter((effect) => effect.type === 'act').map((effect) => effect.action)
  }

  /** The n-th action that was decided, from 0. */
  act(n: number) {
    const action = this.acts()[n]
    if (!action) throw new Error(`there was no action ${n}`)
    return action
  }

  /** The n-th incident that was opened, from 0, as it was then. */
  incident(n: number) {
    const opened = this.ofType('incident.opened')[n]
    if (!opened) throw new Error(`there was no incident ${n}`)
    return opened.incident
  }

  /** The last action was carried out; a new run is there unless it crashed again. */
  done(result: 'done' | 'failed' | 'aborted' | 'impossible' = 'done', detail = ''): void {
    const action = this.acts().at(-1)
    if (!action) throw new Error('nothing was done')
    if (result === 'done') this.started(action.instance)
    const startedAt = result === 'done' ? this.instance(action.instance).startedAt : null
    this.send({ type: 'action.finished', action, outcome: { result, detail, startedAt } })
  }

  ofType<T extends DerivedEvent['type']>(type: T) {
    return this.events.filter((event): event is Extract<DerivedEvent, { type: T }> => event.type === type)
  }

  view(name: string) {
    const record = this.state.diagnosis.services.get(name)
    if (!record) throw new Error(`no service ${name}`)
    return record.view
  }
}
