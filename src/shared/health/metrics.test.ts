import { Registry } from '@prometheus-io/client'
import { describe, expect, it } from 'vitest'
import { Health, metricsTable, type HealthOptions, type MetricRow } from './index.ts'
import { MAX_SERIES } from './client-metrics.ts'
import { FakeClock } from './testing/index.ts'

function setUp(options: Partial<HealthOptions> = {}) {
  const clock = new FakeClock()
  const health = new Health({ service: 'cam', version: '1.2.3', clock, random: () => 0.5, ...options })
  return { clock, health }
}

/** Samples of the text format: series → value. */
async function samples(health: Health): Promise<Map<string, number>> {
  const lines = (await health.metrics.text()).split('\n').filter((line) => line !== '' && !line.startsWith('#'))
  return new Map(
    lines.map((line) => {
      const space = line.lastIndexOf(' ')
      return [line.slice(0, space), Number(line.slice(space + 1))]
    }),
  )
}

describe('the metrics of the table', () => {
  it('are exported with the name, type, help and labels that the table gives, and no others are', async () => {
    const { clock, health } = setUp({ maxExportedChecks: 1 })
    health.register(['db', 'beyond'].map((name) => ({ name, check: () => {} })))
    health.start()
    await clock.advance(10)
    const text = await health.metrics.text()
    const rows: readonly MetricRow[] = metricsTable
    for (const { name, type, meaning, labels, unit } of rows) {
      expect(text).toContain(`# HELP ${name} ${meaning}\n# TYPE ${name} ${type}\n`)
      const found = [...(await samples(health)).keys()].filter(
        (key) => key.replace(/(_bucket|_sum|_count)?(\{.*)?$/, '') === name,
      )
      expect(found.length, name).toBeGreaterThan(0)
      for (const series of found) {
        const names = [...series.matchAll(/(\w+)="/g)].map(([, label]) => label).filter((label) => label !== 'le')
        expect(names.sort(), series).toEqual([...labels].sort())
      }
      expect(name.endsWith('_seconds')).toBe(unit === 'seconds')
      expect(name.endsWith('_total')).toBe(type === 'counter')
    }
    const exported = [...text.matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name)
    expect(exported.sort()).toEqual(rows.map(({ name }) => name).sort())
  })

  it('say who it is, since when, and what each probe and check is', async () => {
    const { clock, health } = setUp()
    health.register([
      { name: 'db', check: () => Promise.reject(new Error('down')), intervalMs: 60_000 },
      { name: 'loop', check: () => {}, probes: ['liveness'], intervalMs: 60_000 },
      { name: 'pending', check: () => clock.sleep(1_000), probes: ['liveness'], intervalMs: 60_000 },
    ])
    health.start()
    await clock.advance(100)
    expect(Object.fromEntries(await samples(health))).toMatchObject({
      'health_info{service="cam",version="1.2.3"}': 1,
      health_start_timestamp_seconds: Date.parse('2024-01-20T10:00:00Z') / 1_000,
      'health_status{probe="liveness",status="degraded"}': 1,
      'health_status{probe="liveness",status="healthy"}': 0,
      'health_status{probe="readiness",status="unhealthy"}': 1,
      'health_status{probe="startup",status="healthy"}': 1,
      'health_check_status{check="db",status="healthy"}': 0,
      'health_check_status{check="db",status="unhealthy"}': 1,
      'health_check_status{check="loop",status="healthy"}': 1,
      'health_check_status{check="pending",status="healthy"}': 0,
      'health_check_status{check="pending",status="unhealthy"}': 0,
    })
  })

  it('count runs by result and measure them', async () => {
    const { clock, health } = setUp()
    let result: 'healthy' | 'degraded' | 'slow' = 'healthy'
    const check = async () => {
      if (result === 'slow') await clock.sleep(5_000)
      await clock.sleep(40)
      return { status: result === 'degraded' ? 'degraded' : 'healthy' } as const
    }
    health.register({ name: 'db', check, intervalMs: 60_000, timeoutMs: 300 })
    health.start()
    await clock.advance(29_000)
    result = 'degraded'
    await clock.advance(2_000)
    result = 'slow'
    await clock.advance(60_000)
    const found = await samples(health)
    const runs = (kind: string) => found.get(`health_check_runs_total{check="db",result="${kind}"}`)
    expect(runs('healthy')).toBe(1)
    expect(runs('degraded')).toBeGreaterThan(0)
    expect(runs('timeout')).toBeGreaterThan(0)
    const all = (runs('healthy') ?? 0) + (runs('degraded') ?? 0) + (runs('timeout') ?? 0)
    expect(found.get('health_check_duration_seconds_count{check="db"}')).toBe(all)
    expect(found.get('health_check_duration_seconds_bucket{le="0.025",check="db"}')).toBe(0)
    expect(found.get('health_check_duration_seconds_bucket{le="0.1",check="db"}')).toBe(all - (runs('timeout') ?? 0))
  })

  it('forget a check that is unregistered', async () => {
    const { clock, health } = setUp()
    health.register({ name: 'gone', check: () => {} })
    health.start()
    await clock.advance(10)
    health.unregister('gone')
    expect(await health.metrics.text()).not.toContain('gone')
  })

  it('are bounded in check names, and count what they leave out', async () => {
    const { clock, health } = setUp({ maxExportedChecks: 2 })
    health.register(['a', 'b', 'c'].map((name) => ({ name, check: () => {}, intervalMs: 60_000 })))
    health.start()
    await clock.advance(10)
    expect(await health.metrics.text()).not.toContain('check="c"')
    expect((await samples(health)).get('health_series_dropped_total{metric="health_check_runs_total"}')).toBe(1)
  })
})

describe("a service's own metrics", () => {
  it('stand beside the library’s', async () => {
    const { health } = setUp()
    const frames = health.metrics.counter({ name: 'frames_total', help: 'Frames seen', labels: ['camera'] })
    const depth = health.metrics.gauge({ name: 'queue_depth', help: 'Frames that wait' })
    health.metrics.gauge({ name: 'rss_bytes', help: 'Memory', read: () => 4_096 })
    const latency = health.metrics.histogram({ name: 'latency_seconds', help: 'Latency', buckets: [1, 2] })
    frames.inc(1, { camera: 'yard' })
    frames.inc(4, { camera: 'yard' })
    depth.set(7)
    latency.observe(1.5)
    expect(Object.fromEntries(await samples(health))).toMatchObject({
      'frames_total{camera="yard"}': 5,
      queue_depth: 7,
      rss_bytes: 4_096,
      'latency_seconds_bucket{le="1"}': 0,
      'latency_seconds_bucket{le="2"}': 1,
      latency_seconds_count: 1,
    })
  })

  it('are bounded in series, and count what they leave out', async () => {
    const { health } = setUp()
    const frames = health.metrics.counter({ name: 'frames_total', help: 'Frames seen', labels: ['id'] })
    for (let id = 0; id < MAX_SERIES + 5; id += 1) frames.inc(1, { id })
    frames.inc(1, { id: 0 })
    const found = await samples(health)
    expect([...found.keys()].filter((key) => key.startsWith('frames_total'))).toHaveLength(MAX_SERIES)
    expect(found.get('frames_total{id="0"}')).toBe(2)
    expect(found.get('health_series_dropped_total{metric="frames_total"}')).toBe(5)
  })

  it('escape quotes, backslashes and newlines in label values', async () => {
    const { health } = setUp()
    health.metrics.counter({ name: 'odd_total', help: 'x', labels: ['label'] }).inc(1, { label: 'a"b\\c\nd' })
    expect(await health.metrics.text()).toContain(String.raw`odd_total{label="a\"b\\c\nd"} 1`)
  })

  it('show a reading that fails as NaN, and the rest of the scrape all the same', async () => {
    const { health } = setUp()
    const read = () => {
      throw new Error('no such file')
    }
    health.metrics.gauge({ name: 'broken', help: 'x', read })
    const found = await samples(health)
    expect(found.get('broken')).toBeNaN()
    expect(found.get('health_info{service="cam",version="1.2.3"}')).toBe(1)
  })

  it('are refused as counters when their name does not end in _total', () => {
    const { health } = setUp()
    expect(() => health.metrics.counter({ name: 'frames', help: 'x' })).toThrow('_total')
  })

  it.each([
    ['a name that is taken', { name: 'health_info', help: 'x' }, 'already'],
    ['a name with a dash', { name: 'a-b', help: 'x' }, 'a-b'],
    ['no help', { name: 'a', help: '' }, 'help'],
    ['a label with a dash', { name: 'a', help: 'x', labels: ['a-b'] }, 'a-b'],
  ])('are refused with ERR_METRIC for %s', (_, options, problem) => {
    const { health } = setUp()
    expect(() => health.metrics.gauge(options)).toThrow(expect.objectContaining({ code: 'ERR_METRIC' }))
    expect(() => health.metrics.gauge(options)).toThrow(problem)
  })
})

describe('a registry of the user’s', () => {
  it('gets the metrics and keeps its own', async () => {
    const registry = new Registry()
    registry.setDefaultLabels({ site: 'home' })
    const { health } = setUp({ metrics: registry })
    expect(await registry.metrics()).toContain('health_info{service="cam",version="1.2.3",site="home"} 1')
    expect(await health.metrics.text()).toBe(await registry.metrics())
    expect(health.metrics.contentType).toBe(registry.contentType)
  })

  it('cannot be shared by two, and says what to do', () => {
    const registry = new Registry()
    setUp({ metrics: registry })
    expect(() => setUp({ metrics: registry })).toThrow(
      expect.objectContaining({ code: 'ERR_METRIC', hint: expect.stringContaining('own registry') }),
    )
  })
})
