import { messageOf, type Clock, type Logger } from '@medyk/health/internal'
import type { Config } from '../config/index.ts'
import { openJournal, type Journal } from '../journal/index.ts'
import {
  isoOf,
  type Action,
  type ActionOutcome,
  type Effect,
  type Instance,
  type Restored,
  type RuntimeEvent,
} from '../model/index.ts'
import { execute } from '../recovery/index.ts'
import { createEventLog, createServer } from '../server/index.ts'
import { TraceWriter } from '../simulation/index.ts'
import { core, type CoreState } from './core.ts'
import { Fleet, topologicalOrder } from './fleet.ts'
import { IncidentBook } from './incident-book.ts'
import { CoreLoop } from './loop.ts'
import { createMetrics } from './metrics.ts'
import { Projection } from './monitor-state.ts'
import { OwnHealth } from './own-health.ts'
import { Publisher } from './publisher.ts'
import { startShard } from './shard-thread.ts'
import type { ProbeSummary, ShardHost, ShardListener } from './shard-host.ts'

export interface DaemonOptions {
  readonly config: Config
  readonly version: string
  readonly clock: Clock
  readonly logger: Logger
  /** File for a trace of everything that goes into the pure core; null: none. */
  readonly record?: string | null
}

export interface Daemon {
  readonly url: string
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
  const { services, stateDir } = config
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
      summary: (instance, probe) => probes.get(`${instance}\n${probe}`),
      book,
      events,
      health: (probe) => own.report(probe),
      metrics: () => metrics.render(state.services()),
      mono: () => clock.mono(),
    })
    const publisher = new Publisher({ book, events, journal, metrics, logger, row: (name) => state.row(name) })
    const server = stack.use(createServer({ state, version, ...config.server, logger, clock }))
    const { url } = await server.listen()

    const remembered = await readJournal(journal, book)
    for (const { name } of services) metrics.declare(name)
    loop.send({ type: 'services.changed', services })
    loop.send(remembered)

    const onRuntimeEvent = (event: RuntimeEvent) => {
      loop.send(event)
      shard?.instanceEvent(event)
      publisher.service(event.instance.service)
    }
    const listener: ShardListener = {
      onVerdict: (verdict) => loop.send({ type: 'verdict', verdict }),
      onEvent(event) {
        if (event.type === 'observer.changed') observerChanged(event)
        loop.send(event)
      },
      onSummary(summary) {
        for (const row of summary.probes) probes.set(`${row.instance}\n${row.probe}`, row)
        metrics.probing(summary.attempts, summary.latenessP99Ms)
      },
      onRecord: (record) => trace?.write(record),
      onLost(reason) {
        own.lost = reason
        observerChanged({ unwell: true, reason })
        loop.send({ type: 'observer.changed', unwell: true, reason })
      },
    }
    fleet = stack.use(await Fleet.open({ services, stateDir, logger, clock, onEvent: onRuntimeEvent }))
    shard = stack.use(
      await startShard(listener, {
        settings: { record: trace !== null, userAgent: `medyk/${version}` },
        clock,
        logger,
      }),
    )
    shard.setTargets(services, [...fleet.instances.values()], [])
    for (const instance of fleet.instances.values()) for (const event of found(instance)) onRuntimeEvent(event)
    await fleet.startNew(topologicalOrder(services), abort.signal)
    own.started = true

    let ending: Promise<void> | null = null
    return { url, stop: ({ stopServices }) => (ending ??= end(stopServices)) }

    function observerChanged(change: { readonly unwell: boolean; readonly reason: string }): void {
      own.observer = change
      publisher.observer({ unwell: change.unwell, reason: change.reason }, clock.wall())
    }

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
      if (stopServices) await fleet?.stopAll(topologicalOrder(services), STOP_GRACE_MS)
      await stack.disposeAsync()
    }
  } catch (error) {
    await stack.disposeAsync().catch((failure: unknown) => logger.error({ err: messageOf(failure) }, 'clean-up failed'))
    throw error
  }
}

function openTrace({ record, clock, version }: DaemonOptions, stack: AsyncDisposableStack): TraceWriter | null {
  if (!record) return null
  return stack.use(new TraceWriter(record, { startedAt: isoOf(clock.wall()), by: `medyk ${version}` }))
}

/** What the last life left behind. An action that it did not finish counts as an attempt and is never repeated blindly. */
async function readJournal(journal: Journal, book: IncidentBook): Promise<Restored> {
  const { incidents, attempts, quarantined, pending } = await journal.readBack()
  for (const action of pending) await journal.markInterrupted(action.id)
  book.load([...(await journal.incidents({ limit: 500 }))].reverse())
  return { type: 'restored', incidents, attempts, quarantined }
}

/** What an instance that was found at boot amounts to in events. What has never run here is started instead. */
function found(instance: Instance): readonly RuntimeEvent[] {
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
    default:
      return [{ type: 'instance.started', instance }]
  }
}
