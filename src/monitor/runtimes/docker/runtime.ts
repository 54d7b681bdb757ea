import { join } from 'node:path'
import { isMedykError, MedykError, messageOf, printable } from '@medyk/health/internal'
import { openDockerHost, resolveDockerSettings } from '../../docker/index.ts'
import type { ContainerView, DockerChange, DockerHost, DockerPermission } from '../../docker/index.ts'
import type { Ability, Instance, Runtime, RuntimeCall, RuntimeEvent, ServiceSpec } from '../../model/index.ts'
import type { RuntimeContext } from '../plugin.ts'
import { StartCounts } from './counts.ts'
import { FrozenLook } from './frozen.ts'
import { KIND, shortId } from './instance.ts'
import { selects, validated, type Wanted } from './options.ts'
import { Tracked } from './tracked.ts'

const LOOK_MS = 1_000
/** After a stop or restart has been given up Docker goes on with it. */
const AFTERMATH_MS = 20_000

const NEEDS: readonly (readonly [Ability, DockerPermission])[] = [
  ['start', 'start'],
  ['stop', 'stop'],
  ['restart', 'restart'],
  ['resume', 'unpause'],
  ['logs', 'logs'],
]

/** Containers of a Docker host as instances. It creates and removes none: what it may do, a narrow socket proxy can let through. */
export class DockerRuntime implements Runtime {
  readonly kind = KIND
  readonly isForeign = true
  readonly #context: RuntimeContext
  readonly #host: DockerHost
  readonly #ownsHost: boolean
  readonly #counts: StartCounts
  readonly #frozen = new FrozenLook()
  readonly #closed = new AbortController()
  readonly #listeners = new Set<(event: RuntimeEvent) => void>()
  /** By the id of the container, all 64 digits. */
  readonly #tracked = new Map<string, Tracked>()
  readonly #watching: Disposable
  #wanted: readonly Wanted[] = []
  #timer: Disposable

  private constructor(context: RuntimeContext, host: DockerHost, ownsHost: boolean, counts: StartCounts) {
    this.#context = context
    this.#host = host
    this.#ownsHost = ownsHost
    this.#counts = counts
    this.#watching = host.watch((change) => this.#onChange(change))
    this.#timer = context.clock.timer(LOOK_MS, this.#look, { unref: true })
  }

  /** Rejects with ERR_RUNTIME when it has to open the Docker host itself and cannot. */
  static async open(context: RuntimeContext): Promise<DockerRuntime> {
    const { docker, clock, logger, stateDir } = context
    const host = docker ?? (await openDockerHost(resolveDockerSettings(process.env), { clock, logger }))
    return new DockerRuntime(context, host, docker === undefined, await StartCounts.open(join(stateDir, KIND), logger))
  }

