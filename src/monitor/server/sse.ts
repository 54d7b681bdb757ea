import type { Clock } from '@medyk/health/internal'
import type { ApiEvent } from './api.ts'
import type { MonitorState } from './port.ts'

export interface EventStreamLimits {
  /** Open streams at once. Default 64. */
  readonly maxClients: number
  /** Unread bytes a client may owe before it is dropped. Default 256 KiB. */
  readonly maxBufferedBytes: number
  /** A comment goes out this often, so that both ends and proxies between see life. Default 10 s. */
  readonly heartbeatMs: number
}

export const defaultEventStreamLimits: EventStreamLimits = {
  maxClients: 64,
  maxBufferedBytes: 256 * 1024,
  heartbeatMs: 10_000,
}

export interface EventStreams {
  readonly count: number
  /** null: there are too many already. `cut` must end the client's connection at once. */
  open(since: string | undefined, cut: () => void): ReadableStream<Uint8Array> | null
  /** Ends every stream in order. */
  closeAll(): void
}

const encoder = new TextEncoder()
const HEARTBEAT = encoder.encode(': beat\n\n')
/** How long an EventSource waits before it comes back. */
const RETRY = encoder.encode('retry: 2000\n\n')

export function createEventStreams(
  state: Pick<MonitorState, 'subscribe'>,
  clock: Clock,
  limits: EventStreamLimits,
): EventStreams {
  const enders = new Set<() => void>()
  // One event goes to many clients: serialised once, forgotten with the event.
  const frames = new WeakMap<ApiEvent, Uint8Array>()
  const frameOf = (event: ApiEvent): Uint8Array => {
    const known = frames.get(event)
    if (known) return known
    const frame = encodeEvent(event)
    frames.set(event, frame)
    return frame
  }

  return {
    get count() {
      return enders.size
    },

    open(since, cut) {
      if (enders.size >= limits.maxClients) return null
      let subscription: Disposable | undefined
      let beat: Disposable | undefined
      let end = () => {}
      // Comes twice for a stream that is closed while bytes wait in it: once from us, once from the connection.
      const leave = () => {
        if (!enders.delete(end)) return
        beat?.[Symbol.dispose]()
        subscription?.[Symbol.dispose]()
      }

      return new ReadableStream<Uint8Array>(
        {
          start(controller) {
            end = () => {
              leave()
              try {
                controller.close()
              } catch {
                // Cancelled meanwhile.
              }
            }
            const write = (bytes: Uint8Array) => {
              const room = controller.desiredSize ?? 0
              // An event larger than the whole buffer still goes out when nothing else waits.
              if (room < bytes.byteLength && room < limits.maxBufferedBytes) {
                // Whoever reads too slowly comes back with its last id and misses nothing; memory stays bounded.
                end()
                cut()
                return
              }
              controller.enqueue(bytes)
            }
            const schedule = () => {
              beat = clock.timer(
                limits.heartbeatMs,
                () => {
                  schedule()
                  write(HEARTBEAT)
                },
                { unref: true },
              )
            }

            let opening: ApiEvent[] | null = []
            subscription = state.subscribe((event) => (opening ? opening.push(event) : write(frameOf(event))), since)
            enders.add(end)
            controller.enqueue(RETRY)
            for (const event of fitting(opening, limits.maxBufferedBytes / 2, frameOf)) {
              controller.enqueue(frameOf(event))
            }
            opening = null
            schedule()
          },
          cancel: leave,
        },
        new ByteLengthQueuingStrategy({ highWaterMark: limits.maxBufferedBytes }),
      )
    },

    closeAll() {
      for (const finish of enders) finish()
    },
  }
}

/** The opening events, or only a hello that says "fetch anew" when the replay would not fit into the buffer. */
function fitting(
  opening: readonly ApiEvent[],
  maxBytes: number,
  frameOf: (event: ApiEvent) => Uint8Array,
): readonly ApiEvent[] {
  const [first, last] = [opening[0], opening.at(-1)]
  const size = opening.reduce((sum, event) => sum + frameOf(event).byteLength, 0)
  if (size <= maxBytes || first?.type !== 'hello' || !last) return opening
  return [{ ...first, id: last.id, data: { ...first.data, resumed: false } }]
}

/** One event as text/event-stream. JSON has no raw line breaks, so one data line is enough. */
export function encodeEvent(event: ApiEvent): Uint8Array {
  return encoder.encode(`id: ${event.id}\nevent: ${event.type}\ndata: ${JSON.stringify(event.data)}\n\n`)
}
