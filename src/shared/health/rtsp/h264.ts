import type { RtpPacket } from './rtp.ts'

/** NAL unit types of H.264 (ITU-T H.264 table 7-1) that matter here. */
export const NAL = { SLICE: 1, IDR: 5, SEI: 6, SPS: 7, PPS: 8, AUD: 9, STAP_A: 24, FU_A: 28 } as const

export function nalType(firstByte: number): number {
  return firstByte & 0x1f
}

/** Slices of a picture: types 1 to 5. Everything else only goes along with one. */
export function isPicture(type: number): boolean {
  return type >= NAL.SLICE && type <= NAL.IDR
}

/** All NAL units of one picture, as they came. */
export interface AccessUnit {
  readonly rtpTimestamp: number
  /** Of all its NAL units, without start codes. */
  readonly bytes: number
  readonly packets: number
  /** It holds an IDR slice: a decoder can begin here. */
  readonly keyframe: boolean
  /** Packets were lost in it, or a fragment was cut off. */
  readonly damaged: boolean
  /** In order of arrival, a run of one type once, at most 64. */
  readonly nalTypes: readonly number[]
  /** Copies of the NAL units without start codes; null unless kept, and when damaged or too big to keep. */
  readonly nals: readonly Uint8Array[] | null
}

export interface DepacketizerOptions {
  readonly onAccessUnit: (unit: AccessUnit) => void
  /** Which units' bytes to keep. Default none: counting needs no copy. */
  readonly keep?: 'none' | 'keyframes' | 'all'
  /** A unit's bytes beyond this are dropped, and it counts as damaged. Default 4 MiB. */
  readonly maxUnitBytes?: number
}

const MAX_TYPES = 64
/** A unit cut into more pieces is dropped like one that is too big: tiny pieces cost far more memory than bytes. */
const MAX_PIECES = 8_192

/**
 * RFC 6184, non-interleaved mode: single NAL units, STAP-A and FU-A become access units. A unit ends with the marker
 * bit or, where a camera forgets it, with the next timestamp. Never throws; what cannot be read is counted.
 */
export class H264Depacketizer {
  readonly #options: Required<DepacketizerOptions>
  #timestamp = -1
  #emitted = -1
  #bytes = 0
  #packets = 0
  #pieces = 0
  #keyframe = false
  #picture = false
  #damaged = false
  #oversized = false
  #types: number[] = []
  #nals: Uint8Array[] = []
  #fragments: Uint8Array[] | null = null
  #fragmentOpen = false
  malformed = 0
  unsupported = 0

  constructor(options: DepacketizerOptions) {
    this.#options = { keep: 'none', maxUnitBytes: 4 * 1024 * 1024, ...options }
  }

  /** Packets in order of sequence. `missing`: how many were lost just before this one. */
  take(packet: Pick<RtpPacket, 'payload' | 'marker' | 'timestamp'>, missing = 0): void {
    if (packet.timestamp !== this.#timestamp) {
      if (this.#picture) this.#emit()
      // Without a picture yet, parameter sets that a camera stamps differently go along with the picture after them.
      this.#timestamp = packet.timestamp
    }
    if (missing > 0) this.#lose()
    this.#packets += 1
    this.#read(packet.payload)
    if (packet.marker && this.#picture) this.#emit()
  }

  #read(payload: Uint8Array): void {
    const type = nalType(payload[0] ?? 0)
    if (payload.length === 0) this.#malform()
    else if (type >= 1 && type <= 23) {
      this.#cutFragment()
      this.#add(payload)
    } else if (type === NAL.STAP_A) this.#aggregate(payload)
    else if (type === NAL.FU_A) this.#fragment(payload)
    else {
      this.unsupported += 1
      this.#damaged = true
    }
  }

  #aggregate(payload: Uint8Array): void {
    this.#cutFragment()
    let at = 1
    while (at < payload.length) {
      const size = ((payload[at] ?? 0) << 8) | (payload[at + 1] ?? 0)
      const end = at + 2 + size
      if (size === 0 || end > payload.length) return this.#malform()
      this.#add(payload.subarray(at + 2, end))
      at = end
    }
  }

