import { isPicture, NAL, nalType } from './h264.ts'
import { rtspError } from './errors.ts'

/** The NAL units of an Annex B byte stream (ITU-T H.264 annex B), as views without start codes. */
export function splitNals(bytes: Uint8Array): Uint8Array[] {
  const nals: Uint8Array[] = []
  let start = -1
  for (let at = 0; at + 2 < bytes.length; at += 1) {
    if (bytes[at] !== 0 || bytes[at + 1] !== 0 || bytes[at + 2] !== 1) continue
    if (start >= 0) nals.push(trimZeros(bytes.subarray(start, at)))
    start = at + 3
    at += 2
  }
  if (start >= 0) nals.push(trimZeros(bytes.subarray(start)))
  return nals.filter((nal) => nal.length > 0)
}

/** A four-byte start code leaves its first zero at the end of the NAL unit before it. */
function trimZeros(nal: Uint8Array): Uint8Array {
  let end = nal.length
  while (end > 0 && nal[end - 1] === 0) end -= 1
  return nal.subarray(0, end)
}

export interface ClipUnit {
  readonly nals: readonly Uint8Array[]
  readonly keyframe: boolean
}

export interface Clip {
  readonly units: readonly ClipUnit[]
  readonly sps: Uint8Array
  readonly pps: Uint8Array
}

/**
 * Groups an Annex B clip into access units that can be looped. Throws `ERR_RTSP_CLIP` unless it begins with a keyframe
 * and carries its parameter sets: a client that joins could not decode anything else.
 */
export function parseClip(bytes: Uint8Array): Clip {
  const units: { nals: Uint8Array[]; keyframe: boolean; picture: boolean }[] = []
  const nals = splitNals(bytes)
  for (const nal of nals) {
    const type = nalType(nal[0] ?? 0)
    const current = units.at(-1)
    const newPicture = isPicture(type) && ((nal[1] ?? 0) & 0x80) !== 0
    // A picture ends before its successor's first slice, and before anything that may only stand ahead of one.
    const begins = current === undefined || (current.picture && (newPicture || (type >= NAL.SEI && type <= NAL.AUD)))
    const unit = begins ? { nals: [], keyframe: false, picture: false } : current
    if (begins) units.push(unit)
    unit.nals.push(nal)
    unit.picture ||= isPicture(type)
    unit.keyframe ||= type === NAL.IDR
  }
  const pictures = units.filter(({ picture }) => picture)
  const sps = nals.find((nal) => nalType(nal[0] ?? 0) === NAL.SPS)
  const pps = nals.find((nal) => nalType(nal[0] ?? 0) === NAL.PPS)
  if (sps === undefined || pps === undefined || sps.length < 4 || pictures[0]?.keyframe !== true) {
    throw rtspError('ERR_RTSP_CLIP', 'the clip does not begin with a keyframe and its parameter sets', {
      hint: 'encode it as an H.264 Annex B byte stream, for example with ffmpeg -c:v libx264 -f h264',
    })
  }
  return { units: pictures, sps, pps }
}
