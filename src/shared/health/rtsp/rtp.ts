/** RFC 3550 chapter 5.1. */
export interface RtpPacket {
  readonly marker: boolean
  readonly payloadType: number
  readonly sequence: number
  readonly timestamp: number
  readonly ssrc: number
  /** A view into the packet's bytes. */
  readonly payload: Uint8Array
}

/** null for whatever is not a whole RTP version 2 packet. */
export function parseRtp(bytes: Uint8Array): RtpPacket | null {
  if (bytes.length < 12) return null
  const first = bytes[0] ?? 0
  const second = bytes[1] ?? 0
  if (first >> 6 !== 2) return null
  let start = 12 + (first & 0x0f) * 4
  if (first & 0x10) {
    if (bytes.length < start + 4) return null
    start += 4 + (((bytes[start + 2] ?? 0) << 8) | (bytes[start + 3] ?? 0)) * 4
  }
  let end = bytes.length
  if (first & 0x20) {
    const padding = bytes[end - 1] ?? 0
    if (padding === 0) return null
    end -= padding
  }
  if (start > end) return null
  return {
    marker: second >> 7 === 1,
    payloadType: second & 0x7f,
    sequence: ((bytes[2] ?? 0) << 8) | (bytes[3] ?? 0),
    timestamp: readUint32(bytes, 4),
    ssrc: readUint32(bytes, 8),
    payload: bytes.subarray(start, end),
  }
}

function readUint32(bytes: Uint8Array, at: number): number {
  return (
    (((bytes[at] ?? 0) << 24) | ((bytes[at + 1] ?? 0) << 16) | ((bytes[at + 2] ?? 0) << 8) | (bytes[at + 3] ?? 0)) >>> 0
  )
}

/** How far ahead a number may be and still mean loss, as RFC 3550 A.1 has it; further is a new sequence. */
const MAX_DROPOUT = 3_000
/** How far back a late packet is still recognised, and a copy told from it. */
const WINDOW = 128

export type Arrival = 'first' | 'next' | 'gap' | 'late' | 'duplicate' | 'reset'

/**
 * Follows RTP sequence numbers over their wrap at 65,536 and counts what is missing. A packet that comes late takes its
 * loss back; a jump too far to be loss begins a new sequence instead of counting thousands.
 */
export class SequenceTracker {
  #highest = -1
  #base = 0
  readonly #seen = new Float64Array(WINDOW).fill(-1)
  received = 0
  lost = 0
  late = 0
  duplicates = 0
  resets = 0

  /** `missing` is how many numbers lie between this packet and the highest before it. */
  take(sequence: number): { readonly arrival: Arrival; readonly missing: number } {
    if (this.#highest < 0) return this.#begin(sequence, 'first')
    const delta = (sequence - this.#highest) & 0xffff
    if (delta > 0 && delta < MAX_DROPOUT) {
      this.#highest += delta
      this.#mark(this.#highest)
      this.lost += delta - 1
      return delta === 1 ? { arrival: 'next', missing: 0 } : { arrival: 'gap', missing: delta - 1 }
    }
    const back = (this.#highest - sequence) & 0xffff
    if (back >= WINDOW) {
      this.resets += 1
      return this.#begin(sequence, 'reset')
    }
    const extended = this.#highest - back
    if (this.#seen[extended % WINDOW] === extended) {
      this.duplicates += 1
      return { arrival: 'duplicate', missing: 0 }
    }
    this.#mark(extended)
    this.late += 1
    // Older than the first of this sequence: it was never counted as lost.
    if (extended >= this.#base) this.lost -= 1
    return { arrival: 'late', missing: 0 }
  }

  #begin(sequence: number, arrival: 'first' | 'reset') {
    // One turn ahead of zero, so that a packet late by a few never gets a negative number.
    this.#highest = sequence + 0x10000
    this.#base = this.#highest
    this.#seen.fill(-1)
    this.#mark(this.#highest)
    return { arrival, missing: 0 } as const
  }

  #mark(extended: number): void {
    this.#seen[extended % WINDOW] = extended
    this.received += 1
  }
}
