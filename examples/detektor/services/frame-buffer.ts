// Holds frames between rtsp-capture and frame-tracking: bounded, and honest about what it had to drop.
import { MedykError } from '@medyk/health'
import { BoundedQueue } from '../lib/bounded-queue.ts'
import { countFrom } from '../lib/env.ts'
import { MAX_BATCH, parseFrames, type Frame } from '../lib/frame.ts'
import { runService } from '../lib/service.ts'

const MAX_WAIT_MS = 10_000
const MAX_WAITING = 16
/** Whoever took frames within this time is there. */
const CONSUMER_MS = 5_000

await runService('frame-buffer', 8002, ({ env, health, log, signal }) => {
  const queue = new BoundedQueue<Frame>(countFrom(env, 'CAPACITY_FRAMES', 1_500))
  let takenAt = Number.NEGATIVE_INFINITY
  let outrunAt = Number.NEGATIVE_INFINITY
  const waiting = new Set<() => void>()
  const { metrics } = health
  const buffered = metrics.counter({ name: 'frames_buffered_total', help: 'Frames taken in' })
  const dropped = metrics.counter({ name: 'frames_dropped_total', help: 'Oldest frames dropped because it was full' })
  const delivered = metrics.counter({ name: 'frames_delivered_total', help: 'Frames given out' })
  metrics.gauge({ name: 'frame_buffer_depth', help: 'Frames waiting', read: () => queue.size })
  metrics.gauge({ name: 'frame_buffer_capacity', help: 'Frames that fit', read: () => queue.capacity })
  signal.addEventListener('abort', () => waiting.forEach((wake) => wake()))

  const accountFor = (lost: number) => {
    if (lost === 0) return
    if (queue.dropped === lost) log.warn({ capacity: queue.capacity }, 'full: dropping the oldest frames')
    dropped.inc(lost)
    if (performance.now() - takenAt < CONSUMER_MS) outrunAt = performance.now()
  }

  /** Until there is something to take, the time is up, or either side leaves. */
  const arrival = (ms: number, gone: AbortSignal) =>
    new Promise<void>((resolve) => {
      const wake = () => {
        clearTimeout(timer)
        waiting.delete(wake)
        gone.removeEventListener('abort', wake)
        resolve()
      }
      const timer = setTimeout(wake, ms)
      waiting.add(wake)
      gone.addEventListener('abort', wake)
    })

  return {
    routes: {
      'POST /frames': async ({ json }) => {
        const frames = parseFrames(await json())
        const lost = queue.push(frames)
        buffered.inc(frames.length)
        accountFor(lost)
        for (const wake of waiting) wake()
        return { body: { accepted: frames.length, dropped: lost, depth: queue.size } }
      },
      'GET /frames': async ({ query, signal: gone }) => {
        const max = numberFrom(query, 'max', 100, 1, MAX_BATCH)
        const waitMs = numberFrom(query, 'waitMs', 0, 0, MAX_WAIT_MS)
        if (queue.size === 0 && waitMs > 0 && !signal.aborted) {
          if (waiting.size >= MAX_WAITING) throw new MedykError('ERR_BUSY', `more than ${MAX_WAITING} wait for frames`)
          await arrival(waitMs, gone)
        }
        const frames = gone.aborted ? [] : queue.take(max)
        delivered.inc(frames.length)
        const before = takenAt
        if (frames.length > 0) takenAt = performance.now()
        const undelivered = () => {
          takenAt = before
          accountFor(queue.putBack(frames))
        }
        return { body: { frames, depth: queue.size, dropped: queue.dropped }, undelivered }
      },
      'GET /stats': () => ({ body: { depth: queue.size, capacity: queue.capacity, dropped: queue.dropped } }),
    },
    checks: [
      {
        name: 'depth',
        intervalMs: 500,
        critical: false,
        failureThreshold: 2,
        check: () => {
          const data = { depth: queue.size, capacity: queue.capacity, dropped: queue.dropped }
          const frames = `${queue.size} of ${queue.capacity} frames wait, ${queue.dropped} were dropped so far`
          const now = performance.now()
          // Dropping while somebody takes: too small, or they are too slow. A full queue that nobody empties is the
          // consumer's illness, and told there.
          if (now - outrunAt < CONSUMER_MS)
            return { status: 'degraded', message: `the consumer is outrun: ${frames}`, data }
          const away = queue.size > 0 && now - takenAt >= CONSUMER_MS
          return { status: 'healthy', data, ...(away && { message: `no consumer takes: ${frames}` }) }
        },
      },
    ],
  }
})

function numberFrom(query: URLSearchParams, name: string, fallback: number, min: number, max: number): number {
  const value = Number(query.get(name) ?? fallback)
  if (Number.isInteger(value) && value >= min && value <= max) return value
  throw new MedykError('ERR_INPUT', `${name} must be a whole number from ${min} to ${max}`)
}
