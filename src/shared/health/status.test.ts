import { describe, expect, it } from 'vitest'
import { isStatus, worst, type Status } from './status.ts'

describe('worst', () => {
  it.each<[Status[], Status]>([
    [[], 'healthy'],
    [['healthy'], 'healthy'],
    [['healthy', 'degraded'], 'degraded'],
    [['unhealthy', 'healthy', 'degraded'], 'unhealthy'],
    [['degraded', 'degraded'], 'degraded'],
  ])('of %j is %s', (all, expected) => {
    expect(worst(all)).toBe(expected)
    expect(worst(all.toReversed())).toBe(expected)
  })
})

describe('isStatus', () => {
  it.each([null, undefined, '', 'Healthy', 'unknown', 0, {}, ['healthy']])('refuses %j', (value) => {
    expect(isStatus(value)).toBe(false)
  })
})
