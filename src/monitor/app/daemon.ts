import { messageOf, type Clock, type Logger } from '@medyk/health/internal'
import type { Config, Tokens } from '../config/index.ts'
import { openJournal } from '../journal/index.ts'
import {
  isoOf,
  type Action,
  type ActionOutcome,
  type Effect,
  type EndedBy,
  type InputEvent,
  type Instance,
  type RuntimeEvent,
} from '../model/index.ts'
import { execute } from '../recovery/index.ts'
import { createEventLog, createServer } from '../server/index.ts'
import { createDockerDiscovery, dockerPolicy } from '../discovery/docker/index.ts'
import type { DiscoverySource } from '../discovery/source.ts'
import { openDockerHost, resolveDockerSettings, type DockerHost } from '../docker/index.ts'
import { TraceWriter } from '../simulation/trace.ts'
import { Boots } from './boots.ts'
import { Catalog } from './catalog.ts'
import { Audit } from './audit.ts'
import { Commands } from './commands.ts'
import { core, type CoreState } from './core.ts'
import { atFirstSight } from './first-sight.ts'
import { Fleet, found, topologicalOrder } from './fleet.ts'
import { ForensicsDesk, snapshot } from './forensics.ts'
import { hearing, probeKey } from './hearing.ts'
import { IncidentBook } from './incident-book.ts'
import { CoreLoop } from './loop.ts'
import { createMetrics } from './metrics.ts'
import { Projection } from './monitor-state.ts'
import { OwnHealth } from './own-health.ts'
import { Proven } from './proven.ts'
import { Publisher } from './publisher.ts'
import { restore } from './restore.ts'
import type { ProbeSummary, ShardHost } from './shard-host.ts'
import { keepShard } from './shard-keeper.ts'

export interface DaemonOptions {
  readonly config: Config
  readonly version: string
  readonly clock: Clock
  readonly logger: Logger
  /** Whom the API lets in. Default: everybody may read, nobody may change anything. */
  readonly tokens?: Tokens
  /** File for a trace of everything that goes into the pure core; null: none. */
  readonly record?: string | null
}

export interface Daemon {
  readonly url: string
  /** How many services are watched at this moment. */
  readonly watched: number
  /** Ends the daemon; `stopServices` also ends what it runs, dependants first. Idempotent. */
  stop(options: { readonly stopServices: boolean }): Promise<void>
}

/** Between SIGTERM and SIGKILL for services when the daemon is told to end. */
const STOP_GRACE_MS = 3_000

/**
 * Composition root: wires the steps in the order of the way of data and takes them apart in reverse. Rejects with the
 * error of whatever could not be set up, after undoing the rest; no service was touched before the port was taken.
 */
