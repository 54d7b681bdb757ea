import { isContainerId } from './container-view.ts'
import { record, text } from './untrusted.ts'

/** A line that grows beyond this is no event; the next one may be. */
const MAX_LINE = 262_144

export interface ContainerEvent {
  readonly id: string
  /** Without what stands behind a colon: `health_status`. */
  readonly action: string
  /** Unix ms by the engine's clock. */
  readonly at: number
  /** Tells an event that comes twice. */
  readonly key: string
  readonly attributes: { readonly signal?: string; readonly exitCode?: string }
}

/** Cuts a stream of JSON lines into events, wherever its chunks end. What is broken is left out, and the next line is read. */
export class EventLines {
  #rest = ''
  #skipping = false

  push(chunk: string): readonly ContainerEvent[] {
    const lines = (this.#rest + chunk).split('\n')
    this.#rest = lines.pop() ?? ''
    if (this.#skipping && lines.length > 0) {
      lines.shift()
      this.#skipping = false
    }
    if (this.#rest.length > MAX_LINE) {
      this.#rest = ''
      this.#skipping = true
    }
    return lines.flatMap((line) => toEvent(line) ?? [])
  }

  /** What stands behind the last line feed when the stream has ended. */
  end(): readonly ContainerEvent[] {
    const rest = this.#skipping ? null : toEvent(this.#rest)
    this.#rest = ''
    this.#skipping = false
    return rest ? [rest] : []
  }
}

function toEvent(line: string): ContainerEvent | null {
  if (line.length < 2 || line.length > MAX_LINE) return null
  let parsed: unknown
  try {
    parsed = JSON.parse(line)
  } catch {
    return null
  }
  const event = record(parsed)
  const actor = record(event.Actor)
  const id = text(actor.ID, 64)
  const nano = typeof event.timeNano === 'number' ? event.timeNano : Number(event.time) * 1e9
  if (event.Type !== 'container' || !isContainerId(id) || !Number.isFinite(nano)) return null
  const attributes = record(actor.Attributes)
  const action = text(event.Action, 100).replace(/:.*$/s, '')
  return {
    id,
    action,
    at: nano / 1e6,
    key: `${nano}/${id}/${action}/${text(attributes.signal, 20)}`,
    attributes: {
      ...(typeof attributes.signal === 'string' ? { signal: text(attributes.signal, 20) } : {}),
      ...(typeof attributes.exitCode === 'string' ? { exitCode: text(attributes.exitCode, 20) } : {}),
    },
  }
}
