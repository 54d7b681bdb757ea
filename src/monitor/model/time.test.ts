import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isoOf, wallOf } from './time.ts'

describe('isoOf and wallOf', () => {
  it('agree with Date for every millisecond of four centuries', () => {
    fc.assert(
      fc.property(fc.integer({ min: Date.UTC(1800, 0, 1), max: Date.UTC(2200, 0, 1) }), (ms) => {
        expect(isoOf(ms)).toBe(new Date(ms).toISOString())
        expect(wallOf(isoOf(ms))).toBe(ms)
      }),
      { numRuns: 2_000 },
    )
  })

  it('reads times without milliseconds and says NaN for what is no time', () => {
    expect(wallOf('2026-11-23T10:00:00Z')).toBe(Date.UTC(2026, 10, 23, 10))
    expect(wallOf('yesterday')).toBeNaN()
  })
})
