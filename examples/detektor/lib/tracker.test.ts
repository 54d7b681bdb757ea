import { describe, expect, it } from 'vitest'
import type { Frame } from './frame.ts'
import { Tracker } from './tracker.ts'

const frame = (number: number, more: Partial<Frame> = {}): Frame => ({
  camera: 'a',
  session: 's',
  number,
  rtpTimestamp: number * 3_600,
  bytes: 1_000,
  keyframe: (number - 1) % 25 === 0,
  capturedAt: 1_000_000 + number * 40,
  ...more,
})

describe('Tracker', () => {
  it('finds nothing missing in a whole stream, keyframes a second apart and the right bit rate', () => {
    const tracker = new Tracker()
    const rows = Array.from({ length: 200 }, (_, i) => tracker.take(frame(i + 1)))
    expect(rows.every(({ gapFrames }) => gapFrames === 0)).toBe(true)
    const intervals = rows.flatMap(({ keyframe, keyframeIntervalMs }) => (keyframe ? [keyframeIntervalMs] : []))
    expect(intervals).toEqual([null, ...Array<number>(7).fill(1_000)])
    expect(rows[0]?.bitrateBps).toBeNull()
    expect(rows.at(-1)?.bitrateBps).toBe(200_000)
  })

  it('counts what is missing, per camera', () => {
    const tracker = new Tracker()
    for (const camera of ['a', 'b']) tracker.take(frame(1, { camera }))
    expect(tracker.take(frame(5)).gapFrames).toBe(3)
    expect(tracker.take(frame(2, { camera: 'b' })).gapFrames).toBe(0)
  })

  it('begins anew with a new session, wherever that one begins', () => {
    const tracker = new Tracker()
    tracker.take(frame(1_000))
    expect(tracker.take(frame(7, { session: 't' }))).toMatchObject({ gapFrames: 0, keyframeIntervalMs: null })
    expect(tracker.take(frame(9, { session: 't' })).gapFrames).toBe(1)
  })

  it('stays sane when the clock goes back or a frame comes twice', () => {
    const tracker = new Tracker()
    tracker.take(frame(1))
    expect(tracker.take(frame(2, { capturedAt: 5 }))).toMatchObject({ gapFrames: 0 })
    expect(tracker.take(frame(1, { capturedAt: 0 }))).toMatchObject({ gapFrames: 0, keyframeIntervalMs: 0 })
    expect(tracker.take(frame(3)).gapFrames).toBe(0)
  })
})
