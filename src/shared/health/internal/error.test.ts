import { describe, expect, it } from 'vitest'
import { isMedykError, MedykError, messageOf } from './error.ts'

const cyclic: Record<string, unknown> = {}
cyclic['self'] = cyclic

describe('messageOf', () => {
  it.each([
    [new Error('plain'), 'plain'],
    [new TypeError(), 'TypeError'],
    ['text', 'text'],
    ['', ''],
    [null, 'null'],
    [undefined, 'undefined'],
    [42, '42'],
    [{ code: 7 }, '{"code":7}'],
    [Symbol('s'), 'Symbol(s)'],
    [() => 1, '() => 1'],
    [new AggregateError([new Error('one'), 'two']), 'one; two'],
    [new AggregateError([], 'said'), 'said'],
    [cyclic, 'an error that cannot be shown'],
    [10n, 'an error that cannot be shown'],
    [Object.assign(new Error('x'), { message: { not: 'text' } }), 'an error that cannot be shown'],
  ])('of %o is %j', (thrown, message) => {
    expect(messageOf(thrown)).toBe(message)
  })

  it('does not throw for what throws when it is looked at', () => {
    const hostile = new Proxy(
      {},
      {
        get() {
          throw new Error('do not look')
        },
      },
    )
    expect(messageOf(hostile)).toBe('an error that cannot be shown')
  })
})

describe('MedykError', () => {
  it('carries code, hint and cause, and is told apart by its code', () => {
    const cause = new Error('cause')
    const error = new MedykError('ERR_X', 'what', { hint: 'do', cause })
    expect(error).toMatchObject({ name: 'MedykError', code: 'ERR_X', hint: 'do', cause })
    expect(isMedykError(error)).toBe(true)
    expect(isMedykError(error, 'ERR_X')).toBe(true)
    expect(isMedykError(error, 'ERR_Y')).toBe(false)
    expect(isMedykError({ code: 'ERR_X' })).toBe(false)
  })
})
