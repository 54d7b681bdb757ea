import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createAccess } from './access.ts'

const tokens = { viewer: 'viewer-0123456789', operator: 'operator-0123456789' }

test.each([
  [undefined, 'none'],
  ['', 'none'],
  [`Bearer ${tokens.viewer}`, 'viewer'],
  [`bearer  ${tokens.operator} `, 'operator'],
  [tokens.operator, 'unknown'],
  [`Basic ${tokens.operator}`, 'unknown'],
  [`Bearer ${tokens.operator} x`, 'unknown'],
  [`Bearer ${tokens.operator}x`, 'unknown'],
  [`Bearer ${tokens.operator.slice(0, -1)}`, 'unknown'],
  ['Bearer', 'unknown'],
] as const)('%s is of %s', (header, caller) => {
  expect(createAccess(tokens).callerOf(header)).toBe(caller)
})

test('without tokens nobody is anybody, not even with an empty one', () => {
  const access = createAccess({ viewer: null, operator: null })
  expect([access.guardsReading, access.hasOperator]).toEqual([false, false])
  for (const header of ['Bearer null', 'Bearer ', 'Bearer undefined']) expect(access.callerOf(header)).toBe('unknown')
})

test('no text but the very token is let in', () => {
  const access = createAccess(tokens)
  fc.assert(
    fc.property(fc.string(), (text) => {
      fc.pre(text !== tokens.viewer && text !== tokens.operator)
      return !['viewer', 'operator'].includes(access.callerOf(`Bearer ${text}`))
    }),
  )
})
