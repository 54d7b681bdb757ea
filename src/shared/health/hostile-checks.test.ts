import { describe, expect, it } from 'vitest'
import type { Check } from './check.ts'
import { Health, type Transition } from './index.ts'
import { FakeClock } from './testing/index.ts'

function setUp() {
  const clock = new FakeClock()
  const health = new Health({ service: 'test', version: '1.0.0', clock, random: () => 0 })
  const transitions: Transition[] = []
  health.on('transition', (transition) => transitions.push(transition))
  return { clock, health, transitions }
}

const text = (health: Health) => Buffer.from(health.answer('health').body).toString()

describe('a check that never settles', () => {
  it('is unhealthy at its time-out, then at each further look, and is never started a second time', async () => {
    const { clock, health } = setUp()
    let started = 0
    const check: Check = () => {
      started += 1
      return new Promise(() => {})
    }
    health.register({ name: 'stuck', check, timeoutMs: 300, intervalMs: 1_000 })
    health.start()
    await clock.advance(299)
    expect(health.check('stuck')?.status).toBeNull()
    await clock.advance(1)
    expect(health.check('stuck')).toMatchObject({ status: 'unhealthy', message: 'the check took longer than 300 ms' })
    await clock.advance(60_000)
    expect(health.check('stuck')?.message).toMatch(/^still running after (59|60) s; it ignores its signal$/)
    expect(started).toBe(1)
  })

  it('reaches the failure threshold although it runs only once', async () => {
    const { clock, health, transitions } = setUp()
    let runs = 0
    const check: Check = () => ((runs += 1) > 1 ? new Promise(() => {}) : undefined)
    health.register({ name: 'stuck', check, timeoutMs: 300, intervalMs: 1_000, failureThreshold: 3 })
    health.start()
    await clock.advance(5_000)
    expect(transitions.map(({ to }) => to)).toEqual(['healthy', 'unhealthy'])
  })

  it('runs again once it has ended after all, and what it said too late does not count', async () => {
    const { clock, health, transitions } = setUp()
    let runs = 0
    const check: Check = async () => {
      runs += 1
      if (runs === 1) await clock.sleep(2_000)
      return { status: 'degraded', message: `run ${runs}` }
    }
    health.register({ name: 'late', check, timeoutMs: 100, intervalMs: 10_000 })
    health.start()
    await clock.advance(10_000)
    expect(transitions.map(({ to, message }) => [to, message])).toEqual([
      ['unhealthy', 'the check took longer than 100 ms'],
      ['degraded', 'run 2'],
    ])
  })

  it('is told by its signal at the time-out', async () => {
    const { clock, health } = setUp()
    const reasons: unknown[] = []
    const check: Check = (signal) =>
      new Promise((_, reject) => {
        signal.addEventListener('abort', () => {
          reasons.push(signal.reason)
          reject(signal.reason as Error)
        })
      })
    health.register({ name: 'obedient', check, timeoutMs: 100, intervalMs: 10_000 })
    health.start()
    await clock.advance(100)
    expect(reasons).toMatchObject([{ code: 'ERR_DEADLINE' }])
  })
})

describe('a check that throws', () => {
  it.each<[string, Check, string]>([
    ['a text', () => Promise.reject('just text'), 'just text'], // eslint-disable-line prefer-promise-reject-errors
    ['null', () => Promise.reject(null), 'null'], // eslint-disable-line prefer-promise-reject-errors
    [
      'synchronously',
      () => {
        throw new Error('at once')
      },
      'at once',
    ],
    ['nonsense', () => 'healthy' as never, 'the check returned healthy; expected nothing or { status'],
    ['a promise of nonsense', () => Promise.resolve(42 as never), 'the check returned 42; expected nothing'],
  ])('%s, is unhealthy and says why', async (_, check, message) => {
    const { clock, health } = setUp()
    health.register({ name: 'bad', check })
    health.start()
    await clock.advance(0)
    expect(health.check('bad')).toMatchObject({ status: 'unhealthy', message: expect.stringContaining(message) })
  })

  it('a password, does not have it shown anywhere', async () => {
    const logged: unknown[] = []
    const log = (...args: unknown[]) => void logged.push(args)
    const logger = { debug: log, info: log, warn: log, error: log }
    const clock = new FakeClock()
    const health = new Health({ service: 'test', version: '1.0.0', clock, logger })
    const transitions: Transition[] = []
    health.on('transition', (transition) => transitions.push(transition))
    const check: Check = () => {
      throw new Error('connect postgres://app:hunter2@db failed', { cause: new Error('password=hunter2\u001b[2J') })
    }
    health.register({ name: 'db', check })
    health.start()
    await clock.advance(0)
    expect(health.report().metadata.last_error).toBe(
      String.raw`db: connect postgres://[redacted]@db failed: password=[redacted]`,
    )
    expect(logged).toHaveLength(1)
    const everything = [text(health), logged, transitions, health.checks(), await health.metrics.text()]
    expect(JSON.stringify(everything)).not.toContain('hunter2')
  })
})

