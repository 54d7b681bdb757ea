import type { Frame, TrackRow } from './frame.ts'

interface Track {
  readonly session: string
  number: number
  capturedAt: number
  keyframeAt: number | null
  bitrateBps: number | null
  frames: number
}

/** Time constant of the moving average. */
const AVERAGE_MS = 2_000
/** Fewer pictures say nothing about a rate. */
const MIN_FRAMES = 10
const MAX_CAMERAS = 1_000

/** Follows each camera's pictures: what is missing between them, how far keyframes are apart, how much data flows. */
export class Tracker {
  readonly #tracks = new Map<string, Track>()

  take(frame: Frame): TrackRow {
    const before = this.#tracks.get(frame.camera)
    // A new session counts from 1 again: whatever lies between the two was never captured.
    const track = before?.session === frame.session ? before : this.#begin(frame)
    const gapFrames = Math.max(0, frame.number - track.number - 1)
    const keyframeIntervalMs =
      frame.keyframe && track.keyframeAt !== null ? Math.max(0, frame.capturedAt - track.keyframeAt) : null
    this.#average(track, frame)
    track.number = Math.max(track.number, frame.number)
    track.capturedAt = frame.capturedAt
    if (frame.keyframe) track.keyframeAt = frame.capturedAt
    const bitrateBps = track.frames < MIN_FRAMES || track.bitrateBps === null ? null : Math.round(track.bitrateBps)
    return { ...frame, gapFrames, keyframeIntervalMs, bitrateBps }
  }

  #begin(frame: Frame): Track {
    const { session, number, capturedAt, camera } = frame
    const track = { session, number: number - 1, capturedAt, keyframeAt: null, bitrateBps: null, frames: 0 }
    this.#tracks.delete(camera)
    this.#tracks.set(camera, track)
    const [oldest] = this.#tracks.keys()
    if (this.#tracks.size > MAX_CAMERAS && oldest !== undefined) this.#tracks.delete(oldest)
    return track
  }

  #average(track: Track, frame: Frame): void {
    const elapsed = frame.capturedAt - track.capturedAt
    track.frames += 1
    if (elapsed <= 0) return
    const rate = (frame.bytes * 8_000) / elapsed
    const weight = 1 - Math.exp(-elapsed / AVERAGE_MS)
    track.bitrateBps = track.bitrateBps === null ? rate : track.bitrateBps + weight * (rate - track.bitrateBps)
  }
}
