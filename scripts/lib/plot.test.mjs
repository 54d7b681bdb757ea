import { describe, expect, it } from 'vitest'
import { ecdf, quantile } from './plot.mjs'

describe('quantile', () => {
  it('takes the ends as they are and the middle between its neighbours', () => {
    expect(quantile([1, 2, 3, 10], 0)).toBe(1)
    expect(quantile([1, 2, 3, 10], 1)).toBe(10)
    expect(quantile([1, 2, 3, 10], 0.5)).toBe(2.5)
  })

  it('of nothing is no number', () => {
    expect(quantile([], 0.5)).toBeNaN()
  })
})

describe('ecdf', () => {
  const svg = ecdf({
    title: 'a < b & "c"',
    unit: 'ms',
    series: [{ name: 'ready', gate: 3000, values: [300, 100, 200] }],
  })

  it('escapes what stands in it', () => {
    expect(svg).toContain('a &lt; b &amp; &quot;c&quot;')
  })

  it('steps up once for every value, from the smallest on, and shows the gate', () => {
    const path = /<path d="([^"]+)"/.exec(svg)?.[1] ?? ''
    const steps = [...path.matchAll(/H([\d.]+)V([\d.]+)/g)].map(([, x, y]) => [Number(x), Number(y)])
    expect(steps).toHaveLength(3)
    expect(steps.map(([x]) => x)).toEqual(steps.map(([x]) => x).toSorted((a, b) => a - b))
    expect(steps.map(([, y]) => y)).toEqual(steps.map(([, y]) => y).toSorted((a, b) => b - a))
    expect(svg).toContain('gate 3000')
  })
})
