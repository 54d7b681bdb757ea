import { expect, test } from 'vitest'
import { nearest } from './problem.ts'

const keys = ['interval', 'timeout', 'startupGrace', 'dependsOn', 'url', 'kind']

test.each([
  ['intervall', 'interval'],
  ['interavl', 'interval'],
  ['depends_on', 'dependsOn'],
  ['startup-grace', 'startupGrace'],
  ['TimeOut', 'timeout'],
  ['ulr', 'url'],
  ['weight', undefined],
  ['', undefined],
  ['x'.repeat(10_000), undefined],
])('the key nearest to %s is %s', (word, expected) => {
  expect(nearest(word, keys)).toBe(expected)
})
