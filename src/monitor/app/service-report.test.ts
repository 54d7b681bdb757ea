import { describe, expect, test } from 'vitest'
import type { Symptom } from '../model/index.ts'
import type { ServiceDetail, Status } from '../server/index.ts'
import { healthReport } from '../server/schemas.ts'
import { serviceMetrics } from './service-metrics.ts'
import { serviceReport, type ServiceFacts } from './service-report.ts'

const WALL = Date.parse('2026-05-01T10:00:00.700Z')
const STARTED = '2026-05-01T09:58:30.000Z'

function facts(
  status: Status,
  over: {
    reason?: string | null
    symptom?: Symptom | null
    last?: ServiceDetail['probes'][number]['lastOutcome']
    startedAt?: string | null
    since?: string | null
    failing?: readonly string[]
    dependencies?: Record<string, Status>
    version?: string | null
  } = {},
): ServiceFacts {
  const { reason = null, symptom = null, last = 'ok', startedAt = STARTED, since = '2026-05-01T09:59:00.000Z' } = over
  return {
    service: {
      name: 'camera',
      status,
      cause: null,
      reason,
      since,
      dependsOn: [],
      instances: [{ id: 'camera-1', kind: 'docker', pid: 1, status, startedAt, restarts: 2 }],
      symptom,
      incident: null,
      probes: [
        {
          instance: 'camera-1',
          name: 'liveness',
          role: 'liveness',
          kind: 'http',
          intervalMs: 1_000,
          timeoutMs: 1_300,
          lastOutcome: last,
          lastLatencyMs: 1,
          lastAt: STARTED,
        },
      ],
      budget: null,
    },
    verdicts: new Map([['camera-1', { status, symptom, failing: over.failing ?? [] }]]),
    dependencies: new Map(Object.entries(over.dependencies ?? {})),
    version: over.version ?? null,
    wall: WALL,
  }
}

test('has the shape of the library’s own report, to the order of its keys', () => {
  const report = serviceReport(
    facts('degraded', { reason: 'slow', version: '1.2.3', dependencies: { db: 'healthy' } }),
    'liveness',
  )
  expect(JSON.stringify(report)).toBe(
    '{"status":"degraded","timestamp":"2026-05-01T10:00:00Z","service":"camera","version":"1.2.3",' +
      '"checks":{"liveness":"healthy","db":"healthy"},"metadata":{"uptime_seconds":90,"last_error":"slow"}}',
  )
  healthReport.parse(report)
})

describe.each([
  // status, symptom, last look, /health, /ready, what the probe shows
  ['healthy', null, 'ok', 'healthy', 'healthy', 'healthy'],
  ['healthy', null, 'silence', 'healthy', 'healthy', 'healthy'],
  ['degraded', 'slow', 'ok', 'degraded', 'degraded', 'healthy'],
  ['degraded', 'erroring', 'explicit', 'degraded', 'degraded', 'unhealthy'],
  ['degraded', 'not-ready', 'ok', 'degraded', 'unhealthy', 'healthy'],
  ['starting', null, 'explicit', 'degraded', 'unhealthy', 'unhealthy'],
  ['starting', null, null, 'degraded', 'unhealthy', 'degraded'],
  ['unhealthy', 'hung', 'silence', 'unhealthy', 'unhealthy', 'unhealthy'],
  ['unhealthy', 'exited', 'ok', 'unhealthy', 'unhealthy', 'healthy'],
  ['unknown', 'observer', 'ok', 'unhealthy', 'unhealthy', 'unhealthy'],
  ['unknown', null, null, 'unhealthy', 'unhealthy', 'unhealthy'],
] as const)('a service that is %s (%s), last look %s', (status, symptom, last, health, ready, probe) => {
  const given = facts(status, { symptom, last })
  test(`is ${health}, as to serving ${ready}`, () => {
    const live = serviceReport(given, 'liveness')
    expect([live.status, serviceReport(given, 'readiness').status, live.checks['liveness']]).toEqual([
      health,
      ready,
      probe,
    ])
  })

  test('has a reason exactly while it is not healthy', () => {
    const { last_error } = serviceReport(given, 'liveness').metadata
    expect(last_error === null).toBe(status === 'healthy')
    if (status === 'unknown') expect(last_error).toMatch(/^unknown: /)
  })

  test('tells Prometheus the same', async () => {
    const { text, up } = await serviceMetrics(given)
    expect(up).toBe(health !== 'unhealthy')
    expect(text).toContain(`health_up{service="camera"} ${up ? 1 : 0}\n`)
    expect(text).toContain(`health_status{service="camera",probe="liveness",status="${health}"} 1\n`)
    expect(text).toContain(`health_status{service="camera",probe="readiness",status="${ready}"} 1\n`)
    expect(text.match(/health_status\{[^}]*\} 1\n/g)).toHaveLength(2)
  })
})

test('checks are its probes, what it calls ill itself, and what it depends on; the worse wins where names meet', () => {
  const report = serviceReport(
    facts('degraded', {
      failing: ['disk', 'db'],
      dependencies: { db: 'unhealthy', cache: 'unknown', queue: 'starting', disk: 'healthy' },
    }),
    'liveness',
  )
  expect(report.checks).toEqual({
    liveness: 'healthy',
    disk: 'degraded',
    db: 'unhealthy',
    cache: 'unhealthy',
    queue: 'degraded',
  })
})

test('uptime is that of its longest run; of what is only watched, how long it has been seen well; else none', () => {
  const uptime = (given: ServiceFacts) => serviceReport(given, 'liveness').metadata.uptime_seconds
  expect(uptime(facts('healthy'))).toBe(90)
  expect(uptime(facts('healthy', { startedAt: null }))).toBe(60)
  expect(uptime(facts('unhealthy', { startedAt: null }))).toBe(0)
  // The clock may have been set back meanwhile.
  expect(uptime(facts('healthy', { startedAt: '2026-05-01T11:00:00.000Z' }))).toBe(0)
})

test('of two instances one that can serve is enough to be ready', () => {
  const one = facts('degraded', { symptom: 'hung' })
  const ill = { status: 'unhealthy', symptom: 'hung', failing: [] } as const
  const well = { status: 'healthy', symptom: null, failing: [] } as const
  const of = (...verdicts: readonly (typeof ill | typeof well)[]) =>
    serviceReport({ ...one, verdicts: new Map(verdicts.map((verdict, n) => [`camera-${n}`, verdict])) }, 'readiness')
      .status
  expect([of(ill, well), of(ill, ill)]).toEqual(['degraded', 'unhealthy'])
})

test('what a service says of itself cannot break the text of the metrics', async () => {
  const { text } = await serviceMetrics(facts('degraded', { failing: ['a"b\\c'], version: 'v"1' }))
  expect(text).toContain('check="a\\"b\\\\c"')
  expect(text).toContain('health_info{service="camera",version="v\\"1"} 1')
})