describe('a check that registers checks', () => {
  it('may do so while it runs, and they run too', async () => {
    const { clock, health } = setUp()
    let generation = 0
    const check: Check = () => {
      generation += 1
      if (generation <= 5) health.register({ name: `child-${generation}`, check, intervalMs: 60_000 })
    }
    health.register({ name: 'parent', check, intervalMs: 60_000 })
    health.start()
    await clock.advance(500)
    expect(health.checks().map(({ name, status }) => [name, status])).toEqual(
      ['parent', 'child-1', 'child-2', 'child-3', 'child-4', 'child-5'].map((name) => [name, 'healthy']),
    )
  })

  it('gets the error when it registers a name that is taken, and goes on', async () => {
    const { clock, health } = setUp()
    const check: Check = () => void health.register({ name: 'parent', check })
    health.register({ name: 'parent', check })
    health.start()
    await clock.advance(0)
    expect(health.check('parent')).toMatchObject({
      status: 'unhealthy',
      message: expect.stringContaining('registered already'),
    })
  })
})

describe('a check that is unregistered while it runs', () => {
  it('is aborted, and what it still says is dropped', async () => {
    const { clock, health, transitions } = setUp()
    let aborted = false
    const check: Check = async (signal) => {
      signal.addEventListener('abort', () => (aborted = true))
      await clock.sleep(100)
      return { status: 'unhealthy' }
    }
    health.register({ name: 'gone', check })
    health.start()
    await clock.advance(50)
    expect(health.unregister('gone')).toBe(true)
    expect(aborted).toBe(true)
    await clock.advance(1_000)
    expect(transitions).toEqual([])
    expect(health.check('gone')).toBeNull()
    expect(health.unregister('gone')).toBe(false)
    expect(clock.pending).toBe(0)
  })

  it('by itself, is gone', async () => {
    const { clock, health } = setUp()
    health.register({ name: 'suicidal', check: () => void health.unregister('suicidal'), intervalMs: 100 })
    health.start()
    await clock.advance(1_000)
    expect(health.checks()).toEqual([])
    expect(clock.pending).toBe(0)
  })

  it('by who listens to its transition, does not run again', async () => {
    const { clock, health } = setUp()
    let runs = 0
    health.register({ name: 'once', check: () => void (runs += 1), intervalMs: 100 })
    health.on('transition', ({ check }) => health.unregister(check))
    health.start()
    await clock.advance(1_000)
    expect(runs).toBe(1)
    expect(clock.pending).toBe(0)
  })

  it('and registered again under its name, is another check that the old one cannot speak for', async () => {
    const { clock, health, transitions } = setUp()
    const old: Check = async () => {
      await clock.sleep(100)
      throw new Error('old')
    }
    const handle = health.register({ name: 'db', check: old })
    health.start()
    await clock.advance(50)
    handle[Symbol.dispose]()
    health.register({ name: 'db', check: () => {} })
    handle[Symbol.dispose]()
    await clock.advance(1_000)
    expect(transitions.map(({ to }) => to)).toEqual(['healthy'])
    expect(health.check('db')?.status).toBe('healthy')
  })
})

describe('a check that blocks the event loop past its time-out', () => {
  it('is judged by what it found, since it did not let time-outs happen', async () => {
    const health = new Health({ service: 'test', version: '1.0.0' })
    const check: Check = () => {
      for (const end = performance.now() + 100; performance.now() < end;);
      return { status: 'degraded' }
    }
    health.register({ name: 'blocking', check, timeoutMs: 20 })
    health.start()
    await health.firstResults(AbortSignal.timeout(20_000))
    expect(health.check('blocking')).toMatchObject({ status: 'degraded' })
    expect(health.check('blocking')?.durationMs).toBeGreaterThan(90)
    await health.stop()
  })
})

describe('a logger that throws', () => {
  it('keeps the checks from nothing', async () => {
    const fail = () => {
      throw new Error('disk full')
    }
    const clock = new FakeClock()
    const logger = { debug: fail, info: fail, warn: fail, error: fail }
    const health = new Health({ service: 'test', version: '1.0.0', clock, logger, random: () => 0 })
    let runs = 0
    health.on('transition', fail)
    health.register({ name: 'a', check: () => void (runs += 1), intervalMs: 100 })
    health.start()
    await clock.advance(1_000)
    expect(runs).toBeGreaterThan(8)
  })
})

describe('a listener that throws', () => {
  it('is logged, redacted, and keeps neither the others nor the checks from going on', async () => {
    const errors: unknown[] = []
    const quiet = () => {}
    const logger = { debug: quiet, info: quiet, warn: quiet, error: (fields: object) => void errors.push(fields) }
    const clock = new FakeClock()
    const health = new Health({ service: 'test', version: '1.0.0', clock, logger })
    const heard: string[] = []
    health.on('transition', () => {
      throw new Error('token=hunter2')
    })
    health.on('transition', () => Promise.reject(new Error('async')) as unknown as void)
    health.on('transition', ({ check }) => void heard.push(check))
    health.register({ name: 'a', check: () => {} })
    health.start()
    await clock.advance(1)
    expect(heard).toEqual(['a'])
    expect(errors).toEqual([{ err: 'token=[redacted]' }, { err: 'async' }])
  })
})
