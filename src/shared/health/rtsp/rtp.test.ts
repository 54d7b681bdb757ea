import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseRtp, SequenceTracker } from './rtp.ts'

describe('parseRtp', () => {
  it('reads all fields, and skips contributors, extension and padding', () => {
    const bytes = Buffer.from('b1e0fffe80000001deadbeef00000001bede000111223344aabb000003', 'hex')
    const packet = parseRtp(bytes)
    expect(packet).toMatchObject({
      marker: true,
      payloadType: 96,
      sequence: 65_534,
      timestamp: 0x80000001,
      ssrc: 0xdeadbeef,
    })
    expect(Buffer.from(packet?.payload ?? []).toString('hex')).toBe('aabb')
  })

  it.each([
    ['too short', '8060000100000001000000'],
    ['version 1', '406000010000000100000001aa'],
    ['an extension that is cut off', '906000010000000100000001bede'],
    ['an extension longer than the packet', '906000010000000100000001bede00ff'],
    ['more padding than payload', 'a06000010000000100000001aaff'],
    ['padding of zero', 'a06000010000000100000001aa00'],
    ['contributors longer than the packet', '8f6000010000000100000001'],
  ])('refuses a packet with %s', (_, hex) => {
    expect(parseRtp(Buffer.from(hex, 'hex'))).toBeNull()
  })

  it('never throws', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
        const packet = parseRtp(bytes)
        expect(packet === null || packet.payload.length <= bytes.length).toBe(true)
      }),
    )
  })
})

describe('SequenceTracker', () => {
  const takeAll = (numbers: readonly number[]) => {
    const tracker = new SequenceTracker()
    return { tracker, arrivals: numbers.map((number) => tracker.take(number).arrival) }
  }

  it.each([
    ['in order over the wrap', [65_534, 65_535, 0, 1], ['first', 'next', 'next', 'next'], { lost: 0 }],
    ['a gap over the wrap', [65_534, 1], ['first', 'gap'], { lost: 2 }],
    ['a late packet takes its loss back', [1, 3, 2, 4], ['first', 'gap', 'late', 'next'], { lost: 0, late: 1 }],
    ['a copy is no late packet', [1, 2, 2, 3], ['first', 'next', 'duplicate', 'next'], { lost: 0, duplicates: 1 }],
    ['older than the first was never lost', [10, 9, 11], ['first', 'late', 'next'], { lost: 0, late: 1 }],
    ['a far jump is a new sequence', [1, 30_000, 30_001], ['first', 'reset', 'next'], { lost: 0, resets: 1 }],
    ['a jump far back is one, too', [40_000, 5, 6], ['first', 'reset', 'next'], { lost: 0, resets: 1 }],
  ] as const)('%s', (_, numbers, arrivals, counts) => {
    const result = takeAll(numbers)
    expect(result.arrivals).toEqual(arrivals)
    expect(result.tracker).toMatchObject(counts)
  })

  it('counts exactly what was dropped, wherever the sequence starts', () => {
    const run = fc.array(fc.boolean(), { minLength: 2, maxLength: 2_000 })
    fc.assert(
      fc.property(fc.nat(65_535), run, (start, kept) => {
        const tracker = new SequenceTracker()
        const [first, last] = [kept.indexOf(true), kept.lastIndexOf(true)]
        for (const [i, keep] of kept.entries()) if (keep) tracker.take((start + i) & 0xffff)
        const expected = first < 0 ? 0 : kept.slice(first, last).filter((keep) => !keep).length
        expect(tracker.lost).toBe(expected)
        expect(tracker.resets).toBe(0)
      }),
    )
  })

  it('never counts below zero, whatever the order', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(300), { maxLength: 400 }), (numbers) => {
        const { tracker } = takeAll(numbers)
        expect(tracker.lost).toBeGreaterThanOrEqual(0)
        expect(tracker.received + tracker.duplicates).toBe(numbers.length)
      }),
    )
  })
})
