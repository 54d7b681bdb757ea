import { NAL, nalType } from './h264.ts'

/** Payload that fits an Ethernet frame with IPv4 or IPv6, UDP and RTP headers. */
const MAX_PAYLOAD = 1_400

export interface Payload {
  readonly bytes: Uint8Array
  readonly marker: boolean
}

/** RFC 6184 packetization-mode 1 of one access unit: single NAL units, and FU-A for what does not fit. */
export function packetize(nals: readonly Uint8Array[], maxPayload = MAX_PAYLOAD): Payload[] {
  const payloads = nals.flatMap((nal) => (nal.length <= maxPayload ? [nal] : fragments(nal, maxPayload)))
  return payloads.map((bytes, index) => ({ bytes, marker: index === payloads.length - 1 }))
}

function fragments(nal: Uint8Array, maxPayload: number): Uint8Array[] {
  const head = nal[0] ?? 0
  const out: Uint8Array[] = []
  for (let at = 1; at < nal.length; at += maxPayload - 2) {
    const data = nal.subarray(at, at + maxPayload - 2)
    const start = at === 1 ? 0x80 : 0
    const end = at + data.length === nal.length ? 0x40 : 0
    out.push(Buffer.concat([Uint8Array.of((head & 0xe0) | NAL.FU_A, start | end | nalType(head)), data]))
  }
  return out
}

export interface RtpHeaderFields {
  readonly payloadType: number
  readonly sequence: number
  readonly timestamp: number
  readonly ssrc: number
}

/** An RTP packet behind its four-byte interleaved `$` header (RFC 2326 chapter 10.12). */
export function interleavedPacket(channel: number, fields: RtpHeaderFields, payload: Payload): Buffer {
  const packet = Buffer.allocUnsafe(16 + payload.bytes.length)
  packet[0] = 0x24
  packet[1] = channel
  packet.writeUInt16BE(12 + payload.bytes.length, 2)
  packet[4] = 0x80
  packet[5] = (payload.marker ? 0x80 : 0) | fields.payloadType
  packet.writeUInt16BE(fields.sequence & 0xffff, 6)
  packet.writeUInt32BE(fields.timestamp >>> 0, 8)
  packet.writeUInt32BE(fields.ssrc >>> 0, 12)
  packet.set(payload.bytes, 16)
  return packet
}
