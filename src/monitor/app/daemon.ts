import { withDeadline, messageOf, type Clock, type Logger } from '@medyk/health/internal'
import type { Config } from '../config/index.ts'
import { openJournal, type Journal } from '../journal/index.ts'
import { isoOf, type Action, type Effect, type InputEvent, type RuntimeEvent } from '../model/index.ts'
import { execute } from '../recovery/index.ts'
import { createEventLog, createServer, type HealthReport } from '../server/index.ts'
import { core } from './core.ts'
import { Fleet, topologicalOrder } from './fleet.ts'
import { IncidentBook } from './incident-book.ts'
import { CoreLoop, type LoopHandlers } from './loop.ts'
import { createMetrics } from './metrics.ts'
import { Projection } from './monitor-state.ts'
import { startShard } from './shard-thread.ts'
import type { ShardHost, ShardSummary } from './shard-host.ts'
import { openTrace, type Trace } from './trace.ts'

export interface DaemonOptions {
  readonly config: Config
  readonly version: string
  readonly clock: Clock
  readonly logger: Logger
  /** File for a trace of every input and output; null: none. */
  readonly record?: string | null
  /** Seconds of progress: what is being done right now. */
  readonly onProgress?: (text: string) => void
}

export interface Daemon {
  readonly url: string
  /** Ends the daemon. `stopServices` also ends what it runs, dependants first. Idempotent. */
  stop(options: { readonly stopServices: boolean }): Promise<void>
}

/** An intermittent disk must not keep the daemon from coming up. */
const JOURNAL_MS = 10_000

