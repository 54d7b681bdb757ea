import { spawnSync } from 'node:child_process'
import { describe, expect, it } from 'vitest'
import type { Check } from './check.ts'
import { Health, isMedykError, type Endpoint, type HealthOptions, type Transition } from './index.ts'
import { FakeClock } from './testing/index.ts'

function setUp(options: Partial<HealthOptions> = {}) {
  const clock = new FakeClock()
  const health = new Health({ service: 'rtsp-capture', version: '1.0.0', clock, random: () => 0.5, ...options })
  return { clock, health }
}

const healthy: Check = () => {}
const failing: Check = () => {
  throw new Error('refused')
}

function sent(health: Health, endpoint: Endpoint = 'health') {
  const { status, body } = health.answer(endpoint)
  return { status, text: Buffer.from(body).toString() }
}

describe('the answer', () => {
  it('is byte for byte the report', async () => {
    const { clock, health } = setUp()
    health.register([
      { name: 'database', check: healthy },
      { name: 'redis', check: failing },
    ])
    health.start()
    for (const endpoint of ['health', 'ready', 'startup'] as const) {
      expect(sent(health, endpoint).text).toBe(JSON.stringify(health.report(endpoint)))
    }
    await clock.advance(3_600_500)
    expect(sent(health).text).toBe(
      '{"status":"degraded","timestamp":"2024-01-20T11:00:00Z","service":"rtsp-capture","version":"1.0.0",' +
        '"checks":{"database":"healthy","redis":"unhealthy"},' +
        '"metadata":{"uptime_seconds":3600,"last_error":"redis: refused"}}',
    )
    for (const endpoint of ['health', 'ready', 'startup'] as const) {
      expect(sent(health, endpoint).text).toBe(JSON.stringify(health.report(endpoint)))
    }
  })

  it('is the same bytes within a second and until something changes', async () => {
    const { clock, health } = setUp()
    health.register({ name: 'db', check: healthy })
    health.start()
    await clock.advance(100)
    const { body } = health.answer('health')
    await clock.advance(800)
    expect(health.answer('health').body).toBe(body)
    await clock.advance(100)
    expect(health.answer('health').body).not.toBe(body)
  })

  it('follows a wall clock that is set back', async () => {
    const { clock, health } = setUp()
    health.answer('health')
    clock.jumpWall(-3_600_000)
    expect(JSON.parse(sent(health).text)).toMatchObject({
      timestamp: '2024-01-20T09:00:00Z',
      metadata: { uptime_seconds: 0 },
    })
  })

  it('escapes what would break out of the JSON', () => {
    const { health } = setUp({ service: 'a"b\\c', version: '</script>' })
    expect(JSON.parse(sent(health).text)).toMatchObject({ service: 'a"b\\c', version: '</script>' })
  })

  it('tells of errors only while something is not healthy, and of the latest one', async () => {
    const { clock, health } = setUp()
    const broken = new Set(['a', 'b'])
    const check = (name: string) => ({
      name,
      failureThreshold: 1,
      check: () => {
        if (broken.has(name)) throw new Error(`${name} is down`)
      },
    })
    health.register([check('a'), check('b')])
    health.start()
    await clock.advance(10)
    expect(health.report().metadata.last_error).toBe('b: b is down')
    broken.delete('b')
    await clock.advance(5_000)
    expect(health.report().metadata.last_error).toBe('b: b is down')
    broken.delete('a')
    await clock.advance(5_000)
    expect(health.report()).toMatchObject({ status: 'healthy', metadata: { last_error: null } })
  })

  it('can be told to keep error messages to itself', async () => {
    const { clock, health } = setUp({ lastError: 'check' })
    health.register({ name: 'db', check: failing })
    health.start()
    await clock.advance(10)
    expect(health.report().metadata.last_error).toBe('db: unhealthy')
    expect(health.check('db')?.message).toBe('refused')
  })

  it('never carries the message or the data of a check beside last_error', async () => {
    const { clock, health } = setUp()
    health.register({ name: 'disk', check: () => ({ status: 'healthy', message: 'inner', data: { free: 4242 } }) })
    health.start()
    await clock.advance(10)
    expect(sent(health).text).not.toMatch(/inner|4242/)
    expect(health.check('disk')).toMatchObject({ message: 'inner', data: { free: 4242 } })
  })
})