export async function startDaemon(options: DaemonOptions): Promise<Daemon> {
  const { config, version, clock, logger } = options
  const { stateDir } = config
  const stack = new AsyncDisposableStack()
  try {
    const abort = new AbortController()
    const journal = stack.use(await openJournal({ stateDir, logger, clock }))
    const trace = openTrace(options, stack)
    const metrics = createMetrics(version)
    const own = new OwnHealth(journal, clock, version)
    const book = new IncidentBook()
    const events = createEventLog({ epoch: Math.round(clock.wall()).toString(36), version, wall: () => clock.wall() })
    const probes = new Map<string, ProbeSummary>()
    let catalog: Catalog | null = null
    let fleet: Fleet | null = null
    let shard: ShardHost | null = null

    const loop: CoreLoop<CoreState> = new CoreLoop(core, clock, {
      onTurn: (turn) => {
        trace?.write({ t: 'core', event: turn.input, now: turn.now })
        if (turn.events.length + turn.effects.length > 0)
          trace?.write({ t: 'out', events: turn.events, effects: turn.effects })
        publisher.turn(turn)
      },
      onEffect: (effect) => void carryOut(effect),
    })
    const state = new Projection({
      core: () => loop.state,
      instances: () => fleet?.instances ?? new Map<string, Instance>(),
      summary: (instance, probe) => probes.get(probeKey(instance, probe)),
      book,
      events,
      health: (probe) => own.report(probe),
      metrics: () => metrics.render(state.services(), state.coverage().ratio),
      mono: () => clock.mono(),
      wall: () => clock.wall(),
      journal,
      coverage: () => catalog?.coverage ?? [],
    })
    const commands = stack.use(
      new Commands({
        journal,
        clock,
        logger,
        send: (event) => loop.send(event),
        spec: (name) => loop.state.diagnosis.services.get(name)?.spec,
        instances: () => fleet?.instances.values() ?? [],
        runtimeOf: (instance) => fleet?.runtimeOf(instance),
        onFinished: (action, outcome) => publisher.operated(action, outcome),
        signal: abort.signal,
      }),
    )
    const audit = stack.use(new Audit(journal, clock, logger))
    const desk = new ForensicsDesk(async (incident) => {
      const forensics = await snapshot(incident, {
        runtimeOf: (instance) => fleet?.runtimeOf(instance),
        instanceOf: (instance) => fleet?.instances.get(instance),
        services: (name) => state.row(name),
        clock,
        signal: abort.signal,
      })
      await journal.saveForensics(incident.id, forensics).catch((error: unknown) => {
        logger.warn({ incident: incident.id, err: messageOf(error) }, 'the state at its opening is not journaled')
      })
    })
    const publisher = new Publisher({
      book,
      events,
      journal,
      metrics,
      logger,
      row: (name) => state.row(name),
      forensics: (incident) => void desk.request(incident),
    })
    const access = options.tokens === undefined ? {} : { access: options.tokens }
    const server = stack.use(
      createServer({ state, commands, audit, version, ...config.server, ...access, logger, clock }),
    )
    const { url } = await server.listen()

    const docker = await openDocker(options, stack)
    catalog = new Catalog(config.services, docker?.discovery ?? null)
    const { services } = catalog
    const remembered = await restore(journal, book, services)
    const boots = new Boots(remembered.restored.boots ?? [], { journal, logger })
    const proven = new Proven(services, remembered.proven, { journal, logger })
    const quarantined = new Set(remembered.restored.quarantined.map(({ service }) => service))
    for (const { name } of services) metrics.declare(name, quarantined.has(name))
    loop.send({ type: 'services.changed', services })
    loop.send(remembered.restored)
    commands.restore(remembered.maintenance)
    commands.setDeclared(catalog.maintenance)

    const onRuntimeEvent = (event: RuntimeEvent) => {
      loop.send(event)
      shard?.instanceEvent(event)
      publisher.service(event.instance.service)
    }
    const sight = {
      proven: new Set(proven.instances),
      incidents: remembered.restored.incidents,
      acted: (instance: string, at: string) => remembered.acted(instance, at),
      endOf: ({ id }: Instance) => docker?.endOf(id) ?? null,
    }
    fleet = stack.use(
      await Fleet.open(services, {
        stateDir,
        logger,
        clock,
        docker: docker?.host ?? null,
        onEvent: onRuntimeEvent,
        atFirstSight: (instance) => atFirstSight(instance, { ...sight, wall: clock.wall() }),
      }),
    )
    const settings = { record: trace !== null, userAgent: `medyk/${version}` }
    const send = (event: InputEvent) => loop.send(event)
    const listener = hearing({ send, probes, proven, boots, own, publisher, metrics, trace, clock })
    shard = stack.use(await keepShard(listener, { settings, clock, logger }))
    shard.setTargets(services, [...fleet.instances.values()], proven.instances, boots.all)
    for (const instance of fleet.instances.values()) for (const event of found(instance)) onRuntimeEvent(event)
    stack.use(
      catalog.watch(async (next) => {
        for (const { name } of next) metrics.declare(name, false)
        proven.expect(next)
        commands.setDeclared(catalog?.maintenance ?? [])
        loop.send({ type: 'services.changed', services: next })
        const fresh = (await fleet?.adopt(next)) ?? []
        shard?.setTargets(next, [...(fleet?.instances.values() ?? [])], proven.instances, boots.all)
        for (const instance of fresh) for (const event of found(instance)) onRuntimeEvent(event)
        for (const { name } of next) publisher.service(name)
      }, logger),
    )
    await fleet.startNew(topologicalOrder(services), abort.signal)
    own.started = true

    let ending: Promise<void> | null = null
    const { size: watched } = loop.state.diagnosis.services
    return { url, watched, stop: ({ stopServices }) => (ending ??= end(stopServices)) }

    async function carryOut(effect: Effect): Promise<void> {
      if (effect.type === 'confirm') return shard?.confirm(effect.token, effect.services, effect.withinMs)
      loop.send({ type: 'action.finished', action: effect.action, outcome: await act(effect.action) })
    }

    async function act(action: Action): Promise<ActionOutcome> {
      const runtime = fleet?.runtimeOf(action.instance)
      if (!runtime) return { result: 'failed', detail: 'no runtime runs it', startedAt: null }
      return await execute(action, isoOf(clock.wall()), {
        runtime,
        intents: journal,
        clock,
        logger,
        signal: abort.signal,
      })
    }

    async function end(stopServices: boolean): Promise<void> {
      // Deciding ends first: what is stopped on purpose must not be cured.
      loop[Symbol.dispose]()
      abort.abort(new Error('the daemon is stopping'))
      if (stopServices) await fleet?.stopAll(STOP_GRACE_MS)
      await stack.disposeAsync()
    }
  } catch (error) {
    await stack.disposeAsync().catch((failure: unknown) => logger.error({ err: messageOf(failure) }, 'clean-up failed'))
    throw error
  }
}

interface Docker {
  readonly host: DockerHost
  readonly discovery: DiscoverySource
  /** Of an instance's last run, by its id. */
  endOf(id: string): EndedBy | null
}

/** One view of the Docker host for discovery and for the runtime; null where the configuration asks for none. */
async function openDocker(
  { config, clock, logger }: DaemonOptions,
  stack: AsyncDisposableStack,
): Promise<Docker | null> {
  const uses = config.docker !== null || config.services.some(({ runtime }) => runtime === 'docker')
  if (!uses) return null
  const { host: address = null, projects = [], observe = false } = config.docker ?? {}
  const settings = resolveDockerSettings(process.env, address === null ? {} : { host: address })
  const host = stack.use(await openDockerHost(settings, { clock, logger }))
  // The file's own containers are discovered too: what it leaves unsaid of them is taken from there.
  const reserved = config.services.filter(({ runtime }) => runtime !== 'docker')
  const policy = dockerPolicy({ projects, observe }, reserved, config.defaults)
  const discovery = stack.use(createDockerDiscovery(host, policy, { clock }))
  return {
    host,
    discovery,
    endOf(id) {
      const container = [...host.containers.keys()].find((full) => full.startsWith(id))
      return container === undefined ? null : host.endOf(container)
    },
  }
}

function openTrace({ record, clock, version }: DaemonOptions, stack: AsyncDisposableStack): TraceWriter | null {
  if (!record) return null
  return stack.use(new TraceWriter(record, { startedAt: isoOf(clock.wall()), by: `medyk ${version}` }))
}