  /** What the socket, or a proxy before it, permits. */
  get abilities(): ReadonlySet<Ability> {
    return new Set(NEEDS.filter(([, permission]) => !this.#host.denied.has(permission)).map(([ability]) => ability))
  }

  async adopt(services: readonly ServiceSpec[], call: RuntimeCall): Promise<readonly Instance[]> {
    this.#check(call)
    this.#wanted = validated(services.filter(({ runtime }) => runtime === KIND))
    for (const tracked of this.#tracked.values()) {
      const service = this.#serviceOf(tracked.view)
      // Under another name it is another service's instance, which is found below.
      if (service !== tracked.service) this.#drop(tracked)
    }
    for (const view of this.#host.containers.values()) {
      const service = this.#serviceOf(view)
      if (service === null || this.#tracked.has(view.id)) continue
      const tracked = new Tracked(service, view, 'before')
      tracked.frozen = this.#frozen.isFrozen(view)
      tracked.lost = this.#host.lost !== null
      this.#tracked.set(view.id, tracked)
      tracked.settle(this.#instance(tracked))
    }
    return this.#snapshots()
  }

  async list(call: RuntimeCall): Promise<readonly Instance[]> {
    this.#check(call)
    return this.#snapshots()
  }

  async inspect(id: string, call: RuntimeCall): Promise<Instance> {
    this.#check(call)
    const tracked = this.#find(id)
    if (this.#host.lost === null) await this.#ask(tracked, this.#until(call))
    return this.#instance(tracked)
  }

  watch(listener: (event: RuntimeEvent) => void): Disposable {
    const entry = (event: RuntimeEvent) => listener(event)
    this.#listeners.add(entry)
    return { [Symbol.dispose]: () => void this.#listeners.delete(entry) }
  }

  async start(id: string, call: RuntimeCall): Promise<Instance> {
    return await this.#act(id, call, (tracked, signal) => this.#start(tracked, signal))
  }

  async stop(id: string, graceMs: number, call: RuntimeCall): Promise<Instance> {
    return await this.#act(id, call, async (tracked, signal) => {
      if (tracked.view.startedAt === null && tracked.view.state !== 'restarting') return
      const grace = this.#graceFor(tracked, graceMs)
      await this.#ending(tracked, grace, () => this.#host.stop(tracked.view.id, grace, signal))
    })
  }

  async restart(id: string, graceMs: number, call: RuntimeCall): Promise<Instance> {
    return await this.#act(id, call, (tracked, signal) => this.#restart(tracked, graceMs, signal))
  }

  /** Of what Docker has paused. A process stopped by a signal cannot be continued through Docker: ERR_RUNTIME. */
  async resume(id: string, call: RuntimeCall): Promise<Instance> {
    return await this.#act(id, call, async (tracked, signal) => {
      if (tracked.view.state === 'paused') await this.#host.unpause(tracked.view.id, signal)
      else if (tracked.frozen) {
        throw new MedykError(
          'ERR_RUNTIME',
          `container ${tracked.view.name} was stopped by SIGSTOP, which Docker cannot undo`,
          {
            hint: 'send SIGCONT to its process on the host, or restart the container',
          },
        )
      }
    })
  }

  async logs(id: string, maxBytes: number, call: RuntimeCall): Promise<string> {
    this.#check(call)
    return await this.#host.logs(this.#find(id).view.id, maxBytes, this.#until(call))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed.abort(new MedykError('ERR_RUNTIME', 'the docker runtime is closed'))
    this.#timer[Symbol.dispose]()
    this.#watching[Symbol.dispose]()
    this.#listeners.clear()
    await Promise.all([...this.#tracked.values()].map(({ calls }) => calls.idle()))
    await this.#counts.saved()
    if (this.#ownsHost) await this.#host[Symbol.asyncDispose]()
  }

  /** One call after the other on each container; each begins and ends with a fresh look at it. */
  async #act(
    id: string,
    call: RuntimeCall,
    work: (tracked: Tracked, signal: AbortSignal) => Promise<void>,
  ): Promise<Instance> {
    const tracked = this.#find(id)
    const signal = this.#until(call)
    return await tracked.calls.run(signal, async () => {
      await this.#ask(tracked, signal)
      try {
        await work(tracked, signal)
        await this.#ask(tracked, signal)
        await this.#counts.saved()
        return this.#instance(tracked)
      } finally {
        tracked.starting = false
      }
    })
  }

  async #start(tracked: Tracked, signal: AbortSignal): Promise<void> {
    const { id, state, name } = tracked.view
    if (state === 'paused') return await this.#host.unpause(id, signal)
    if (state === 'running') return
    if (state === 'restarting') {
      throw new MedykError('ERR_START', `Docker itself is restarting container ${name} of "${tracked.service}"`, {
        hint: 'its restart policy brings it back; wait for that',
      })
    }
    await this.#begin(tracked, () => this.#host.start(id, signal))
  }

  async #restart(tracked: Tracked, graceMs: number, signal: AbortSignal): Promise<void> {
    const { id, state } = tracked.view
    const grace = this.#graceFor(tracked, graceMs)
    if (state === 'paused') await this.#host.unpause(id, signal)
    try {
      await this.#ending(tracked, grace, () => this.#begin(tracked, () => this.#host.restart(id, grace, signal)))
    } catch (error) {
      // It has been stopped by now and could not be started: that must not be the last word.
      if (signal.aborted || !isMedykError(error, 'ERR_START')) throw error
      await this.#begin(tracked, () => this.#host.start(id, signal))
    }
  }

  /** An end that comes meanwhile or soon after is ours, also when the call was given up, but not when it was refused. */
  async #ending(tracked: Tracked, graceMs: number, work: () => Promise<void>): Promise<void> {
    tracked.endingUntil = this.#context.clock.mono() + graceMs + AFTERMATH_MS
    try {
      await work()
    } catch (error) {
      if (isMedykError(error, 'ERR_DENIED')) tracked.endingUntil = null
      throw error
    }
  }

  /** Whatever run appears meanwhile is ours. A failure is told as such, unless it was only the call that failed. */
  async #begin(tracked: Tracked, work: () => Promise<void>): Promise<void> {
    tracked.starting = true
    try {
      await work()
    } catch (error) {
      if (!isMedykError(error, 'ERR_START') && !isMedykError(error, 'ERR_START_IMPOSSIBLE')) throw error
      const reason = `service "${tracked.service}", container ${tracked.view.name}: ${error.message}`
      await this.#host.inspect(tracked.view.id, this.#closed.signal).catch(() => {})
      if (tracked.view.startedAt === null && tracked.view.state !== 'restarting') {
        tracked.failure = { reason: printable(reason), permanent: error.code === 'ERR_START_IMPOSSIBLE' }
        this.#compare(tracked)
      }
      throw new MedykError(error.code, reason, { ...(error.hint ? { hint: error.hint } : {}), cause: error })
    }
  }