describe('the life of a service', () => {
  it('is alive and not ready before the start, ready after the first results, and leaves when told', async () => {
    const { clock, health } = setUp()
    health.register({ name: 'db', check: healthy })
    const codes = () => (['health', 'ready', 'startup'] as const).map((endpoint) => sent(health, endpoint).status)
    expect(codes()).toEqual([200, 503, 503])
    health.start()
    expect(codes()).toEqual([200, 503, 200])
    await clock.advance(10)
    expect(codes()).toEqual([200, 200, 200])
    health.shuttingDown()
    expect(codes()).toEqual([200, 503, 200])
    await health.stop()
    expect(codes()).toEqual([200, 503, 200])
    health.start()
    await clock.advance(10)
    expect(codes()).toEqual([200, 200, 200])
  })

  it('has come up when every critical start-up check has succeeded once, for good', async () => {
    const { clock, health } = setUp()
    let [a, b] = [false, false]
    const gate =
      (open: () => boolean): Check =>
      (signal) =>
        open() ? undefined : failing(signal)
    health.register([
      { name: 'a', check: gate(() => a), probes: ['startup', 'readiness'], failureThreshold: 1 },
      { name: 'b', check: gate(() => b), probes: ['startup'] },
      { name: 'optional', check: failing, probes: ['startup'], critical: false },
    ])
    health.start()
    await clock.advance(1_000)
    a = true
    await clock.advance(5_000)
    expect([sent(health, 'startup').status, sent(health, 'ready').status]).toEqual([503, 503])
    a = false
    await clock.advance(5_000)
    b = true
    await clock.advance(5_000)
    expect([sent(health, 'startup').status, sent(health, 'ready').status]).toEqual([200, 503])
    a = true
    await clock.advance(5_000)
    expect(sent(health, 'ready').status).toBe(200)
    health.register({ name: 'late', check: failing, probes: ['startup'] })
    await clock.advance(5_000)
    expect(sent(health, 'startup').status).toBe(200)
  })

  it('has come up when the start-up check it waited for is unregistered', async () => {
    const { clock, health } = setUp()
    health.register({ name: 'model', check: failing, probes: ['startup'] })
    health.start()
    await clock.advance(10)
    expect(sent(health, 'startup').status).toBe(503)
    health.unregister('model')
    expect(sent(health, 'startup').status).toBe(200)
  })

  it('waits at the stop for checks under way that obey, and no longer than a second for those that do not', async () => {
    const { clock, health } = setUp()
    let ended = false
    const obedient: Check = (signal) =>
      new Promise((_, reject) => {
        signal.addEventListener('abort', () => {
          setTimeout(() => {
            ended = true
            reject(signal.reason as Error)
          }, 10)
        })
      })
    health.register({ name: 'obedient', check: obedient })
    health.start()
    await clock.advance(10)
    await health.stop()
    expect(ended).toBe(true)

    health.register({ name: 'stubborn', check: () => new Promise(() => {}) })
    health.start()
    await clock.advance(10)
    let stopped = false
    const stop = health.stop().then(() => (stopped = true))
    await clock.advance(999)
    expect(stopped).toBe(false)
    await clock.advance(1)
    await stop
    expect(stopped).toBe(true)
  })

  it('tells after a restart that a check of before the stop is still hanging, and starts no second one', async () => {
    const { clock, health } = setUp()
    let started = 0
    const check: Check = () => {
      started += 1
      return started === 1 ? undefined : new Promise(() => {})
    }
    health.register({ name: 'stubborn', check, intervalMs: 100, timeoutMs: 5_000 })
    health.start()
    await clock.advance(500)
    const stop = health.stop()
    await clock.advance(1_000)
    await stop
    health.start()
    await clock.advance(60_000)
    expect(health.check('stubborn')).toMatchObject({
      status: 'unhealthy',
      message: expect.stringMatching(/^still running after/),
    })
    expect(started).toBe(2)
  })

  it('can be stopped before it was started, and started and stopped twice', async () => {
    const { clock, health } = setUp()
    await health.stop()
    health.start()
    health.start()
    await clock.advance(10)
    await Promise.all([health.stop(), health.stop()])
    expect(clock.pending).toBe(0)
  })

  it('does not keep the process alive, checks under way included', () => {
    const code = `
      import { Health } from './index.ts'
      const health = new Health({ service: 'a', version: '1' })
      health.register([
        { name: 'quick', check: () => {}, intervalMs: 10 },
        { name: 'hung', check: () => new Promise(() => {}), timeoutMs: 600_000 },
      ])
      health.start()
      setTimeout(() => console.log(health.check('quick').status), 100)`
    const args = ['--conditions=medyk-source', '--input-type=module', '--eval', code]
    const { stdout, status, stderr } = spawnSync(process.execPath, args, { cwd: import.meta.dirname, timeout: 60_000 })
    expect({ status, out: String(stdout).trim(), err: String(stderr) }).toMatchObject({ status: 0, out: 'healthy' })
  })

  it('is kept alive by who waits for the first results', () => {
    const code = `
      import { Health } from './index.ts'
      const health = new Health({ service: 'a', version: '1' })
      health.register({ name: 'db', check: () => {} })
      health.start()
      await health.firstResults()
      console.log(health.check('db').status)`
    const args = ['--conditions=medyk-source', '--input-type=module', '--eval', code]
    const { stdout, status } = spawnSync(process.execPath, args, { cwd: import.meta.dirname, timeout: 60_000 })
    expect([status, String(stdout).trim()]).toEqual([0, 'healthy'])
  })

  it('releases what a check holds when it is unregistered and at the stop', async () => {
    const { clock, health } = setUp()
    const released: string[] = []
    const holding = (name: string) => Object.assign(() => {}, { [Symbol.dispose]: () => void released.push(name) })
    const clumsy = Object.assign(() => {}, {
      [Symbol.dispose]: () => {
        throw new Error('stuck')
      },
    })
    health.register(['a', 'b'].map((name) => ({ name, check: holding(name) })))
    health.register({ name: 'c', check: clumsy })
    health.start()
    await clock.advance(10)
    health.unregister('a')
    expect(released).toEqual(['a'])
    await health.stop()
    expect(released).toEqual(['a', 'b'])
  })
})

