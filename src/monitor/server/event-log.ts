import type { ApiEvent, ObserverState } from './api.ts'

type Body<E extends ApiEvent = ApiEvent> = E extends { readonly type: 'hello' } ? never : Omit<E, 'id'>

/** What is published: an event before it has its id. */
export type EventBody = Body

export interface EventLog {
  publish(event: EventBody): void
  /** Tells every listener to fetch the lists again: services came or went. What came before cannot be resumed. */
  reset(): void
  /** As `MonitorState.subscribe` asks. A listener that throws is dropped. */
  subscribe(listener: (event: ApiEvent) => void, since?: string): Disposable
}

export interface EventLogOptions {
  /** Differs from one life of the daemon to the next, so that an old id is recognised. Letters and digits. */
  readonly epoch: string
  readonly version: string
  /** Wall-clock milliseconds. */
  readonly wall: () => number
  /** Events kept for those who come back. Default 512. */
  readonly capacity?: number
}

/** The last events in a ring, numbered, so that a client that was away can go on where it stopped. */
export function createEventLog(options: EventLogOptions): EventLog {
  const { epoch, version, wall, capacity = 512 } = options
  const ring: ApiEvent[] = []
  const listeners = new Set<(event: ApiEvent) => void>()
  let sequence = 0
  /** Ids at and above this one can be resumed from. */
  let floor = 0
  let observer: ObserverState = { unwell: false, reason: null, since: null }

  const idOf = (n: number) => `${epoch}-${n}`
  const hello = (id: string, resumed: boolean): ApiEvent => ({
    id,
    type: 'hello',
    data: { resumed, at: new Date(wall()).toISOString(), version, observer },
  })

  const send = (event: ApiEvent) => {
    for (const listener of listeners) {
      try {
        listener(event)
      } catch {
        listeners.delete(listener)
      }
    }
  }

  /** null: this id is not ours, or what followed it has left the ring. */
  const numberOf = (id: string | undefined): number | null => {
    if (!id?.startsWith(`${epoch}-`)) return null
    const digits = id.slice(epoch.length + 1)
    if (!/^\d{1,15}$/.test(digits)) return null
    const n = Number(digits)
    return n >= floor && n <= sequence ? n : null
  }

  return {
    publish(body) {
      if (body.type === 'observer') observer = body.data
      const event = { ...body, id: idOf(++sequence) } as ApiEvent
      ring.push(event)
      if (ring.length > capacity) ring.shift()
      floor = Math.max(floor, sequence - ring.length)
      send(event)
    },

    reset() {
      ring.length = 0
      floor = ++sequence
      send(hello(idOf(sequence), false))
    },

    subscribe(listener, since) {
      const from = numberOf(since)
      // The id of a resuming hello is the old one: were it the newest, a cut in the replay would lose the rest.
      listener(from === null ? hello(idOf(sequence), false) : hello(idOf(from), true))
      if (from !== null) for (const event of ring.slice(ring.length - (sequence - from))) listener(event)
      // An own function, so that the same listener may subscribe twice.
      const own = (event: ApiEvent) => listener(event)
      listeners.add(own)
      return { [Symbol.dispose]: () => void listeners.delete(own) }
    },
  }
}
