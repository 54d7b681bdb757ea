import { describe, expect, it } from 'vitest'
import { MedykError } from './internal/index.ts'
import { outcomeOfThrow, outcomeOfValue } from './outcome.ts'

describe('outcomeOfValue', () => {
  it('takes nothing for healthy', () => {
    expect(outcomeOfValue(undefined)).toMatchObject({ status: 'healthy', message: null, data: {} })
  })

  it('keeps status, message and data', () => {
    const result = { status: 'degraded', message: 'slow', data: { ms: 12, ok: false, host: 'a', none: null } }
    expect(outcomeOfValue(result)).toEqual({ ...result, timedOut: false })
  })

  it.each([
    ['null', null],
    ['true', true],
    ['a string', 'healthy'],
    ['a number', 42],
    ['an array', []],
    ['an unknown status', { status: 'OK' }],
    ['a status of another type', { status: 1 }],
    ['a symbol', Symbol('s')],
    [
      'an object that throws when it is read',
      {
        get status() {
          throw new Error('no')
        },
      },
    ],
  ])('takes %s for a failure of the check, and says what was expected', (_, value) => {
    expect(outcomeOfValue(value)).toMatchObject({ status: 'unhealthy', message: expect.stringContaining('expected') })
  })

  it('bounds and redacts what it keeps', () => {
    const data = Object.fromEntries(Array.from({ length: 1_000 }, (_, index) => [`k${index}`, 'password=hunter2']))
    const outcome = outcomeOfValue({ status: 'healthy', message: `token=hunter2 ${'x'.repeat(1e5)}`, data })
    expect(outcome.message).toHaveLength(300)
    expect(Object.keys(outcome.data)).toHaveLength(20)
    expect(JSON.stringify(outcome)).not.toContain('hunter2')
  })

  it('leaves out data that is not plain', () => {
    const data = { a: {}, b: NaN, c: Infinity, d: undefined, e: () => 1, f: 10n, ok: 1 }
    expect(outcomeOfValue({ status: 'healthy', data }).data).toEqual({ ok: 1 })
  })

  it('does not let a key reach the prototype', () => {
    const data = JSON.parse('{"__proto__":"polluted","constructor":"x"}') as object
    const outcome = outcomeOfValue({ status: 'healthy', data })
    expect(Object.getPrototypeOf(outcome.data)).toBe(Object.prototype)
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined()
  })
})

describe('outcomeOfThrow', () => {
  it.each([
    [new Error('refused'), 'refused'],
    ['just text', 'just text'],
    [null, 'null'],
    [undefined, 'undefined'],
    [{ code: 7 }, '{"code":7}'],
    [new Error(''), 'Error'],
    ['', 'the check threw an error without a message'],
    [new Error('fetch failed', { cause: new Error('connect ECONNREFUSED') }), 'fetch failed: connect ECONNREFUSED'],
    [new Error('x: y', { cause: new Error('y') }), 'x: y'],
    [new Error('url x://u:hunter2@h'), 'url x://[redacted]@h'],
    [new Error('a\nb'), String.raw`a\u000ab`],
  ])('of %o says %j', (thrown, message) => {
    expect(outcomeOfThrow(thrown)).toMatchObject({ status: 'unhealthy', message, timedOut: false })
  })

  it('ends with causes that go round in a circle', () => {
    const error = new Error('round')
    error.cause = error
    expect(outcomeOfThrow(error).message).toBe('round')
  })

  it('tells a time-out from other failures', () => {
    expect(outcomeOfThrow(new MedykError('ERR_DEADLINE', 'late')).timedOut).toBe(true)
  })
})