describe('register', () => {
  it('takes all checks of a call or none', async () => {
    const { clock, health } = setUp()
    health.start()
    const list = [
      { name: 'good', check: healthy },
      { name: 'bad', check: healthy, intervalMs: -1 },
    ]
    expect(() => health.register(list)).toThrow('intervalMs')
    await clock.advance(100)
    expect(health.checks()).toEqual([])
  })

  it('refuses a name that is taken, until it is free again', () => {
    const { health } = setUp()
    const handle = health.register({ name: 'db', check: healthy })
    expect(() => health.register({ name: 'db', check: healthy })).toThrow('registered already')
    handle[Symbol.dispose]()
    health.register({ name: 'db', check: healthy })
  })

  it('adds checks while it runs, first run at once, and keeps their order', async () => {
    const { clock, health } = setUp()
    health.start()
    await clock.advance(1_000)
    health.register({ name: 'z', check: healthy })
    health.register({ name: 'a', check: healthy })
    await clock.advance(20)
    expect(health.report().checks).toEqual({ z: 'healthy', a: 'healthy' })
    expect(Object.keys(health.report().checks)).toEqual(['z', 'a'])
  })

  it('makes what is ready unready until the new check has a result', async () => {
    const { clock, health } = setUp()
    health.start()
    expect(sent(health, 'ready').status).toBe(200)
    health.register({ name: 'db', check: healthy })
    expect(sent(health, 'ready').status).toBe(503)
    await clock.advance(20)
    expect(sent(health, 'ready').status).toBe(200)
  })
})

describe('transitions', () => {
  it('are told once each, with from, to, message and time, and not any more once disposed', async () => {
    const { clock, health } = setUp()
    let broken = false
    const heard: Transition[] = []
    const listening = health.on('transition', (transition) => heard.push(transition))
    health.register({ name: 'db', check: (signal) => (broken ? failing(signal) : undefined), intervalMs: 1_000 })
    health.start()
    await clock.advance(10_000)
    broken = true
    await clock.advance(10_000)
    expect(heard).toEqual([
      { check: 'db', from: null, to: 'healthy', message: null, at: '2024-01-20T10:00:00.000Z' },
      { check: 'db', from: 'healthy', to: 'unhealthy', message: 'refused', at: '2024-01-20T10:00:11.500Z' },
    ])
    expect(health.check('db')).toMatchObject({ since: '2024-01-20T10:00:11.500Z', status: 'unhealthy' })
    listening[Symbol.dispose]()
    broken = false
    await clock.advance(10_000)
    expect(heard).toHaveLength(2)
  })

  it('find the new status in the answers already', async () => {
    const { clock, health } = setUp()
    const seen: unknown[] = []
    health.on('transition', () => seen.push(health.report('ready').status))
    health.register({ name: 'db', check: healthy })
    health.start()
    await clock.advance(10)
    expect(seen).toEqual(['healthy'])
  })

  it('are the only event', () => {
    const { health } = setUp()
    expect(() => health.on('change' as 'transition', () => {})).toThrow('only "transition"')
  })
})

describe('firstResults', () => {
  it('resolves when every check has a result, those included that came later', async () => {
    const { clock, health } = setUp()
    let done = false
    health.register({ name: 'slow', check: () => clock.sleep(1_000) })
    health.start()
    const first = health.firstResults().then(() => (done = true))
    await clock.advance(500)
    health.register({ name: 'slower', check: () => clock.sleep(1_000) })
    await clock.advance(999)
    expect(done).toBe(false)
    await clock.advance(500)
    await first
    await health.firstResults()
  })

  it('rejects with the reason of its signal', async () => {
    const { health } = setUp()
    health.register({ name: 'db', check: healthy })
    const reason = new Error('enough')
    await expect(health.firstResults(AbortSignal.abort(reason))).rejects.toBe(reason)
    const controller = new AbortController()
    const first = health.firstResults(controller.signal)
    controller.abort(reason)
    await expect(first).rejects.toBe(reason)
  })
})

describe('the options', () => {
  it('are refused together', () => {
    const options = { service: '', version: 'a\nb', concurrency: 0, maxExportedChecks: NaN, lastError: 'all' }
    try {
      setUp(options as unknown as HealthOptions)
      expect.unreachable()
    } catch (error) {
      expect(isMedykError(error, 'ERR_OPTIONS')).toBe(true)
      for (const option of Object.keys(options)) expect(String(error)).toContain(option)
    }
  })
})
