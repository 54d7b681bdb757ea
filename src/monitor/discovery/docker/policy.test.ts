import { expect, test } from 'vitest'
import { dockerDefaults, dockerPolicy } from './policy.ts'

const nothing = { intervalMs: null, timeoutMs: null, startupGraceMs: null, recovery: null }

test.each([
  [['shop'], false, ['shop']],
  [['shop'], true, ['shop']],
  [[], true, null],
  [[], false, []],
])('the projects %j, observed: %s, are %j', (projects, observe, expected) => {
  expect(dockerPolicy({ projects, observe }, [], nothing)).toEqual({
    projects: expected,
    observe,
    services: [],
    defaults: dockerDefaults,
  })
})

test('defaults that somebody has set win over those of this room', () => {
  const recovery = { ...dockerDefaults.recovery, attempts: 1 }
  const set = { intervalMs: 5_000, timeoutMs: 2_000, startupGraceMs: 90_000, recovery }
  expect(dockerPolicy({ projects: [], observe: true }, [], set).defaults).toEqual(set)
})
