import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseClip, splitNals } from './annexb.ts'
import { packetize } from './h264-packetize.ts'
import { H264Depacketizer, NAL, type AccessUnit, type DepacketizerOptions } from './h264.ts'

const clip = readFileSync(new URL('../../../../examples/detektor/clip/clip.h264', import.meta.url))

function depacketizer(options: Partial<DepacketizerOptions> = {}) {
  const units: AccessUnit[] = []
  return { units, h264: new H264Depacketizer({ keep: 'all', ...options, onAccessUnit: (unit) => units.push(unit) }) }
}

/** A slice that begins a picture: the bit after the NAL header is the one-bit code of first_mb_in_slice = 0. */
const slice = (type: number, length = 10) => Buffer.from([0x60 | type, 0x80, ...Array(length - 2).fill(7)])
const packet = (payload: Uint8Array, timestamp: number, marker = false) => ({ payload, timestamp, marker })

describe('parseClip', () => {
  it('reads the committed clip as what the README says it is', () => {
    const { units, sps, pps } = parseClip(clip)
    expect(units).toHaveLength(250)
    expect(units.filter(({ keyframe }) => keyframe)).toHaveLength(10)
    expect([sps[0], pps[0]].map((byte) => (byte ?? 0) & 31)).toEqual([NAL.SPS, NAL.PPS])
    expect(clip.length).toBeLessThanOrEqual(300 * 1024)
  })

  it('finds three- and four-byte start codes and keeps no padding', () => {
    const nals = splitNals(Buffer.from('0000000167aa 00000168bb 00000000000165cc0000'.replaceAll(' ', ''), 'hex'))
    expect(nals.map((nal) => Buffer.from(nal).toString('hex'))).toEqual(['67aa', '68bb', '65cc'])
  })

  it.each([
    ['nothing', Buffer.alloc(0)],
    ['noise', Buffer.from('no start code in here')],
    ['a clip that begins with a P picture', Buffer.concat([Buffer.from('000001', 'hex'), slice(NAL.SLICE)])],
  ])('refuses %s', (_, bytes) => {
    expect(() => parseClip(bytes)).toThrow(expect.objectContaining({ code: 'ERR_RTSP_CLIP' }))
  })
})

describe('packetize and H264Depacketizer', () => {
  it('give the clip back bit by bit', () => {
    const { units, h264 } = depacketizer()
    const source = parseClip(clip).units
    for (const [i, { nals }] of source.entries()) {
      for (const { bytes, marker } of packetize(nals)) h264.take(packet(bytes, i * 3_600, marker))
    }
    expect(units).toHaveLength(source.length)
    expect(units.every(({ nals }, i) => Buffer.concat(nals ?? []).equals(Buffer.concat(source[i]?.nals ?? [])))).toBe(
      true,
    )
    expect(units.map(({ keyframe }) => keyframe)).toEqual(source.map(({ keyframe }) => keyframe))
    expect(units.some(({ damaged }) => damaged)).toBe(false)
    expect(h264).toMatchObject({ malformed: 0, unsupported: 0 })
  })

  it('give any NAL units back for any packet size', () => {
    const nal = fc.tuple(fc.constantFrom(1, 5, 6, 7, 8, 9), fc.uint8Array({ minLength: 2, maxLength: 3_000 }))
    fc.assert(
      fc.property(fc.array(nal, { maxLength: 5 }), fc.integer({ min: 10, max: 1_400 }), (others, size) => {
        const nals = [...others.map(([type, bytes]) => Buffer.from([type, ...bytes])), slice(NAL.IDR, 2_000)]
        const { units, h264 } = depacketizer()
        const payloads = packetize(nals, size)
        expect(payloads.every(({ bytes }) => bytes.length <= size)).toBe(true)
        for (const { bytes, marker } of payloads) h264.take(packet(bytes, 1, marker))
        expect(units.map((unit) => unit.nals?.map((bytes) => Buffer.from(bytes)))).toEqual([nals])
      }),
    )
  })
})

