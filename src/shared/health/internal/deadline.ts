import { MedykError } from './error.ts'
import { systemClock, type Clock } from './clock.ts'

/**
 * Runs `work` with a signal that aborts after `ms` or with `parent`. Settles at the deadline even if `work` ignores its
 * signal. Rejects with `ERR_DEADLINE` on time-out and with the parent's reason when the parent aborts: a time-out is a
 * finding, a caller's abort is not.
 */
export async function withDeadline<T>(
  ms: number,
  work: (signal: AbortSignal) => Promise<T> | T,
  options: { parent?: AbortSignal | undefined; clock?: Clock; what?: string } = {},
): Promise<T> {
  const { parent, clock = systemClock, what = 'the operation' } = options
  parent?.throwIfAborted()
  const controller = new AbortController()
  return await new Promise<T>((resolve, reject) => {
    const stop = (reason: unknown) => {
      controller.abort(reason)
      reject(reason)
    }
    const onParent = () => stop(parent?.reason)
    const timer = clock.timer(ms, () => stop(new MedykError('ERR_DEADLINE', `${what} took longer than ${ms} ms`)))
    parent?.addEventListener('abort', onParent, { once: true })
    const settle = () => {
      timer[Symbol.dispose]()
      parent?.removeEventListener('abort', onParent)
    }
    // Promise.resolve().then: a synchronous throw of `work` must become a rejection like any other.
    Promise.resolve()
      .then(() => work(controller.signal))
      .then(resolve, reject)
      .finally(settle)
  })
}
