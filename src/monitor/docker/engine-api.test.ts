import { expect, it } from 'vitest'
import { agree } from './engine-api.ts'

it.each([
  ['the engine of these tests', '1.41', '1.12', '1.41'],
  ['an old one', '1.30', '1.12', '1.30'],
  ['a newer one', '1.47', '1.24', '1.41'],
  ['one that speaks only newer ones', '1.52', '1.44', '1.44'],
  ['one that says nothing of its oldest', '1.41', null, '1.41'],
  ['a new one that says nothing of its oldest', '1.52', null, '1.44'],
  ['one that says nothing at all', null, null, '1.41'],
])('agrees with %s', (_, newest, oldest, version) => {
  expect(agree(newest, oldest)).toBe(version)
})

it('refuses an engine that is too old, and says what to do', () => {
  expect(() => agree('1.23', null)).toThrow(expect.objectContaining({ code: 'ERR_RUNTIME', hint: expect.any(String) }))
})