describe('H264Depacketizer', () => {
  it('ends a unit with the next timestamp where the marker is missing', () => {
    const { units, h264 } = depacketizer()
    for (const timestamp of [1, 2, 3]) h264.take(packet(slice(NAL.SLICE), timestamp))
    expect(units.map((unit) => unit.rtpTimestamp)).toEqual([1, 2])
  })

  it('counts no picture for parameter sets alone, and hands them over with the next one', () => {
    const { units, h264 } = depacketizer()
    h264.take(packet(Buffer.from([0x67, 1, 2, 3]), 1, true))
    h264.take(packet(slice(NAL.IDR), 2, true))
    expect(units).toMatchObject([{ rtpTimestamp: 2, keyframe: true, nalTypes: [NAL.SPS, NAL.IDR], damaged: false }])
  })

  it('unpacks STAP-A', () => {
    const sets = Buffer.from('78000467010203000268aa', 'hex')
    const { units, h264 } = depacketizer()
    h264.take(packet(sets, 1))
    h264.take(packet(slice(NAL.IDR), 1, true))
    expect(units[0]?.nals?.map((nal) => Buffer.from(nal).toString('hex')).slice(0, 2)).toEqual(['67010203', '68aa'])
  })

  it('counts one picture when a camera sets the marker on each of its slices', () => {
    const { units, h264 } = depacketizer()
    const second = Buffer.from([0x61, 0x40, 7, 7])
    for (const timestamp of [1, 2]) {
      h264.take(packet(slice(NAL.SLICE), timestamp, true))
      h264.take(packet(second, timestamp, true))
    }
    h264.take(packet(slice(NAL.SLICE), 3, true))
    expect(units).toHaveLength(3)
  })

  it('marks a unit as damaged when a packet in it is missing, and only that one', () => {
    const { units, h264 } = depacketizer()
    for (const timestamp of [1, 2, 3]) {
      for (const [i, { bytes, marker }] of packetize([slice(NAL.IDR, 5_000)]).entries()) {
        if (timestamp !== 2 || i !== 1) h264.take(packet(bytes, timestamp, marker), timestamp === 2 && i === 2 ? 1 : 0)
      }
    }
    expect(units.map(({ damaged, keyframe, nals }) => [damaged, keyframe, nals === null])).toEqual([
      [false, true, false],
      [true, true, true],
      [false, true, false],
    ])
  })

  it('drops the bytes of a unit that is too big, and recovers with the next', () => {
    const { units, h264 } = depacketizer({ maxUnitBytes: 10_000 })
    for (const [timestamp, size] of [1_000_000, 100].entries()) {
      for (const { bytes, marker } of packetize([slice(NAL.SLICE, size)])) h264.take(packet(bytes, timestamp, marker))
    }
    expect(units).toMatchObject([
      { bytes: 1_000_000, damaged: true, nals: null },
      { bytes: 100, damaged: false },
    ])
  })

  it('drops a unit cut into absurdly many pieces', () => {
    const { units, h264 } = depacketizer()
    const nal = slice(NAL.SLICE, 20_000)
    for (const { bytes, marker } of packetize([nal], 3)) h264.take(packet(bytes, 1, marker))
    expect(units).toMatchObject([{ damaged: true, nals: null }])
  })

  it('keeps only keyframes when told so, parameter sets included', () => {
    const { units, h264 } = depacketizer({ keep: 'keyframes' })
    h264.take(packet(Buffer.from([0x67, 1, 2]), 1))
    h264.take(packet(slice(NAL.IDR), 1, true))
    h264.take(packet(slice(NAL.SLICE), 2, true))
    expect(units.map(({ nals }) => nals?.length ?? null)).toEqual([2, null])
  })

  it.each([
    ['an empty payload', '', { malformed: 1 }],
    ['a STAP-A cut off', '780009aa', { malformed: 1 }],
    ['a STAP-A with an empty unit', '780000', { malformed: 1 }],
    ['an FU-A without data', '7c85', { malformed: 1 }],
    ['an MTAP', '7aaabbcc', { unsupported: 1 }],
    ['a reserved type', '7eaabbcc', { unsupported: 1 }],
  ])('counts %s and goes on', (_, hex, counts) => {
    const { units, h264 } = depacketizer()
    h264.take(packet(Buffer.from(hex, 'hex'), 1))
    h264.take(packet(slice(NAL.SLICE), 1, true))
    h264.take(packet(slice(NAL.SLICE), 2, true))
    expect(h264).toMatchObject(counts)
    expect(units.map(({ damaged }) => damaged)).toEqual([true, false])
  })

  it('never throws and never emits a unit without a picture', () => {
    const input = fc.tuple(fc.uint8Array({ maxLength: 30 }), fc.nat(3), fc.boolean(), fc.nat(2))
    fc.assert(
      fc.property(fc.array(input, { maxLength: 60 }), (inputs) => {
        const { units, h264 } = depacketizer()
        for (const [payload, timestamp, marker, missing] of inputs) h264.take({ payload, timestamp, marker }, missing)
        expect(units.every(({ nalTypes }) => nalTypes.some((type) => type >= 1 && type <= 5))).toBe(true)
      }),
    )
  })
})
