import { MedykError } from '@medyk/health'

/** What rtsp-capture knows of one picture. */
export interface Frame {
  readonly camera: string
  /** One run of rtsp-capture; `number` counts from 1 within it. Together with `camera` they name a picture for good. */
  readonly session: string
  readonly number: number
  readonly rtpTimestamp: number
  readonly bytes: number
  readonly keyframe: boolean
  /** Milliseconds since the Unix epoch. */
  readonly capturedAt: number
}

/** A frame with what frame-tracking found out about its surroundings. */
export interface TrackRow extends Frame {
  /** Pictures missing just before this one. */
  readonly gapFrames: number
  /** Since the keyframe before; null for anything but a keyframe, and for the first. */
  readonly keyframeIntervalMs: number | null
  /** Exponential moving average over about two seconds; null until it means something. */
  readonly bitrateBps: number | null
}

export const MAX_BATCH = 500

type Kind = 'name' | 'count' | 'boolean' | 'number or null'

const FRAME: Record<keyof Frame, Kind> = {
  camera: 'name',
  session: 'name',
  number: 'count',
  rtpTimestamp: 'count',
  bytes: 'count',
  keyframe: 'boolean',
  capturedAt: 'count',
}
const TRACK_ROW: Record<keyof TrackRow, Kind> = {
  ...FRAME,
  gapFrames: 'count',
  keyframeIntervalMs: 'number or null',
  bitrateBps: 'number or null',
}

const IS: Record<Kind, (value: unknown) => boolean> = {
  name: (value) => typeof value === 'string' && /^[\w.-]{1,64}$/.test(value),
  count: (value) => Number.isSafeInteger(value) && (value as number) >= 0,
  boolean: (value) => typeof value === 'boolean',
  'number or null': (value) => value === null || Number.isFinite(value),
}

export const parseFrames = (body: unknown) => parseList<Frame>(body, 'frames', FRAME)
export const parseTrackRows = (body: unknown) => parseList<TrackRow>(body, 'rows', TRACK_ROW)

/** `body[key]` as a checked list without unknown fields. Throws `ERR_INPUT`, naming the first place that is wrong. */
function parseList<T>(body: unknown, key: string, fields: Record<string, Kind>): T[] {
  const list = (body as Record<string, unknown> | null)?.[key]
  if (!Array.isArray(list)) throw input(`expected { "${key}": [ … ] }`)
  if (list.length > MAX_BATCH) throw input(`${key} has ${list.length} entries, at most ${MAX_BATCH} are taken`)
  return list.map((item: unknown, index) => {
    const source = (typeof item === 'object' && item !== null ? item : {}) as Record<string, unknown>
    return Object.fromEntries(
      Object.entries(fields).map(([field, kind]) => {
        const value = Object.hasOwn(source, field) ? source[field] : undefined
        if (!IS[kind](value)) throw input(`${key}[${index}].${field} is not a ${kind}`)
        return [field, value]
      }),
    ) as T
  })
}

function input(message: string): MedykError {
  return new MedykError('ERR_INPUT', message)
}
