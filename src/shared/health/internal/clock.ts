/**
 * Time as a dependency. Fake timers move neither `timers/promises` nor `AbortSignal.timeout`, so whatever waits takes a
 * Clock and whatever decides takes numbers.
 */
export interface Clock {
  /** Milliseconds on a monotonic scale that all threads and processes of one machine share. Never goes back. */
  mono(): number
  /** Milliseconds since the Unix epoch. May jump. Only for showing and storing. */
  wall(): number
  /** Runs `fn` once after `ms`; dispose to cancel. Keeps the process alive unless `unref` is given. */
  timer(ms: number, fn: () => void, options?: { readonly unref?: boolean }): Disposable
  /** Resolves after `ms`; rejects with the signal's reason when aborted first. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>
}

export const systemClock: Clock = {
  // hrtime, not performance.now(): its zero is the same in every worker thread.
  mono: () => Number(process.hrtime.bigint()) / 1e6,
  wall: () => Date.now(),
  timer(ms, fn, options) {
    // Beyond 31 bits setTimeout would fire at once.
    const handle = setTimeout(fn, Math.min(ms, 2 ** 31 - 1))
    if (options?.unref) handle.unref()
    return { [Symbol.dispose]: () => clearTimeout(handle) }
  },
  sleep: (ms, signal) => sleepOn(systemClock, ms, signal),
}

/** `Clock.sleep` in terms of `Clock.timer`, shared by the real and the fake clock. */
export function sleepOn(clock: Pick<Clock, 'timer'>, ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason as Error)
    const onAbort = () => {
      timer[Symbol.dispose]()
      reject(signal?.reason as Error)
    }
    const timer = clock.timer(ms, () => {
      signal?.removeEventListener('abort', onAbort)
      resolve()
    })
    signal?.addEventListener('abort', onAbort, { once: true })
  })
}
