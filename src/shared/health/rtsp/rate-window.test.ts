import { describe, expect, it } from 'vitest'
import { RateWindow } from './rate-window.ts'

function fed(times: Iterable<number>, capacity?: number) {
  const rate = new RateWindow(2_000, capacity)
  for (const time of times) rate.add(time)
  return rate
}
const every = (ms: number, from: number, to: number) =>
  Array.from({ length: Math.floor((to - from) / ms) }, (_, i) => from + (i + 1) * ms)

describe('RateWindow', () => {
  it.each([
    ['nothing yet', [], 5_000, 0],
    ['a steady rate', every(40, 0, 10_000), 10_000, 25],
    ['the rate since the beginning when that is short', every(40, 0, 1_000), 1_000, 26],
    ['half after one second of silence', every(40, 0, 10_000), 11_000, 12.5],
    ['zero after two', every(40, 0, 10_000), 12_000, 0],
    [
      'the new rate after a pause, not the mean with it',
      [...every(40, 0, 5_000), ...every(100, 60_000, 61_000)],
      61_000,
      11,
    ],
  ])('shows %s', (_, times, now, expected) => {
    expect(fed(times).perSecond(now)).toBeCloseTo(expected, 0)
  })

  it('stays within its memory', () => {
    expect(fed(every(1, 0, 10_000), 100).perSecond(10_000)).toBe(50)
  })
})
