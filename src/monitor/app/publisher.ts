import { messageOf, type Logger } from '@medyk/health/internal'
import type { Journal } from '../journal/index.ts'
import { isoOf, type Action, type ActionOutcome, type DerivedEvent, type Incident } from '../model/index.ts'
import type { EventLog, ServiceRow } from '../server/index.ts'
import type { IncidentBook } from './incident-book.ts'
import type { LoopHandlers } from './loop.ts'
import type { DaemonMetrics } from './metrics.ts'

export interface PublisherSinks {
  readonly book: IncidentBook
  readonly events: EventLog
  readonly journal: Journal
  readonly metrics: DaemonMetrics
  readonly logger: Logger
  row(service: string): ServiceRow | null
  /** Asks for a snapshot of how things stand; returns at once. Absent: none are taken. */
  forensics?(incident: Incident): void
}

/** Tells the journal, the API's streams, the metrics and the log what a turn of the core brought. */
export class Publisher {
  readonly #sinks: PublisherSinks

  constructor(sinks: PublisherSinks) {
    this.#sinks = sinks
  }

  turn({ input, now, events: derived }: Parameters<LoopHandlers['onTurn']>[0]): void {
    const { book, events, metrics, logger } = this.#sinks
    for (const event of derived) this.#derived(event)
    if (input.type !== 'action.finished') return
    metrics.actionFinished(input.action, input.outcome)
    logger.info({ action: input.action, outcome: input.outcome }, input.type)
    const done = book.finished(input.action, input.outcome, isoOf(now.wall))
    if (!done) return
    events.publish({ type: 'action', data: done.action })
    events.publish({ type: 'incident', data: done.row })
  }

  /** An action of an operator, of which the core knows nothing. */
  operated(action: Action, outcome: ActionOutcome): void {
    this.#sinks.metrics.actionFinished(action, outcome)
    this.#sinks.logger.info({ action, outcome }, 'operator.acted')
    this.service(action.service)
  }

  service(name: string): void {
    const row = this.#sinks.row(name)
    if (row) this.#sinks.events.publish({ type: 'service', data: row })
  }

  observer(change: { readonly unwell: boolean; readonly reason: string }, wall: number): void {
    const { events, metrics, logger } = this.#sinks
    metrics.observer(change.unwell)
    const data = { unwell: change.unwell, reason: change.reason || null, since: change.unwell ? isoOf(wall) : null }
    events.publish({ type: 'observer', data })
    logger.warn(change, 'observer.changed')
  }

  #derived(event: DerivedEvent): void {
    const { book, events, metrics, logger } = this.#sinks
    metrics.take(event)
    this.#remember(event)
    // After the incident: the journal keeps no snapshot without it.
    if (event.type === 'incident.opened') this.#sinks.forensics?.(event.incident)
    const row = book.take(event)
    if (row) events.publish({ type: 'incident', data: row })
    if (event.type === 'service.changed') return this.service(event.service.name)
    if (event.type === 'action.decided') {
      const action = book.action(event.action.id, event.action.incident)
      if (action) events.publish({ type: 'action', data: action })
    }
    logger.info({ event }, event.type)
  }

  /** Not awaited: the journal keeps the order, and an action awaits its own intent behind all of this. */
  #remember(event: DerivedEvent): void {
    this.#write(event).catch((error: unknown) => {
      this.#sinks.logger.error({ err: messageOf(error), type: event.type }, 'not journaled')
    })
  }

  async #write(event: DerivedEvent): Promise<void> {
    const { journal } = this.#sinks
    switch (event.type) {
      case 'incident.opened':
      case 'incident.updated':
      case 'incident.recovered':
      case 'incident.closed':
        return await journal.saveIncident(event.incident, event.type)
      case 'service.quarantined':
        return await journal.saveQuarantine(event.service, event.since, event.incident, event.reason)
      case 'service.released':
        return await journal.clearQuarantine(event.service)
      case 'action.withheld':
        return await journal.appendEvent(event.type, event, event.incident)
      case 'mass.failure':
        return await journal.appendEvent(event.type, event)
      default:
    }
  }
}
