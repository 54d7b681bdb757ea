import { describe, expect, it } from 'vitest'
import { ageText, between, durationText } from './time.ts'

describe('times as a person says them', () => {
  it.each([
    [0, '0 ms'],
    [-5, '0 ms'],
    [39.6, '40 ms'],
    [999, '999 ms'],
    [1_000, '1 s'],
    [2_290, '2.2 s'],
    [9_999, '9.9 s'],
    [10_900, '10 s'],
    [59_999, '59 s'],
    [60_000, '1 min'],
    [3_600_000, '1 h'],
    [3_900_000, '1 h 5 min'],
    [86_400_000, '1 d'],
    [97_200_000, '1 d 3 h'],
    [Number.NaN, 'unknown'],
    [Number.POSITIVE_INFINITY, 'unknown'],
  ])('says %d ms as "%s"', (ms, text) => {
    expect(durationText(ms)).toBe(text)
  })

  it('ticks in whole seconds', () => {
    expect([-1, 0, 1_999, 59_999].map(ageText)).toEqual(['0 s', '0 s', '1 s', '59 s'])
  })

  it('knows no distance to what has not happened', () => {
    expect(between('2026-01-20T10:00:00.000Z', '2026-01-20T10:00:02.200Z')).toBe(2_200)
    expect(between('2026-01-20T10:00:00.000Z', null)).toBeNull()
    expect(between('yesterday', '2026-01-20T10:00:02.200Z')).toBeNull()
  })
})
