import { type Clock, MedykError } from '@medyk/health/internal'

/** Whether `event` came within `ms`. Rejects with the signal's reason when that aborts first. */
export async function cameWithin(
  event: Promise<unknown>,
  ms: number,
  { clock, signal }: { readonly clock: Clock; readonly signal: AbortSignal },
): Promise<boolean> {
  signal.throwIfAborted()
  return await new Promise<boolean>((resolve, reject) => {
    const settle = (act: () => void) => {
      timer[Symbol.dispose]()
      signal.removeEventListener('abort', onAbort)
      act()
    }
    const onAbort = () => settle(() => reject(signal.reason as Error))
    const timer = clock.timer(ms, () => settle(() => resolve(false)))
    signal.addEventListener('abort', onAbort, { once: true })
    void event.then(() => settle(() => resolve(true)))
  })
}

/** `work`, but the caller is let go when the signal aborts. */
export async function settledBy<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return await new Promise<T>((resolve, reject) => {
    const onAbort = () => reject(signal.reason as Error)
    if (signal.aborted) onAbort()
    else signal.addEventListener('abort', onAbort, { once: true })
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort))
  })
}

const MAX_WAITING_CALLS = 32

/** Carries out the calls on one instance one after the other. A caller whose signal aborts is let go at once. */
export class CallQueue {
  readonly #owner: string
  #last: Promise<unknown> = Promise.resolve()
  #waiting = 0

  constructor(owner: string) {
    this.#owner = owner
  }

  async run<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    signal.throwIfAborted()
    if (this.#waiting >= MAX_WAITING_CALLS) {
      throw new MedykError('ERR_RUNTIME', `${this.#waiting} calls already wait for "${this.#owner}"`, {
        hint: 'wait for those to finish',
      })
    }
    this.#waiting++
    const turn = this.#last.then(() => {
      signal.throwIfAborted()
      return work()
    })
    const leave = () => void this.#waiting--
    this.#last = turn.then(leave, leave)
    return await settledBy(turn, signal)
  }

  async idle(): Promise<void> {
    await this.#last
  }
}
