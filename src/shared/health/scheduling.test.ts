import { describe, expect, it } from 'vitest'
import type { Check } from './check.ts'
import { Health, type HealthOptions } from './index.ts'
import { FakeClock } from './testing/index.ts'

function setUp(options: Partial<HealthOptions> = {}) {
  const clock = new FakeClock()
  const health = new Health({ service: 'test', version: '1.0.0', clock, random: () => 0.5, ...options })
  /** A check that notes when it runs. */
  const noting = (result?: Check) => {
    const at: number[] = []
    const check: Check = (signal) => {
      at.push(clock.mono())
      return result?.(signal)
    }
    return { at, check }
  }
  return { clock, health, noting }
}

const failing: Check = () => {
  throw new Error('refused')
}
const never: Check = () => new Promise(() => {})

describe('scheduling', () => {
  it('runs every check once at the start, then by its interval from a random phase', async () => {
    const { clock, health, noting } = setUp({ random: () => 0.25 })
    const [fast, slow] = [noting(), noting()]
    health.register({ name: 'fast', check: fast.check, intervalMs: 1_000 })
    health.register({ name: 'slow', check: slow.check, intervalMs: 4_000 })
    health.start()
    await clock.advance(5_000)
    expect(fast.at).toEqual([0, 250, 1_250, 2_250, 3_250, 4_250])
    expect(slow.at).toEqual([0, 1_000, 5_000])
  })

  it('spreads checks of the same interval by the random numbers it is given', async () => {
    const numbers = [0, 0.3, 0.9]
    const { clock, health, noting } = setUp({ random: () => numbers.shift() ?? 0 })
    const all = [noting(), noting(), noting()]
    health.register(all.map(({ check }, index) => ({ name: `c${index}`, check, intervalMs: 1_000 })))
    health.start()
    await clock.advance(1_500)
    expect(all.map(({ at }) => at.at(-1))).toEqual([1_000, 1_300, 900])
  })

  it('runs nothing before the start and nothing after the stop, and then has no timer', async () => {
    const { clock, health, noting } = setUp()
    const { at, check } = noting()
    health.register({ name: 'a', check, intervalMs: 100 })
    await clock.advance(1_000)
    expect(at).toEqual([])
    health.start()
    await clock.advance(1_000)
    const runs = at.length
    expect(runs).toBeGreaterThan(5)
    await health.stop()
    expect(clock.pending).toBe(0)
    await clock.advance(1_000)
    expect(at).toHaveLength(runs)
  })

  it('has no timer while there is no check, and one for all checks while none runs', async () => {
    const { clock, health } = setUp()
    health.start()
    expect(clock.pending).toBe(0)
    const handle = health.register(Array.from({ length: 50 }, (_, index) => ({ name: `c${index}`, check: () => {} })))
    await clock.advance(1_000)
    expect(clock.pending).toBe(1)
    handle[Symbol.dispose]()
    expect(clock.pending).toBe(0)
  })

  it('never has two runs of a check under way, and leaves out the turns that a long run missed', async () => {
    const { clock, health, noting } = setUp({ random: () => 0 })
    const { at, check } = noting(async () => await clock.sleep(250))
    health.register({ name: 'long', check, intervalMs: 100, timeoutMs: 1_000 })
    health.start()
    await clock.advance(1_200)
    // Ends 250 ms after each start; the turns of 100 ms that passed meanwhile are gone, the phase is not.
    expect(at).toEqual([0, 250, 550, 850, 1_150])
  })

  it('has at most as many checks under way as it may', async () => {
    const { clock, health } = setUp({ concurrency: 3 })
    let [now, most] = [0, 0]
    const check: Check = async () => {
      most = Math.max(most, (now += 1))
      await clock.sleep(10)
      now -= 1
    }
    health.register(Array.from({ length: 20 }, (_, index) => ({ name: `c${index}`, check })))
    health.start()
    await clock.advance(100)
    await health.firstResults()
    expect(most).toBe(3)
  })

  it('lets checks that hang starve nobody for longer than their time-out', async () => {
    const { clock, health, noting } = setUp({ concurrency: 2 })
    const { at, check } = noting()
    health.register([
      { name: 'hung-1', check: never, timeoutMs: 500 },
      { name: 'hung-2', check: never, timeoutMs: 500 },
      { name: 'sound', check },
    ])
    health.start()
    await clock.advance(499)
    expect(at).toEqual([])
    await clock.advance(1)
    expect(at).toEqual([500])
  })

  it('looks again soon when a result contradicts the status, so that three failures take a second', async () => {
    const { clock, health } = setUp({ random: () => 0 })
    let broken = false
    const seen: string[] = []
    health.register({ name: 'db', check: (signal) => (broken ? failing(signal) : undefined), intervalMs: 5_000 })
    health.on('transition', ({ to }) => seen.push(`${clock.mono()} ${to}`))
    health.start()
    await clock.advance(4_000)
    broken = true
    await clock.advance(1_000)
    expect(health.check('db')).toMatchObject({ status: 'healthy' })
    await clock.advance(1_000)
    expect(seen).toEqual(['0 healthy', '6000 unhealthy'])
  })

  it('asks what has just failed again soon, and less often the longer it lasts, down to its interval', async () => {
    const { clock, health, noting } = setUp()
    const { at, check } = noting(failing)
    health.register({ name: 'db', check, intervalMs: 5_000 })
    health.start()
    await clock.advance(20_000)
    expect(at).toEqual([0, 500, 1_500, 3_500, 7_500, 12_500, 17_500])
  })

  it('asks what never settles less and less often, down to its interval', async () => {
    const { clock, health, noting } = setUp()
    let runs = 0
    // Degraded at first, and from then on neither twice the same.
    const { at, check } = noting(() => {
      runs += 1
      return { status: runs === 1 ? 'degraded' : runs % 2 === 0 ? 'unhealthy' : 'healthy' }
    })
    health.register({ name: 'fickle', check, intervalMs: 4_000, failureThreshold: 2, successThreshold: 2 })
    health.start()
    await clock.advance(30_000)
    const gaps = at.slice(2).map((time, index) => time - (at[index + 1] ?? 0))
    expect(gaps).toEqual([500, 500, 500, 500, 1_000, 2_000, 4_000, 4_000, 4_000, 4_000, 4_000])
    expect(health.check('fickle')?.status).toBe('degraded')
  })

  it('notices soon that a restarted dependency is back', async () => {
    const { clock, health } = setUp()
    health.register({
      name: 'db',
      check: (signal) => (clock.mono() < 1_200 ? failing(signal) : undefined),
      intervalMs: 60_000,
    })
    health.start()
    await clock.advance(1_000)
    expect(health.check('db')?.status).toBe('unhealthy')
    await clock.advance(500)
    expect(health.check('db')?.status).toBe('healthy')
  })

  it('stops running what belongs to the start-up alone, once it has succeeded', async () => {
    const { clock, health, noting } = setUp()
    const { at, check } = noting((signal) => (clock.mono() < 400 ? failing(signal) : undefined))
    health.register({ name: 'migrations', check, probes: ['startup'], intervalMs: 100 })
    health.start()
    await clock.advance(5_000)
    expect(at).toEqual([0, 100, 200, 300, 400])
    expect(clock.pending).toBe(0)
  })

  it('runs ten thousand checks with few wakes and one timer', async () => {
    const { clock, health } = setUp({ random: Math.random })
    let runs = 0
    const check = () => void (runs += 1)
    const names = Array.from({ length: 10_000 }, (_, index) => ({ name: `c${index}`, check, intervalMs: 5_000 }))
    const handle = health.register(names)
    health.start()
    await clock.advance(1_000)
    expect(health.checks().every(({ status }) => status === 'healthy')).toBe(true)
    const first = runs
    let wakes = 0
    const timer = clock.timer.bind(clock)
    clock.timer = (ms, fn) =>
      timer(ms, () => {
        wakes += 1
        fn()
      })
    await clock.advance(5_000)
    expect(runs - first).toBeGreaterThan(9_500)
    expect(runs - first).toBeLessThan(10_500)
    expect(wakes).toBeLessThanOrEqual(5_000 / 20 + 1)
    expect(clock.pending).toBe(1)
    expect(JSON.parse(Buffer.from(health.answer('health').body).toString()).status).toBe('healthy')
    handle[Symbol.dispose]()
    expect(health.checks()).toEqual([])
    expect(clock.pending).toBe(0)
  }, 60_000)
})