  /** A stopped process acts on no signal but SIGKILL. */
  #graceFor(tracked: Tracked, graceMs: number): number {
    tracked.frozen = this.#frozen.isFrozen(tracked.view)
    return tracked.frozen ? 0 : Math.ceil(Math.max(0, graceMs) / 1_000) * 1_000
  }

  #onChange(change: DockerChange): void {
    switch (change.type) {
      case 'lost':
        for (const tracked of this.#tracked.values()) {
          tracked.lost = true
          this.#compare(tracked)
        }
        return
      case 'back':
        for (const tracked of this.#tracked.values()) this.#askAgain(tracked)
        return
      case 'removed': {
        const tracked = this.#tracked.get(change.id)
        if (tracked) this.#drop(tracked)
        this.#frozen.forget(change.id)
        this.#counts.forget(shortId(change.id))
        return
      }
      case 'container':
        this.#onContainer(change)
    }
  }

  #onContainer({ container: view, stopping, end }: Extract<DockerChange, { type: 'container' }>): void {
    const known = this.#tracked.get(view.id)
    const service = this.#serviceOf(view)
    // On its way out: there will be no instance of it, so nobody shall think of curing it.
    if (known && (service === null || view.state === 'removing')) return this.#drop(known)
    if (service === null || view.state === 'removing') return
    const tracked = known ?? new Tracked(service, view, end ?? 'unknown')
    const begun = view.startedAt !== null && (!known || known.view.startedAt !== view.startedAt)
    const ended = view.startedAt === null && (known === undefined || known.view.startedAt !== null || end !== null)
    if (begun) this.#onRun(tracked)
    const ours = tracked.endingUntil !== null && this.#context.clock.mono() < tracked.endingUntil
    if (ended && known?.view.finishedAt !== view.finishedAt) tracked.endedBy = ours ? 'medyk' : (end ?? 'unknown')
    // A restart policy was about to bring it back until somebody stopped it.
    else if (ended && end === 'stop' && tracked.endedBy === 'itself') tracked.endedBy = 'stop'
    tracked.view = view
    tracked.lost = false
    // What we asked for ourselves need not be told as somebody's intention.
    tracked.stopping = stopping && !ours
    tracked.frozen = this.#frozen.isFrozen(view)
    this.#tracked.set(view.id, tracked)
    this.#compare(tracked)
    this.#compareFamily(tracked)
  }

  #onRun(tracked: Tracked): void {
    if (tracked.starting) this.#counts.started(tracked.id, !tracked.hasRun)
    tracked.starting = false
    tracked.hasRun = true
    tracked.failure = null
    tracked.endingUntil = null
  }

  /** Those that share its network have its address. */
  #compareFamily(parent: Tracked): void {
    for (const tracked of this.#tracked.values()) {
      if (tracked !== parent && tracked.view.networkMode.startsWith('container:')) this.#compare(tracked)
    }
  }

  /** A fresh look; what has changed is told before it resolves. */
  async #ask(tracked: Tracked, signal: AbortSignal): Promise<void> {
    await this.#host.inspect(tracked.view.id, signal)
    tracked.lost = false
    this.#compare(tracked)
  }

  /** Of a container nothing is believed after a loss until Docker has been asked for it. */
  #askAgain(tracked: Tracked): void {
    this.#ask(tracked, this.#closed.signal).catch((error: unknown) => {
      this.#context.logger.debug({ instance: tracked.id, err: messageOf(error) }, 'it is still not known')
    })
  }

  #compare(tracked: Tracked): void {
    const now = this.#instance(tracked)
    const type = tracked.next(now)
    if (type !== null) this.#emit(type, now)
  }

  #drop(tracked: Tracked): void {
    if (this.#tracked.delete(tracked.view.id)) this.#emit('instance.removed', this.#instance(tracked))
  }

  readonly #look = (): void => {
    for (const tracked of this.#tracked.values()) {
      if (tracked.lost) {
        if (this.#host.lost === null) this.#askAgain(tracked)
        continue
      }
      const frozen = this.#frozen.isFrozen(tracked.view)
      if (frozen === tracked.frozen) continue
      tracked.frozen = frozen
      this.#compare(tracked)
    }
    if (!this.#closed.signal.aborted) this.#timer = this.#context.clock.timer(LOOK_MS, this.#look, { unref: true })
  }

  #instance(tracked: Tracked): Instance {
    return tracked.instance({
      restarts: this.#counts.restarts(tracked.id),
      parent: (idOrName) => this.#containerBy(idOrName),
    })
  }

  #containerBy(idOrName: string): ContainerView | null {
    const { containers } = this.#host
    return containers.get(idOrName) ?? [...containers.values()].find(({ name }) => name === idOrName) ?? null
  }

  #serviceOf(view: ContainerView): string | null {
    return this.#wanted.find(({ options }) => selects(options, view))?.service ?? null
  }

  /** In the order of the services, the copies of one by name. */
  #snapshots(): readonly Instance[] {
    const place = new Map(this.#wanted.map(({ service }, index) => [service, index]))
    const placeOf = ({ service }: Tracked) => place.get(service) ?? place.size
    return [...this.#tracked.values()]
      .sort((a, b) => placeOf(a) - placeOf(b) || (a.view.name < b.view.name ? -1 : 1))
      .map((tracked) => this.#instance(tracked))
  }

  #find(id: string): Tracked {
    for (const tracked of this.#tracked.values()) if (tracked.id === id) return tracked
    throw new MedykError('ERR_NO_INSTANCE', `the docker runtime has no instance "${printable(id, 100)}"`, {
      hint: `it has: ${
        [...this.#tracked.values()]
          .slice(0, 20)
          .map((one) => one.id)
          .join(', ') || 'none'
      }`,
    })
  }

  #emit(type: RuntimeEvent['type'], instance: Instance): void {
    for (const listener of this.#listeners) {
      try {
        listener({ type, instance })
      } catch (error) {
        this.#context.logger.error({ instance: instance.id, err: messageOf(error) }, 'a listener of the runtime threw')
      }
    }
  }

  #check({ signal }: RuntimeCall): void {
    signal.throwIfAborted()
    this.#closed.signal.throwIfAborted()
  }

  #until({ signal }: RuntimeCall): AbortSignal {
    return AbortSignal.any([signal, this.#closed.signal])
  }
}
