import { describe, expect, it } from 'vitest'
import type { Probe } from './registration.ts'
import { evaluate, isoSeconds, toReport, type CheckFacts, type Endpoint, type Stage } from './report.ts'
import type { Status } from './status.ts'

const up: Stage = { cameUp: true, leaving: false }

function fact(name: string, status: Status | null, probes: Probe[] = ['readiness'], critical = true): CheckFacts {
  return { name, status, probes, critical }
}

describe('evaluate', () => {
  it.each<[string, CheckFacts[], Stage, Record<Endpoint, readonly [Status, number]>]>([
    ['nothing registered', [], up, { health: ['healthy', 200], ready: ['healthy', 200], startup: ['healthy', 200] }],
    [
      'all healthy',
      [fact('db', 'healthy'), fact('loop', 'healthy', ['liveness'])],
      up,
      { health: ['healthy', 200], ready: ['healthy', 200], startup: ['healthy', 200] },
    ],
    [
      'a failed dependency',
      [fact('db', 'unhealthy'), fact('loop', 'healthy', ['liveness'])],
      up,
      { health: ['degraded', 200], ready: ['unhealthy', 503], startup: ['healthy', 200] },
    ],
    [
      'a degraded dependency',
      [fact('db', 'degraded')],
      up,
      { health: ['degraded', 200], ready: ['degraded', 200], startup: ['healthy', 200] },
    ],
    [
      'a failed dependency that is not critical',
      [fact('cache', 'unhealthy', ['readiness'], false)],
      up,
      { health: ['degraded', 200], ready: ['degraded', 200], startup: ['healthy', 200] },
    ],
    [
      'a failed liveness check',
      [fact('loop', 'unhealthy', ['liveness']), fact('db', 'healthy')],
      up,
      { health: ['unhealthy', 503], ready: ['healthy', 200], startup: ['healthy', 200] },
    ],
    [
      'a degraded liveness check',
      [fact('loop', 'degraded', ['liveness'])],
      up,
      { health: ['degraded', 200], ready: ['healthy', 200], startup: ['healthy', 200] },
    ],
    [
      'a failed liveness check that is not critical',
      [fact('loop', 'unhealthy', ['liveness'], false)],
      up,
      { health: ['degraded', 200], ready: ['healthy', 200], startup: ['healthy', 200] },
    ],
    [
      'a failed check of liveness and readiness',
      [fact('disk', 'unhealthy', ['liveness', 'readiness'])],
      up,
      { health: ['unhealthy', 503], ready: ['unhealthy', 503], startup: ['healthy', 200] },
    ],
    [
      'no result yet: alive, not ready, and not shown as healthy',
      [fact('db', null), fact('loop', null, ['liveness'])],
      up,
      { health: ['degraded', 200], ready: ['unhealthy', 503], startup: ['healthy', 200] },
    ],
    [
      'no result yet from what is not critical',
      [fact('cache', null, ['readiness'], false)],
      up,
      { health: ['degraded', 200], ready: ['degraded', 200], startup: ['healthy', 200] },
    ],
    [
      'still starting',
      [fact('db', 'healthy'), fact('model', 'unhealthy', ['startup'])],
      { cameUp: false, leaving: false },
      { health: ['degraded', 200], ready: ['unhealthy', 503], startup: ['unhealthy', 503] },
    ],
    [
      'a start-up check that failed after the start-up',
      [fact('model', 'unhealthy', ['startup'])],
      up,
      { health: ['degraded', 200], ready: ['healthy', 200], startup: ['degraded', 200] },
    ],
    [
      'shutting down',
      [fact('db', 'healthy')],
      { cameUp: true, leaving: true },
      { health: ['healthy', 200], ready: ['unhealthy', 503], startup: ['healthy', 200] },
    ],
  ])('%s', (_, facts, stage, expected) => {
    const endpoints: Endpoint[] = ['health', 'ready', 'startup']
    const answers = endpoints.map((endpoint) => {
      const { status, code } = evaluate(endpoint, facts, stage)
      return [endpoint, [status, code]]
    })
    expect(Object.fromEntries(answers)).toEqual(expected)
  })

  it('lists every check for health, and those of the probe for ready and startup', () => {
    const facts = [
      fact('db', 'healthy'),
      fact('loop', null, ['liveness']),
      fact('both', 'degraded', ['startup', 'readiness']),
    ]
    expect(evaluate('health', facts, up).checks).toEqual([
      ['db', 'healthy'],
      ['loop', 'degraded'],
      ['both', 'degraded'],
    ])
    expect(evaluate('ready', facts, up).checks.map(([name]) => name)).toEqual(['db', 'both'])
    expect(evaluate('startup', facts, up).checks.map(([name]) => name)).toEqual(['both'])
  })
})

describe('toReport', () => {
  it('has the shape of the requirement, key by key and in its order', () => {
    const evaluation = evaluate(
      'health',
      [fact('database', 'healthy'), fact('redis', 'healthy'), fact('disk_space', 'healthy')],
      up,
    )
    const identity = { service: 'rtsp-capture', version: '1.0.0' }
    const at = { wallMs: Date.parse('2024-01-20T10:00:00Z'), uptimeSeconds: 3_600 }
    expect(JSON.stringify(toReport(identity, evaluation, at, null), null, 2)).toBe(`{
  "status": "healthy",
  "timestamp": "2024-01-20T10:00:00Z",
  "service": "rtsp-capture",
  "version": "1.0.0",
  "checks": {
    "database": "healthy",
    "redis": "healthy",
    "disk_space": "healthy"
  },
  "metadata": {
    "uptime_seconds": 3600,
    "last_error": null
  }
}`)
  })
})

describe('isoSeconds', () => {
  it('cuts to the second', () => {
    expect(isoSeconds(Date.parse('2024-01-20T10:00:00.999Z'))).toBe('2024-01-20T10:00:00Z')
  })
})
