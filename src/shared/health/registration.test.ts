import { describe, expect, it } from 'vitest'
import { isMedykError, type MedykError } from './internal/index.ts'
import { MAX_CHECKS, registrationDefaults, resolveRegistrations } from './registration.ts'

const check = () => {}
const none = () => false

function refusal(list: readonly unknown[], taken: (name: string) => boolean = none, room?: number): MedykError {
  try {
    resolveRegistrations(list, taken, room)
  } catch (error) {
    if (isMedykError(error, 'ERR_REGISTRATION')) return error
    throw error
  }
  throw new Error('it was accepted')
}

describe('resolveRegistrations', () => {
  it('fills in the defaults', () => {
    expect(resolveRegistrations([{ name: 'db', check }], none)).toEqual([
      { name: 'db', check, dependsOn: null, ...registrationDefaults },
    ])
  })

  it('takes an option that is undefined for one that is not given', () => {
    const [resolved] = resolveRegistrations([{ name: 'db', check, timeoutMs: undefined, probes: undefined }], none)
    expect(resolved).toMatchObject({ timeoutMs: 1_500, probes: ['readiness'] })
  })

  it.each(['a', 'disk_space', 'queue:frames', 'api/v1', 'redis.cache-2', 'x'.repeat(80)])(
    'accepts the name %s',
    (name) => {
      expect(resolveRegistrations([{ name, check }], none)).toHaveLength(1)
    },
  )

  it.each([
    ['no name', { check }, 'name must be'],
    ['an empty name', { name: '', check }, 'name must be'],
    ['a name that begins with a digit', { name: '1', check }, 'name must be'],
    ['the name __proto__', { name: '__proto__', check }, 'name must be'],
    ['a name with a newline', { name: 'a\nb', check }, String.raw`got a\u000ab`],
    ['a name with a quote', { name: 'a"b', check }, 'name must be'],
    ['a name that is too long', { name: 'x'.repeat(81), check }, 'name must be'],
    ['no check', { name: 'a' }, 'check must be a function'],
    ['a check that is no function', { name: 'a', check: {} }, 'check must be a function, got {}'],
    ['an interval of NaN', { name: 'a', check, intervalMs: NaN }, 'got NaN'],
    ['an interval of Infinity', { name: 'a', check, intervalMs: Infinity }, 'from 10 to 86400000'],
    ['a negative time-out', { name: 'a', check, timeoutMs: -1 }, 'got -1'],
    ['a time-out as text', { name: 'a', check, timeoutMs: '5s' }, 'timeoutMs must be a number of milliseconds'],
    ['a threshold of zero', { name: 'a', check, failureThreshold: 0 }, 'failureThreshold must be a whole number'],
    ['half a threshold', { name: 'a', check, successThreshold: 1.5 }, 'successThreshold must be a whole number'],
    ['critical as text', { name: 'a', check, critical: 'yes' }, 'critical must be true or false'],
    ['a nameless dependency', { name: 'a', check, dependsOn: '' }, 'dependsOn must be the name of a service'],
    ['no probes', { name: 'a', check, probes: [] }, 'probes must be one or more of'],
    ['an unknown probe', { name: 'a', check, probes: ['alive'] }, 'liveness, readiness, startup'],
    ['a probe twice', { name: 'a', check, probes: ['liveness', 'liveness'] }, 'each once'],
    ['probes that are no list', { name: 'a', check, probes: 'liveness' }, 'probes must be'],
    ['tags that are no strings', { name: 'a', check, tags: [1] }, 'tags must be'],
    ['too many tags', { name: 'a', check, tags: Array.from({ length: 21 }, String) }, 'tags must be at most 20'],
    ['an unknown option', { name: 'a', check, interval: 5 }, 'interval is not an option; there are name, check'],
    ['null', null, 'registration 1 is null, expected an object'],
    ['a function', check, 'expected an object'],
  ])('refuses %s', (_, item, problem) => {
    expect(refusal([item]).message).toContain(problem)
  })

  it('names every problem of the whole list at once, each with its check', () => {
    const { message, hint } = refusal(
      [
        { name: 'db', check, intervalMs: -1, timeoutMs: NaN },
        { name: 'db', check },
        { name: 'old', check },
        { name: 'good', check },
        'nonsense',
      ],
      (name) => name === 'old',
    )
    expect(message.split('\n').slice(1)).toEqual([
      '  - check "db": intervalMs must be a number of milliseconds from 10 to 86400000, got -1',
      '  - check "db": timeoutMs must be a number of milliseconds from 1 to 600000, got NaN',
      '  - check "db" appears more than once in this call',
      '  - check "old" is registered already',
      '  - registration 5 is nonsense, expected an object',
    ])
    expect(hint).toContain('all of its checks or none')
  })

  it('lists at most fifty problems and says how many more there are', () => {
    const { message } = refusal(Array.from({ length: 100 }, () => null))
    expect(message.split('\n')).toHaveLength(52)
    expect(message).toContain('and 50 more')
  })

  it('refuses more checks than fit', () => {
    const two = [
      { name: 'a', check },
      { name: 'b', check },
    ]
    expect(refusal(two, none, 1).message).toContain(`at most ${MAX_CHECKS}`)
  })
})