  #fragment(payload: Uint8Array): void {
    if (payload.length < 3) return this.#malform()
    const [indicator = 0, fu = 0] = payload
    const first = (fu & 0x80) !== 0
    const last = (fu & 0x40) !== 0
    const data = payload.subarray(2)
    if (first) {
      this.#cutFragment()
      const head = (indicator & 0xe0) | nalType(fu)
      this.#begin(nalType(fu), data[0] ?? 0)
      this.#count(data.length + 1)
      this.#fragmentOpen = true
      this.#fragments = this.#keeps() ? [Uint8Array.of(head), data.slice()] : null
    } else if (this.#fragmentOpen) {
      this.#count(data.length)
      if (this.#keeps()) this.#fragments?.push(data.slice())
    } else {
      // Its beginning was lost, but the type is in every fragment: still a keyframe, only a damaged one.
      this.#begin(nalType(fu), null)
      this.#count(data.length)
      this.#damaged = true
    }
    if (last) {
      if (this.#fragments !== null && this.#keeps()) this.#nals.push(Buffer.concat(this.#fragments))
      this.#fragments = null
      this.#fragmentOpen = false
    }
  }

  #add(nal: Uint8Array): void {
    this.#begin(nalType(nal[0] ?? 0), nal[1] ?? 0)
    this.#count(nal.length)
    if (this.#keeps()) this.#nals.push(nal.slice())
  }

  /** `body` is the first byte after the NAL header; null when that was lost. */
  #begin(type: number, body: number | null): void {
    if (this.#types.length < MAX_TYPES && this.#types.at(-1) !== type) this.#types.push(type)
    if (!isPicture(type)) return
    // A slice that does not begin a picture (first_mb_in_slice > 0), with the timestamp that was just completed: the
    // camera set the marker on every slice. Counting it again would double the frame rate.
    if (!this.#picture && this.#timestamp === this.#emitted && (body === null || (body & 0x80) === 0)) return
    this.#picture = true
    if (type === NAL.IDR) this.#keyframe = true
  }

  #count(bytes: number): void {
    this.#bytes += bytes
    this.#pieces += 1
    if ((this.#bytes > this.#options.maxUnitBytes || this.#pieces > MAX_PIECES) && !this.#oversized) {
      this.#oversized = true
      this.#damaged = true
      this.#nals = []
      this.#fragments = null
    }
  }

  #keeps(): boolean {
    if (this.#oversized || this.#options.keep === 'none') return false
    // Parameter sets come before the slice that tells whether this is a keyframe.
    return this.#options.keep === 'all' || this.#keyframe || !this.#picture
  }

  #lose(): void {
    this.#damaged = true
    this.#cutFragment()
  }

  #cutFragment(): void {
    if (!this.#fragmentOpen) return
    this.#damaged = true
    this.#fragmentOpen = false
    this.#fragments = null
  }

  #malform(): void {
    this.malformed += 1
    this.#lose()
  }

  #emit(): void {
    this.#cutFragment()
    const wanted = this.#options.keep === 'all' || (this.#options.keep === 'keyframes' && this.#keyframe)
    const unit: AccessUnit = {
      rtpTimestamp: this.#timestamp,
      bytes: this.#bytes,
      packets: this.#packets,
      keyframe: this.#keyframe,
      damaged: this.#damaged,
      nalTypes: this.#types,
      nals: wanted && !this.#damaged ? this.#nals : null,
    }
    this.#emitted = this.#timestamp
    this.#bytes = 0
    this.#packets = 0
    this.#pieces = 0
    this.#keyframe = this.#picture = this.#damaged = this.#oversized = false
    this.#types = []
    this.#nals = []
    this.#options.onAccessUnit(unit)
  }
}
