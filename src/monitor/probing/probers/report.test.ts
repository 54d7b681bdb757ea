import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { readReport } from './report.ts'

const read = (value: unknown, isGoodCode = true) =>
  readReport(Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)), isGoodCode)

describe('what a whole service says of itself', () => {
  test.each([
    ...['ok', 'OK', 'up', 'UP', 'pass', 'true', 'Healthy', 'green', 'alive', 'running', 'passing'].map(
      (status) => [{ status }, 'healthy'] as const,
    ),
    ...['warn', 'degraded', 'Degraded', 'yellow', 'warning'].map((status) => [{ status }, 'degraded'] as const),
    ...['unhealthy', 'Unhealthy', 'DOWN', 'fail', 'OUT_OF_SERVICE'].map((status) => [{ status }, 'unhealthy'] as const),
    [{ status: true }, 'healthy'],
    [{ ready: true }, 'healthy'],
    [{ alive: true, uptime: 3 }, 'healthy'],
    [{ ok: true, ready: true }, 'healthy'],
    [{ status: 200, ok: true }, 'healthy'],
    ['\n  {"status": "ok"}\n', 'healthy'],
  ] as const)('%j: %s', (body, status) => {
    expect(read(body)?.status).toBe(status)
  })

  test.each([
    ...['failed', 'false', 'red', 'error', 'critical'].map((status) => ({ status })),
    { status: false },
    { ready: false },
    { ok: false },
    { healthy: false },
    { alive: true, ready: false },
  ])('%j is no death while the code is good, and is unhealthy when it is not', (body) => {
    expect(read(body)?.status).toBe('degraded')
    expect(read(body, false)?.status).toBe('unhealthy')
  })

  test.each([
    'OK',
    '"OK"',
    'true',
    '[]',
    '[{"status":"down"}]',
    '{"status":"shiny"}',
    '{"status":"shiny","ok":true}',
    '{"status":"down because the list of users says so"}',
    '{"status":503}',
    '{"state":"down"}',
    '{"database":"down"}',
    '{"version":"1.2"}',
    '{"checks":{}}',
    '{"status":"down"',
    '{"__proto__":{"status":"down"}}',
    `{"a":${'['.repeat(40)}${']'.repeat(40)},"status":"down"}`,
    '',
  ])('%s says nothing', (text) => {
    expect(read(text)).toBeNull()
  })
})

describe('what it says of its parts', () => {
  test.each([
    ['words', { status: 'ok', checks: { db: 'ok', redis: 'down', disk: 'warning' } }, ['redis', 'disk']],
    ['booleans', { status: 'ok', checks: { db: true, redis: false } }, ['redis']],
    [
      'objects',
      { status: 'UP', components: { db: { status: 'UP' }, mail: { status: 'DOWN', details: {} } } },
      ['mail'],
    ],
    ['objects with flags', { ok: true, dependencies: { db: { healthy: false }, mq: { ok: true } } }, ['db']],
    ['lists by name (health+json)', { status: 'pass', checks: { 'db:time': [{ status: 'fail' }] } }, ['db:time']],
    [
      'a list',
      {
        status: 'ok',
        services: [{ name: 'a', status: 'down' }, { id: 'b', status: 'up' }, { status: 'down' }],
      },
      ['a'],
    ],
    ['entries of ASP.NET', { status: 'Degraded', entries: { sql: { status: 'Unhealthy', data: {} } } }, ['sql']],
    [
      'terminus',
      {
        status: 'error',
        info: { db: { status: 'up' } },
        error: { redis: { status: 'down' } },
        details: { db: { status: 'up' }, redis: { status: 'down' } },
      },
      ['redis'],
    ],
    ['terminus without details', { status: 'error', info: {}, error: { redis: { status: 'down' } } }, ['redis']],
    ['what no word says', { status: 'ok', checks: { db: 'shiny', n: 3, nothing: null } }, []],
    ['mere details', { status: 'ok', details: { maintenance: false, mode: 'x', db: { status: 'down' } } }, ['db']],
  ])('%s', (_, body, failing) => {
    expect(read(body)?.failing).toEqual(failing)
  })

  test('stands for the whole where nothing else does, and one part that is ill is no death', () => {
    expect(read({ checks: { db: 'ok', redis: true } })?.status).toBe('healthy')
    expect(read({ checks: { db: 'down', redis: 'ok' } })).toMatchObject({ status: 'degraded', failing: ['db'] })
  })

  test('names are few, short and printable', () => {
    const checks = Object.fromEntries(Array.from({ length: 3_000 }, (_, i) => [`\u001b${i}${'x'.repeat(200)}`, 'down']))
    const failing = read({ status: 'ok', checks })?.failing ?? []
    expect(failing).toHaveLength(20)
    // eslint-disable-next-line no-control-regex -- control characters are what must not come out
    for (const name of failing) expect(name).toMatch(/^[^\u0000-\u001f]{1,80}$/)
  })
})

describe("this project's own report", () => {
  const ours = {
    status: 'healthy',
    timestamp: '2026-01-01T00:00:00.000Z',
    service: 'capture',
    version: '1.0.0',
    checks: { disk: 'healthy' },
    metadata: { uptime_seconds: 12 },
  }

  test('is recognised when it is whole', () => {
    expect(read(ours)).toEqual({ status: 'healthy', failing: [], version: '1.0.0', library: true })
    expect(read({ ...ours, checks: {} })?.library).toBe(true)
  })

  test.each(Object.keys(ours))('is not recognised without %s', (key) => {
    const { [key as keyof typeof ours]: _, ...rest } = ours
    expect(read(rest)?.library).toBeUndefined()
  })
})

test('any JSON gives null or a report of the known shape, and never throws', () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.jsonValue(), fc.boolean(), (status, value, isGood) => {
      const report = read({ status, checks: value, details: value, ok: value, version: value }, isGood)
      if (report === null) return
      expect(['healthy', 'degraded', 'unhealthy']).toContain(report.status)
      expect(report.failing.length).toBeLessThanOrEqual(20)
    }),
  )
  fc.assert(fc.property(fc.uint8Array(), (bytes) => void readReport(Buffer.from(bytes))))
})
