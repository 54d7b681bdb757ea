import { describe, expect, it } from 'vitest'
import { seeded } from './random.ts'

describe('seeded', () => {
  it('gives the same numbers for the same seed and others for another', () => {
    const draw = (seed: number) => {
      const random = seeded(seed)
      return Array.from({ length: 20 }, () => random.next())
    }
    expect(draw(1)).toEqual(draw(1))
    expect(draw(1)).not.toEqual(draw(2))
  })

  it('spreads evenly over [0, 1)', () => {
    const random = seeded('even')
    const bins = Array.from({ length: 10 }, () => 0)
    for (let i = 0; i < 100_000; i += 1) {
      const n = random.next()
      expect(n >= 0 && n < 1).toBe(true)
      const bin = Math.floor(n * 10)
      bins[bin] = (bins[bin] ?? 0) + 1
    }
    // Chi-square with 9 degrees of freedom: above 27.9 in 1 of 1,000 seeds, and this seed is fixed.
    expect(bins.reduce((sum, n) => sum + (n - 10_000) ** 2 / 10_000, 0)).toBeLessThan(27.9)
  })

  it('forks independent streams: drawing from one does not move another', () => {
    const quiet = seeded(7).fork('b').next()
    const busy = seeded(7)
    busy.fork('a').next()
    busy.next()
    expect(busy.fork('b').next()).toBe(quiet)
    expect(seeded(7).fork('a').next()).not.toBe(quiet)
  })

  it('draws chances, exponentials and lognormals with the mean that was asked for', () => {
    const random = seeded(3)
    const n = 50_000
    const mean = (draw: () => number) => Array.from({ length: n }, draw).reduce((a, b) => a + b, 0) / n
    expect(mean(() => Number(random.chance(0.05)))).toBeCloseTo(0.05, 2)
    expect(mean(() => random.exponential(40))).toBeCloseTo(40, -0.5)
    const sorted = Array.from({ length: 9_999 }, () => random.spread({ medianMs: 80, sigma: 0.5 })).sort(
      (a, b) => a - b,
    )
    expect(sorted[4_999]).toBeGreaterThan(76)
    expect(sorted[4_999]).toBeLessThan(84)
    expect(random.spread({ medianMs: 12 })).toBe(12)
  })
})
