import { isoOf, type Action, type ActionOutcome, type ExitInfo, type Instance } from '../model/index.ts'
import type { Process, Target } from './target.ts'
import type { World } from './world.ts'

/** How long a process runtime takes, milliseconds; measured on a small Linux host. */
const durations = {
  /** From fork to a running process. */
  spawn: [8, 40],
  /** From the end of a child to its exit event. */
  exitSeen: [3, 6],
  /** A process that heeds SIGTERM. */
  orderlyExit: [20, 200],
  /** Between two looks at the state of processes, which is how a stopped one is seen. */
  sweep: 1_000,
} as const

/** The semantics of the port `Runtime` in virtual time: what the actions do to the truth and which events they bring. */
export class SimulatedRuntime {
  readonly #world: World
  readonly #instances = new Map<string, Instance>()

  constructor(world: World) {
    this.#world = world
    for (const target of world.targets.values()) {
      this.#instances.set(target.name, {
        id: `${target.name}-1`,
        service: target.name,
        kind: 'simulated',
        state: 'created',
        pid: null,
        startedAt: null,
        exit: null,
        failure: null,
        restarts: -1,
      })
    }
  }

  instance(target: Target): Instance {
    const instance = this.#instances.get(target.name)
    if (!instance) throw new RangeError(`no instance of "${target.name}"`)
    return instance
  }

  /** What an adopting runtime finds at time 0: everyone runs, the cold ones since this moment. */
  populate(): void {
    for (const target of this.#world.targets.values()) this.#born(target, target.plan.warm)
  }

  /** Carries an action out as the daemon's executor does: precondition first. `done` is called once, later. */
  act(action: Action, done: (outcome: ActionOutcome) => void): void {
    const target = this.#world.target(action.service)
    const startedAt = target.process?.startedAt ?? null
    if (action.precondition.startedAt !== startedAt) {
      return done({ result: 'aborted', detail: 'another run is there', startedAt })
    }
    const finish = (result: ActionOutcome['result'], detail: string) =>
      done({ result, detail, startedAt: target.process?.startedAt ?? null })
    switch (action.kind) {
      case 'start':
        return this.#start(target, finish)
      case 'resume':
        this.resume(target)
        return finish('done', 'resumed')
      case 'restart':
        return this.#stop(target, action.graceMs, () => this.#start(target, finish))
    }
  }

  /** The process is gone from now on; its runtime sees it a moment later. */
  die(target: Target, exit: Pick<ExitInfo, 'code' | 'signal'>): void {
    if (target.process === null) return
    const instance = this.instance(target)
    target.process = null
    const at = isoOf(this.#world.wall())
    this.#world.note(target.name, exit.signal ? `ended by ${exit.signal}` : `exited with ${exit.code}`)
    const next: Instance = {
      ...instance,
      state: 'exited',
      pid: null,
      startedAt: null,
      exit: { ...exit, oomKilled: false, at },
    }
    this.#instances.set(target.name, next)
    this.#world.changed(target)
    this.#later(durations.exitSeen, () => this.#world.tell({ type: 'instance.exited', instance: next }))
  }

  suspended(target: Target): void {
    const seenAt = this.#world.now + this.#world.random.between(0, durations.sweep)
    this.#world.at(seenAt, () => {
      if (!target.trouble('suspend') || target.process === null) return
      this.#tellState(target, 'suspended')
    })
  }

  resume(target: Target): void {
    if (!target.trouble('suspend')) return
    target.end('suspend', this.#world.now)
    this.#world.note(target.name, 'runs on')
    this.#world.changed(target)
    const seenAt = this.#world.now + this.#world.random.between(0, durations.sweep)
    this.#world.at(seenAt, () => {
      if (this.instance(target).state === 'suspended' && !target.trouble('suspend')) this.#tellState(target, 'running')
    })
  }

  #tellState(target: Target, state: 'suspended' | 'running'): void {
    const instance: Instance = { ...this.instance(target), state }
    this.#instances.set(target.name, instance)
    this.#world.tell({ type: state === 'suspended' ? 'instance.suspended' : 'instance.resumed', instance })
  }

  #stop(target: Target, graceMs: number, gone: () => void): void {
    const { process } = target
    if (process === null) return gone()
    const { random, now } = this.#world
    const deaf = target.trouble('hang') !== undefined
    const kill = graceMs === 0 || target.trouble('suspend') !== undefined
    const after = kill
      ? random.between(1, 5)
      : deaf
        ? graceMs
        : Math.min(graceMs, random.between(...durations.orderlyExit))
    const signal = kill || deaf || after === graceMs ? 'SIGKILL' : 'SIGTERM'
    this.#world.at(now + after, () => {
      if (target.process === process) this.die(target, { code: null, signal })
      this.#later(durations.exitSeen, gone)
    })
  }

  #start(target: Target, finish: (result: ActionOutcome['result'], detail: string) => void): void {
    if (target.process !== null) return finish('done', 'runs already')
    this.#later(durations.spawn, () => {
      const refusal = target.trouble('cannot-start')
      if (target.process === null && refusal) {
        const permanent = refusal.permanent ?? false
        const reason = permanent ? 'no such command' : 'the start failed'
        const instance: Instance = { ...this.instance(target), state: 'failed', failure: { reason, permanent } }
        this.#instances.set(target.name, instance)
        this.#world.note(target.name, `cannot be started: ${reason}`)
        this.#world.tell({ type: 'instance.failed', instance })
        return finish(permanent ? 'impossible' : 'failed', reason)
      }
      if (target.process === null) this.#born(target, false)
      finish('done', 'started')
    })
  }

  #born(target: Target, warm: boolean): void {
    const world = this.#world
    const now = world.now
    const boot = warm ? 0 : world.random.spread(target.plan.boot)
    // A warm one has been there for an hour: nothing about its first minutes matters any more.
    const age = warm ? 3_600_000 : 0
    const process: Process = { startedAt: isoOf(world.wall() - age), bornAt: now - age, readyAt: now - age + boot }
    target.process = process
    target.lostDependencies = []
    for (const kind of ['crash', 'hang', 'suspend', 'late-boot'] as const) target.end(kind, now)
    const before = this.instance(target)
    const instance: Instance = {
      ...before,
      state: 'running',
      pid: 1_000 + Math.floor(world.random.next() * 30_000),
      startedAt: process.startedAt,
      failure: null,
      restarts: before.restarts + 1,
    }
    this.#instances.set(target.name, instance)
    if (!warm) world.note(target.name, `started, boots for ${Math.round(boot)} ms`)
    world.changed(target)
    world.tell({ type: 'instance.started', instance })
    const alone = (what: () => void) => () => {
      if (target.process === process) what()
    }
    const { startupGraceMs } = target.plan.spec
    world.at(
      process.readyAt,
      alone(() => {
        world.lookAround(target)
        world.changed(target)
        if (!warm) world.note(target.name, 'serves')
      }),
    )
    if (boot > startupGraceMs) {
      world.at(
        now + startupGraceMs,
        alone(() => target.troubles.push({ kind: 'late-boot', from: world.now, to: null })),
      )
      world.at(
        process.readyAt,
        alone(() => target.end('late-boot', world.now)),
      )
    }
    const loop = target.trouble('crash-loop')
    if (loop)
      world.at(
        now + loop.afterMs,
        alone(() => this.die(target, { code: 1, signal: null })),
      )
  }

  #later(range: readonly [number, number], run: () => void): void {
    this.#world.at(this.#world.now + this.#world.random.between(...range), run)
  }
}
