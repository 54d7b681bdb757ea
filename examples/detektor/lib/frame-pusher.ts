import { setTimeout as sleep } from 'node:timers/promises'
import type { Logger } from '@medyk/health'
import { Backoff } from './backoff.ts'
import { BoundedQueue } from './bounded-queue.ts'
import type { Frame } from './frame.ts'
import { callJson } from './http-client.ts'

export interface FramePusherOptions {
  readonly url: string
  readonly capacity: number
  readonly signal: AbortSignal
  readonly log: Logger
  readonly onPushed: (count: number) => void
  readonly onDropped: (count: number) => void
}

const BATCH = 100
/** Collects this long: a call for every picture would be 25 a second. */
const GATHER_MS = 150
const CALL_MS = 2_000

/** Sends frames in small batches, one call at a time, and holds a bounded number while the other side is away. */
export class FramePusher {
  readonly #options: FramePusherOptions
  readonly #queue: BoundedQueue<Frame>
  /** Resolves when the signal has aborted and the last call is over. */
  readonly done: Promise<void>

  constructor(options: FramePusherOptions) {
    this.#options = options
    this.#queue = new BoundedQueue(options.capacity)
    this.done = this.#run()
  }

  add(frame: Frame): void {
    const dropped = this.#queue.push([frame])
    if (dropped > 0) this.#options.onDropped(dropped)
  }

  async #run(): Promise<void> {
    const { signal, url, log, onPushed } = this.#options
    const backoff = new Backoff(1_000, signal)
    while (!signal.aborted) {
      const batch = this.#queue.peek(BATCH)
      if (batch.length === 0) {
        await sleep(GATHER_MS, undefined, { signal }).catch(() => {})
        continue
      }
      const droppedBefore = this.#queue.dropped
      try {
        await callJson('POST', url, { signal, timeoutMs: CALL_MS }, { frames: batch })
        if (backoff.failures > 0) log.info({ waiting: this.#queue.size, dropped: this.#queue.dropped }, 'pushing again')
        backoff.reset()
        // What the queue has dropped meanwhile was the head of this very batch.
        this.#queue.take(Math.max(0, batch.length - (this.#queue.dropped - droppedBefore)))
        onPushed(batch.length)
        if (this.#queue.size < BATCH) await sleep(GATHER_MS, undefined, { signal }).catch(() => {})
      } catch (error) {
        if (signal.aborted) return
        if (backoff.failures === 0) log.warn({}, `cannot push frames: ${(error as Error).message}`)
        await backoff.pause()
      }
    }
  }
}
