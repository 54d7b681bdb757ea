// Takes frames from frame-buffer, works out a track row for each, and stores them with metadata-storage.
import { Backoff } from '../lib/backoff.ts'
import { BoundedQueue } from '../lib/bounded-queue.ts'
import { countFrom, httpUrlFrom } from '../lib/env.ts'
import { parseFrames, type TrackRow } from '../lib/frame.ts'
import { callJson } from '../lib/http-client.ts'
import { dependency, runService } from '../lib/service.ts'
import { Tracker } from '../lib/tracker.ts'

const TAKE = 100
const STORE = 200
const WAIT_MS = 2_000
const CALL_MS = 2_000
/** Rows that wait longer are worth a word. */
const LATE_MS = 3_000

await runService('frame-tracking', 8006, ({ env, health, log, signal }) => {
  const bufferUrl = httpUrlFrom(env, 'FRAME_BUFFER_URL', 'http://127.0.0.1:8002')
  const storageUrl = httpUrlFrom(env, 'METADATA_STORAGE_URL', 'http://127.0.0.1:8005')
  const backlog = new BoundedQueue<TrackRow>(countFrom(env, 'BACKLOG_ROWS', 1_500))
  const tracker = new Tracker()
  const { metrics } = health
  const tracked = metrics.counter({ name: 'frames_tracked_total', help: 'Frames worked on' })
  const gaps = metrics.counter({ name: 'frame_gaps_total', help: 'Pictures missing between those that came' })
  const stored = metrics.counter({ name: 'rows_stored_total', help: 'Rows that metadata-storage has confirmed' })
  metrics.gauge({ name: 'backlog_rows', help: 'Rows not stored yet', read: () => backlog.size })
  let storedAt = performance.now()

  /** Both loops: try, and after a failure say so once and pause. */
  const repeat = async (what: string, turn: () => Promise<void>) => {
    const backoff = new Backoff(1_000, signal)
    while (!signal.aborted) {
      try {
        await turn()
        if (backoff.failures > 0) log.info({ backlog: backlog.size }, `${what}: working again`)
        backoff.reset()
      } catch (error) {
        if (signal.aborted) return
        if (backoff.failures === 0) log.warn({ backlog: backlog.size }, `${what}: ${(error as Error).message}`)
        await backoff.pause()
      }
    }
  }

  let wake = () => {}
  const change = () => new Promise<void>((resolve) => (wake = resolve))
  signal.addEventListener('abort', () => wake())

  const taking = repeat('taking frames', async () => {
    // A full backlog is not taken from the buffer at all: there it is counted, and can be seen.
    const max = Math.min(TAKE, backlog.room)
    if (max === 0) return await change()
    const url = `${bufferUrl}/frames?max=${max}&waitMs=${WAIT_MS}`
    const frames = parseFrames(await callJson('GET', url, { signal, timeoutMs: WAIT_MS + CALL_MS }))
    const rows = frames.map((frame) => tracker.take(frame))
    if (backlog.size === 0) storedAt = performance.now()
    backlog.push(rows)
    tracked.inc(rows.length)
    gaps.inc(rows.reduce((sum, { gapFrames }) => sum + gapFrames, 0))
    if (rows.length > 0) wake()
  })
  const store = async (callSignal: AbortSignal) => {
    const rows = backlog.peek(STORE)
    await callJson('POST', `${storageUrl}/metadata`, { signal: callSignal, timeoutMs: CALL_MS }, { rows })
    // Only now: rows of a call that failed are sent again, and storage knows those it has.
    backlog.take(rows.length)
    stored.inc(rows.length)
    storedAt = performance.now()
    wake()
  }
  const storing = repeat('storing rows', async () => {
    if (backlog.size === 0) return await change()
    await store(signal)
  })

  return {
    checks: [
      dependency('frame-buffer', bufferUrl),
      dependency('metadata-storage', storageUrl),
      {
        name: 'backlog',
        intervalMs: 500,
        critical: false,
        check: () => {
          const waitedMs = backlog.size === 0 ? 0 : Math.round(performance.now() - storedAt)
          const data = { rows: backlog.size, capacity: backlog.capacity, waitedMs }
          if (backlog.fill < 0.7 && waitedMs < LATE_MS) return { status: 'healthy', data }
          return { status: 'degraded', message: `${backlog.size} rows are not stored, for ${waitedMs} ms`, data }
        },
      },
    ],
    stop: async () => {
      await Promise.all([taking, storing])
      const last = AbortSignal.timeout(300)
      while (backlog.size > 0 && !last.aborted) await store(last)
      if (backlog.size > 0) log.warn({ rows: backlog.size }, 'rows were lost')
    },
  }
})
