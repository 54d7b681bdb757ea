import type { ContainerView } from '../../docker/index.ts'
import type { EndedBy, Instance, RuntimeEvent } from '../../model/index.ts'
import { CallQueue } from '../process/waiting.ts'
import { eventOf, shortId, toInstance, type Knowledge } from './instance.ts'

/** One container that is an instance of a service: what was last told of it, and what Medyk is doing with it. */
export class Tracked {
  readonly id: string
  service: string
  view: ContainerView
  readonly calls: CallQueue
  failure: Instance['failure'] = null
  endedBy: EndedBy
  stopping = false
  frozen = false
  /** Docker does not answer, or has not been asked for it since it does again. */
  lost = false
  /** A run that begins now is ours. */
  starting = false
  /** Until then (monotonic) an end is ours; null: it is not. */
  endingUntil: number | null = null
  /** Whether it had ever run when it was first seen or since. */
  hasRun: boolean
  #told: Instance | null = null

  constructor(service: string, view: ContainerView, endedBy: EndedBy) {
    this.id = shortId(view.id)
    this.service = service
    this.view = view
    this.endedBy = endedBy
    this.hasRun = view.startedAt !== null || view.finishedAt !== null
    this.calls = new CallQueue(this.id)
  }

  instance(around: Pick<Knowledge, 'restarts' | 'parent'>): Instance {
    const { service, failure, endedBy, stopping, frozen, lost } = this
    return toInstance(this.view, { service, failure, endedBy, stopping, frozen, lost, ...around })
  }

  /** Takes `now` for told, and gives what has to be told of it. */
  next(now: Instance): RuntimeEvent['type'] | null {
    const type = eventOf(this.#told, now)
    this.#told = now
    return type
  }

  /** Known from a list: nothing has to be told of it. */
  settle(now: Instance): void {
    this.#told = now
  }
}
