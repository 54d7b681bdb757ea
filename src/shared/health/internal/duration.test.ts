import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { formatDuration, parseDuration } from './duration.ts'
import { isMedykError } from './error.ts'

describe('parseDuration', () => {
  it.each([
    ['0', 0],
    ['0s', 0],
    ['300ms', 300],
    ['5s', 5_000],
    ['1.5s', 1_500],
    ['1.005s', 1_005],
    ['0.1ms', 0.1],
    ['1m30s', 90_000],
    ['24h', 86_400_000],
    ['1d', 86_400_000],
    ['1h1m1s1ms', 3_661_001],
  ])('reads %s', (text, ms) => {
    expect(parseDuration(text)).toBe(ms)
  })

  it.each([
    '',
    ' ',
    '5',
    '-5s',
    '+5s',
    '5 s',
    ' 5s',
    '5s ',
    '5S',
    '.5s',
    '5.s',
    '1e3s',
    '5sm',
    's',
    '5s,',
    'Infinitys',
    '٣s',
  ])('refuses %j and says what to write', (text) => {
    const refusal = catching(() => parseDuration(text))
    expect(isMedykError(refusal, 'ERR_DURATION')).toBe(true)
    expect(refusal).toMatchObject({ hint: expect.stringContaining('1m30s') })
  })

  it.each([`${'9'.repeat(400)}s`, '36501d'])('refuses what is longer than a century', (text) => {
    expect(() => parseDuration(text)).toThrow('longer than 36500 days')
  })

  it('shows only the beginning of an endless text', () => {
    expect(String(catching(() => parseDuration('x'.repeat(1e6)))).length).toBeLessThan(120)
  })
})

describe('formatDuration', () => {
  it.each([
    [0, '0ms'],
    [0.4, '0ms'],
    [300, '300ms'],
    [999.4, '999ms'],
    [999.6, '1s'],
    [1_000, '1s'],
    [1_540, '1.5s'],
    [59_940, '59.9s'],
    [59_960, '1m'],
    [60_000, '1m'],
    [90_000, '1m30s'],
    [3_599_600, '1h'],
    [3_600_000, '1h'],
    [3_661_000, '1h1m1s'],
    [172_800_000, '48h'],
    [-1_500, '-1.5s'],
    [Infinity, 'unknown'],
    [NaN, 'unknown'],
  ])('writes %d ms as %s', (ms, text) => {
    expect(formatDuration(ms)).toBe(text)
  })

  it('writes what parseDuration reads back, to within the digits shown', () => {
    fc.assert(
      fc.property(fc.double({ min: 0, max: 1e9, noNaN: true }), (ms) => {
        const read = parseDuration(formatDuration(ms))
        expect(Math.abs(read - ms)).toBeLessThanOrEqual(ms < 1_000 ? 0.5 : ms < 60_000 ? 50.001 : 500.001)
      }),
    )
  })
})

function catching(fn: () => unknown): unknown {
  try {
    return fn()
  } catch (error) {
    return error
  }
}
