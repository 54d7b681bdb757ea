import type { ContainerEvent } from './event-lines.ts'
import type { ContainerEnd } from './view.ts'

/** However short a container's own time to stop is, its operator meant what happens within this. */
const MEANT_MS = 30_000
/** Docker sets the end of a run before it tells `die`; both are read to the millisecond. */
const SLACK_MS = 5

export interface RunEnd {
  /** Unix ms by the engine's clock. */
  readonly at: number
  readonly exitCode: number | null
  readonly end: ContainerEnd
}

/** How long after a signal an end is taken as its consequence. */
export function meantMs(stopTimeoutMs: number | null): number {
  return Math.max(MEANT_MS, (stopTimeoutMs ?? 10_000) + 10_000)
}

/** Reads from the events of one container how each of its runs came to its end. */
export class RunEnds {
  #asked: { readonly how: 'stop' | 'kill'; readonly at: number } | null = null
  #last: RunEnd | null = null

  /** Returns `stopping` when somebody has just asked it to end. */
  note(
    event: ContainerEvent,
    view: { readonly stopSignal: string; readonly stopTimeoutMs: number | null } | undefined,
  ) {
    const meant = meantMs(view?.stopTimeoutMs ?? null)
    if (this.#asked && event.at - this.#asked.at > meant) this.#asked = null
    switch (event.action) {
      case 'kill': {
        const signal = signalNumber(event.attributes.signal ?? '')
        if (signal === KILL) this.#asked = this.#asked?.how === 'stop' ? this.#asked : { how: 'kill', at: event.at }
        else if (asksToEnd(signal, view?.stopSignal ?? 'SIGTERM')) {
          this.#asked = { how: 'stop', at: event.at }
          return 'stopping'
        }
        return null
      }
      case 'die': {
        const code = event.attributes.exitCode ?? ''
        this.#last = {
          at: event.at,
          exitCode: /^\d{1,5}$/.test(code) ? Number(code) : null,
          end: this.#asked?.how ?? 'itself',
        }
        this.#asked = null
        return null
      }
      case 'stop':
        // Between two runs of a restart policy there is no process to send a signal to: this is all that Docker tells.
        if (this.#last?.end === 'itself') this.#last = { ...this.#last, end: 'stop' }
        return null
      case 'start':
        this.#asked = null
        return null
      default:
        return null
    }
  }

  /** The end of the run that finished then (Unix ms by the engine's clock); null: it was not seen. */
  of(finishedAt: number): RunEnd | null {
    return this.#last && this.#last.at >= finishedAt - SLACK_MS ? this.#last : null
  }
}

const KILL = 9

const NUMBERS: Readonly<Record<string, number>> = {
  HUP: 1,
  INT: 2,
  QUIT: 3,
  ABRT: 6,
  KILL,
  USR1: 10,
  USR2: 12,
  TERM: 15,
  WINCH: 28,
  PWR: 30,
}

/** Of `15`, `TERM` or `SIGTERM`; of others a number of their own that equals no real one. */
export function signalNumber(signal: string): number {
  const name = signal.toUpperCase().replace(/^SIG/, '')
  if (/^\d{1,3}$/.test(name)) return Number(name)
  const realTime = /^RTMIN\+(\d{1,2})$/.exec(name)
  if (realTime) return 34 + Number(realTime[1])
  return NUMBERS[name] ?? -1
}

function asksToEnd(signal: number, stopSignal: string): boolean {
  return signal === 2 || signal === 3 || signal === 15 || (signal > 0 && signal === signalNumber(stopSignal))
}