/** Composition root: wires the steps, in the order of the way of data, and takes them apart in reverse. */
export async function startDaemon(options: DaemonOptions): Promise<Daemon> {
  const { config, version, clock, logger, onProgress = () => {} } = options
  const { services } = config
  const stack = new AsyncDisposableStack()
  try {
    const abort = new AbortController()
    const startedAt = clock.wall()
    const journal = stack.use(await openJournal({ stateDir: config.stateDir, logger, clock }))
    const trace: Trace | null = options.record ? stack.use(await openTrace(options.record, logger)) : null
    const metrics = createMetrics(version)
    const book = new IncidentBook()
    const events = createEventLog({ epoch: Math.round(startedAt).toString(36), version, wall: clock.wall })
    const summaries = new Map<string, ShardSummary>()
    let observer = { unwell: false, reason: '' }
    let lost: string | null = null

    const loop: CoreLoop<ReturnType<typeof core.initial>> = new CoreLoop(core, clock, {
      onTurn: (turn) => {
        trace?.turn(turn)
        publish(turn)
      },
      onEffect: (effect) => void carryOut(effect),
    })
    const health = (): HealthReport => {
      const checks = {
        journal: journal.state === 'ok' ? 'healthy' : 'degraded',
        probing: lost === null ? 'healthy' : 'unhealthy',
        observer: observer.unwell ? 'degraded' : 'healthy',
      } as const
      const worst = Object.values(checks).includes('unhealthy')
      const uneasy = Object.values(checks).includes('degraded')
      return {
        status: worst ? 'unhealthy' : uneasy ? 'degraded' : 'healthy',
        timestamp: isoOf(clock.wall()).replace(/\.\d+Z$/, 'Z'),
        service: 'medyk',
        version,
        checks,
        metadata: {
          uptime_seconds: Math.floor((clock.wall() - startedAt) / 1_000),
          last_error: lost ?? (observer.unwell ? observer.reason : (journal.problems.at(-1) ?? null)),
        },
      }
    }
    const state = new Projection({
      core: () => loop.state,
      instances: () => fleet?.instances ?? new Map(),
      summary: (instance, probe) => summaries.get(`${instance}\n${probe}`),
      book,
      events,
      health,
      metrics: () => metrics.render(state.services()),
      mono: clock.mono,
    })
    const { host, port } = config.server
    const server = stack.use(createServer({ state, version, host, port, logger, clock }))
    // The port first: a second daemon must learn that it is one before it touches a service.
    const { url } = await server.listen()

    const remembered = await withDeadline(JOURNAL_MS, () => readJournal(journal, book), {
      clock,
      what: 'reading the journal',
    })
    loop.send({ type: 'services.changed', services })
    for (const { name } of services) metrics.declare(name)
    loop.send(remembered)

    let fleet: Fleet | null = null
    let shard: ShardHost | null = null
    const onRuntimeEvent = (event: RuntimeEvent) => {
      loop.send(event)
      shard?.instanceEvent(event)
      publishRow(event.instance.service)
    }
    onProgress('looking for services that run already')
    fleet = stack.use(await Fleet.open({ services, stateDir: config.stateDir, logger, clock, onEvent: onRuntimeEvent }))
    shard = stack.use(
      await startShard(
        {
          onVerdict: (verdict) => loop.send({ type: 'verdict', verdict }),
          onEvent: (event) => {
            if (event.type === 'observer.changed') observerChanged(event)
            loop.send(event)
          },
          onSummary: ({ probes, attempts, latenessP99Ms }) => {
            for (const row of probes) summaries.set(`${row.instance}\n${row.probe}`, row)
            metrics.probing(attempts, latenessP99Ms)
          },
          onLost: (reason) => {
            lost = reason
            observerChanged({ unwell: true, reason })
            loop.send({ type: 'observer.changed', unwell: true, reason })
            logger.error({ reason }, 'probing has ended')
          },
          onInput: (record) => trace?.detection(record),
        },
        { record: trace !== null, logger },
      ),
    )
    shard.setTargets(services, [...fleet.instances.values()])
    for (const instance of fleet.instances.values()) {
      if (instance.state === 'created') continue
      const type =
        instance.state === 'exited'
          ? 'instance.exited'
          : instance.state === 'failed'
            ? 'instance.failed'
            : 'instance.started'
      onRuntimeEvent({ type, instance })
      if (instance.state === 'suspended') onRuntimeEvent({ type: 'instance.suspended', instance })
    }
    const order = topologicalOrder(services)
    onProgress('starting services')
    await fleet.startNew(order, abort.signal)

    function publish({ input, now, events: derived }: Parameters<LoopHandlers['onTurn']>[0]): void {
      for (const event of derived) {
        metrics.take(event)
        const row = book.take(event)
        if (row) events.publish({ type: 'incident', data: row })
        if (event.type === 'service.changed') publishRow(event.service.name)
        if (event.type === 'action.decided') {
          const action = book.action(event.action.id, event.action.incident)
          if (action) events.publish({ type: 'action', data: action })
        }
        remember(event)
        if (event.type !== 'service.changed') logger.info({ event }, event.type)
      }
      if (input.type === 'action.finished') {
        const done = book.finished(input.action, input.outcome, isoOf(now.wall))
        metrics.actionFinished(input.action, input.outcome)
        if (done) {
          events.publish({ type: 'action', data: done.action })
          events.publish({ type: 'incident', data: done.row })
        }
        logger.info({ action: input.action, outcome: input.outcome }, input.type)
      }
    }

    function remember(event: Parameters<IncidentBook['take']>[0]): void {
      const failed = (error: unknown) => logger.error({ err: messageOf(error), type: event.type }, 'not journaled')
      switch (event.type) {
        case 'incident.opened':
        case 'incident.updated':
        case 'incident.recovered':
        case 'incident.closed':
          journal.saveIncident(event.incident, event.type).catch(failed)
          break
        case 'service.quarantined':
          journal.saveQuarantine(event.service, event.since, event.incident, event.reason).catch(failed)
          break
        case 'service.released':
          journal.clearQuarantine(event.service).catch(failed)
          break
        case 'action.withheld':
          journal.appendEvent(event.type, event).catch(failed)
          break
        default:
      }
    }

    function publishRow(service: string): void {
      const row = state.row(service)
      if (row) events.publish({ type: 'service', data: row })
    }

    function observerChanged(event: { readonly unwell: boolean; readonly reason: string }): void {
      observer = { unwell: event.unwell, reason: event.reason }
      metrics.observer(event.unwell)
      const since = event.unwell ? isoOf(clock.wall()) : null
      events.publish({ type: 'observer', data: { unwell: event.unwell, reason: event.reason || null, since } })
      logger.warn({ unwell: event.unwell, reason: event.reason }, 'observer.changed')
    }

    async function carryOut(effect: Effect): Promise<void> {
      if (effect.type === 'confirm') return shard?.confirm(effect.token, effect.services, effect.withinMs)
      loop.send(await act(effect.action))
    }

    async function act(action: Action): Promise<InputEvent> {
      const runtime = fleet?.runtimeOf(action.instance)
      if (!runtime) {
        return { type: 'action.finished', action, outcome: { result: 'failed', detail: 'no runtime', startedAt: null } }
      }
      const decidedAt = isoOf(clock.wall())
      const outcome = await execute(action, decidedAt, {
        runtime,
        intents: journal,
        clock,
        logger,
        signal: abort.signal,
      })
      return { type: 'action.finished', action, outcome }
    }

    let stopping: Promise<void> | null = null
    return {
      url,
      stop: ({ stopServices }) => (stopping ??= end(stopServices)),
    }

    async function end(stopServices: boolean): Promise<void> {
      // Deciding ends first: what is stopped on purpose must not be cured.
      loop[Symbol.dispose]()
      abort.abort(new Error('the daemon is stopping'))
      if (stopServices) await fleet?.stopAll(order, 3_000)
      await stack.disposeAsync()
    }
  } catch (error) {
    await stack.disposeAsync()
    throw error
  }
}

/** What the last life left behind. An action that it did not finish counts as an attempt and is never repeated blindly. */
async function readJournal(journal: Journal, book: IncidentBook): Promise<Extract<InputEvent, { type: 'restored' }>> {
  const { incidents, attempts, quarantined, pending } = await journal.readBack()
  for (const action of pending) await journal.markInterrupted(action.id)
  book.load([...(await journal.incidents({ limit: 1_000 }))].reverse())
  return { type: 'restored', incidents, attempts, quarantined }
}
