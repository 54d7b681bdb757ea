import { messageOf, type Clock, type Logger } from '@medyk/health/internal'
import type { DockerHost } from '../docker/index.ts'
import type { Instance, Runtime, RuntimeEvent, ServiceSpec } from '../model/index.ts'
import { openRuntime } from '../runtimes/index.ts'

export interface FleetOptions {
  readonly stateDir: string
  readonly logger: Logger
  readonly clock: Clock
  /** Shared with discovery; null: no Docker. */
  readonly docker: DockerHost | null
  onEvent(event: RuntimeEvent): void
  /** What is made of an instance when it is first seen. */
  atFirstSight(instance: Instance): Instance
}

const CALL_MS = 30_000

/** All runtimes and what runs in them; the last known state of every instance. */
export class Fleet implements AsyncDisposable {
  readonly instances = new Map<string, Instance>()
  readonly #options: FleetOptions
  readonly #runtimes = new Map<string, Runtime>()
  readonly #watches: Disposable[] = []
  #services: readonly ServiceSpec[] = []

  private constructor(options: FleetOptions) {
    this.#options = options
  }

  static async open(services: readonly ServiceSpec[], options: FleetOptions): Promise<Fleet> {
    const fleet = new Fleet(options)
    try {
      await fleet.adopt(services)
      return fleet
    } catch (error) {
      await fleet[Symbol.asyncDispose]()
      throw error
    }
  }

  /**
   * Takes these services over instead of those before. Returns the instances that are seen for the first time; that others are
   * gone is told by events.
   */
  async adopt(services: readonly ServiceSpec[]): Promise<readonly Instance[]> {
    this.#services = services
    const fresh: Instance[] = []
    const take = (instance: Instance) => {
      if (this.instances.has(instance.id)) return
      const seen = this.#options.atFirstSight(instance)
      this.instances.set(seen.id, seen)
      fresh.push(seen)
    }
    const kinds = new Set(services.flatMap((spec) => (spec.runtime === null ? [] : [spec.runtime])))
    for (const kind of new Set([...kinds, ...this.#runtimes.keys()])) {
      const runtime = this.#runtimes.get(kind) ?? (await this.#open(kind))
      const own = services.filter((spec) => spec.runtime === kind)
      for (const instance of await runtime.adopt(own, { signal: AbortSignal.timeout(CALL_MS) })) take(instance)
    }
    const watched = services.filter((spec) => spec.runtime === null).map((spec) => watchedOnly(spec.name))
    for (const instance of watched) take(instance)
    for (const instance of this.instances.values()) {
      if (instance.kind !== EXTERNAL || watched.some(({ id }) => id === instance.id)) continue
      this.#take({ type: 'instance.removed', instance })
    }
    return fresh
  }

  async #open(kind: string): Promise<Runtime> {
    const { stateDir, logger, clock, docker } = this.#options
    const runtime = await openRuntime(kind, { stateDir, logger, clock, ...(docker ? { docker } : {}) })
    this.#runtimes.set(kind, runtime)
    this.#watches.push(runtime.watch((event) => this.#take(event)))
    return runtime
  }

  #take(event: RuntimeEvent): void {
    if (event.type === 'instance.removed') this.instances.delete(event.instance.id)
    else this.instances.set(event.instance.id, event.instance)
    this.#options.onEvent(event)
  }

  /** The runtime that runs this instance; undefined for what is only watched. */
  runtimeOf(instance: string): Runtime | undefined {
    const kind = this.instances.get(instance)?.kind
    return kind === undefined ? undefined : this.#runtimes.get(kind)
  }

  /** Starts what has never run here, dependencies first. What fails says so by its runtime's event. */
  async startNew(order: readonly string[], signal: AbortSignal): Promise<void> {
    for (const service of order) {
      for (const instance of this.instances.values()) {
        if (instance.service !== service || instance.state !== 'created') continue
        const runtime = this.runtimeOf(instance.id)
        if (!runtime || runtime.isForeign || signal.aborted) continue
        try {
          await runtime.start(instance.id, { signal: AbortSignal.any([signal, AbortSignal.timeout(CALL_MS)]) })
        } catch (error) {
          this.#options.logger.warn({ service, err: messageOf(error) }, 'the first start failed')
        }
      }
    }
  }

  /** Stops everything that Medyk runs, and nothing that is somebody else's: dependants before what they depend on. */
  async stopAll(graceMs: number): Promise<void> {
    for (const level of stopLevels(this.#services)) {
      const own = [...this.instances.values()].filter((instance) => level.includes(instance.service))
      await Promise.all(own.map((instance) => this.#stop(instance, graceMs)))
    }
  }

  async #stop(instance: Instance, graceMs: number): Promise<void> {
    const runtime = this.runtimeOf(instance.id)
    if (!runtime || runtime.isForeign) return
    try {
      await runtime.stop(instance.id, graceMs, { signal: AbortSignal.timeout(graceMs + 10_000) })
    } catch (error) {
      this.#options.logger.error({ service: instance.service, err: messageOf(error) }, 'could not be stopped')
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const watch of this.#watches.splice(0)) watch[Symbol.dispose]()
    for (const runtime of this.#runtimes.values()) await runtime[Symbol.asyncDispose]()
  }
}

/** What an instance that is seen for the first time amounts to in events. What has never run is not told of. */
export function found(instance: Instance): readonly RuntimeEvent[] {
  switch (instance.state) {
    case 'created':
      return []
    case 'exited':
      return [{ type: 'instance.exited', instance }]
    case 'failed':
      return [{ type: 'instance.failed', instance }]
    case 'suspended':
      return [
        { type: 'instance.started', instance },
        { type: 'instance.suspended', instance },
      ]
    case 'stopping':
      return [
        { type: 'instance.started', instance },
        { type: 'instance.stopping', instance },
      ]
    case 'unknown':
      return [{ type: 'instance.lost', instance }]
    default:
      return [{ type: 'instance.started', instance }]
  }
}

/** The kind of an instance that no runtime runs. */
const EXTERNAL = 'external'

/** A service without a runtime has one instance that is taken to run. */
function watchedOnly(service: string): Instance {
  return {
    id: service,
    service,
    kind: EXTERNAL,
    state: 'running',
    pid: null,
    startedAt: null,
    exit: null,
    failure: null,
    restarts: 0,
  }
}

/** Dependencies before dependants; the order of the list where the graph leaves a choice. */
export function topologicalOrder(services: readonly ServiceSpec[]): readonly string[] {
  const byName = new Map(services.map((spec) => [spec.name, spec]))
  const done = new Set<string>()
  const visit = (name: string): void => {
    const spec = byName.get(name)
    if (!spec || done.has(name)) return
    done.add(name)
    for (const { service } of spec.dependsOn) visit(service)
    order.push(name)
  }
  const order: string[] = []
  for (const spec of services) visit(spec.name)
  return order
}

/**
 * Who may be stopped together, dependants before what they depend on: one that ignores SIGTERM holds up nobody but what
 * it depends on.
 */
export function stopLevels(services: readonly ServiceSpec[]): readonly (readonly string[])[] {
  const levels: string[][] = []
  let left = [...services]
  while (left.length > 0) {
    const needed = new Set(left.flatMap((spec) => spec.dependsOn.map((edge) => edge.service)))
    const free = left.filter((spec) => !needed.has(spec.name))
    // A cycle cannot come out of a config; were there one, it would be stopped as one.
    const level = (free.length > 0 ? free : left).map((spec) => spec.name)
    levels.push(level)
    left = left.filter((spec) => !level.includes(spec.name))
  }
  return levels
}
