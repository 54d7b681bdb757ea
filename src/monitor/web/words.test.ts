import { describe, expect, it } from 'vitest'
import { incident, scenario, scenarioNames, serviceRow, type ScenarioName } from '../../../test/browser/scenarios.ts'
import type { IncidentRow, ServiceRow } from '../server/api.ts'
import { sortedIncidents, viewsOf } from './view.ts'
import { namesOf, overallOf } from './words.ts'

const NOW = Date.parse('2026-01-20T10:00:00.000Z')
const calm = { unwell: false, reason: null, since: null }
const overall = (services: readonly ServiceRow[], incidents: readonly IncidentRow[] = []) =>
  overallOf(viewsOf(services, incidents), incidents, calm)
const of = (name: ScenarioName) => {
  const { services, incidents } = scenario(name, NOW)
  return overall(services, incidents)
}

describe('the state of the whole in words', () => {
  it('says of what somebody has stopped that it is in good hands', () => {
    const at = new Date(NOW).toISOString()
    const part = { status: 'unknown', cause: 'operator', reason: 'somebody has stopped it' } as const
    const stopped = serviceRow('db', part, at)
    expect(overall([serviceRow('api', {}, at), stopped])).toMatchObject({
      tone: 'unknown',
      headline: '1 of 2 services healthy, 1 in the hands of an operator',
      detail: 'db: somebody has stopped it.',
    })
    const maintained = serviceRow('web', { ...part, reason: 'maintenance by anna' }, at)
    expect(overall([stopped, maintained]).detail).toBe('db and web: stopped by somebody, or under maintenance.')
  })

  it.each([
    ['healthy', 'good', 'All 5 services healthy', 'Last incident: frame-tracking, recovered in 2.2 s.'],
    ['empty', 'unknown', 'No services yet', expect.stringContaining('watches nothing')],
    ['starting', 'starting', '3 of 5 services healthy', 'frame-buffer and frame-tracking are starting.'],
    [
      'unknown',
      'unknown',
      'All 5 services unknown',
      'camera, rtsp-capture and 3 more: the probing loop was late by 1.9 s.',
    ],
    [
      'root',
      'bad',
      'metadata-storage is ill: the process exited with signal SIGKILL',
      'frame-tracking is affected. Attempt 2, start: failed.',
    ],
    [
      'recovering',
      'bad',
      expect.stringContaining('rtsp-capture is ill: '),
      'frame-buffer is affected. Medyk is at work: restart, attempt 1.',
    ],
    [
      'quarantined',
      'bad',
      expect.stringContaining('metadata-storage is ill: '),
      'frame-tracking is affected. Medyk stands back after 5 attempts: it needs a person.',
    ],
  ] as const)('of "%s"', (name, tone, headline, detail) => {
    expect(of(name)).toMatchObject({ tone, headline, detail })
  })

  it('never calls it healthy while a single service is not', () => {
    for (const status of ['starting', 'degraded', 'unhealthy', 'unknown'] as const) {
      for (const cause of ['self', 'dependency', 'host', 'observer', 'operator', null] as const) {
        const { tone, headline } = overall([serviceRow('a', {}, null), serviceRow('b', { status, cause }, null)])
        expect(tone).not.toBe('good')
        expect(headline).not.toContain('All')
      }
    }
  })

  it('trusts nothing while the observer is unwell, whatever the rows say', () => {
    const { services } = scenario('healthy', NOW)
    const said = overallOf(viewsOf(services, []), [], { unwell: true, reason: 'the clock jumped', since: null })
    expect(said).toMatchObject({
      tone: 'unknown',
      detail: expect.stringContaining('The clock jumped. It takes no action'),
    })
  })

  it('names one service by its name, and several by number', () => {
    expect(overall([serviceRow('solo', {}, null)]).headline).toBe('solo is healthy')
    const sick = { status: 'unhealthy', cause: 'self', reason: 'gone' } as const
    expect(overall([serviceRow('a', sick, null), serviceRow('b', sick, null)]).headline).toBe(
      '2 services are ill: a and b',
    )
    expect(namesOf(['a', 'b', 'c'])).toBe('a, b and c')
    expect(namesOf(['a', 'b', 'c', 'd'])).toBe('a, b and 2 more')
    expect(namesOf([])).toBe('')
  })
})

describe('what a service is in the whole picture', () => {
  it('finds root and affected of every scenario as the incident has them', () => {
    for (const name of scenarioNames) {
      const { services, incidents } = scenario(name, NOW)
      for (const view of viewsOf(services, incidents)) {
        if (view.role === 'impacted') expect(view.roots).toEqual([view.incident?.service])
        else expect(view.roots).toEqual([])
      }
    }
  })

  it('walks the dependencies to the root when no incident says it, cycles included', () => {
    const rows = [
      serviceRow('a', { status: 'degraded', cause: 'dependency', dependsOn: ['b'] }, null),
      serviceRow('b', { status: 'degraded', cause: 'dependency', dependsOn: ['a', 'c', 'not-watched'] }, null),
      serviceRow('c', { status: 'unhealthy', cause: 'self' }, null),
    ]
    expect(viewsOf(rows, []).map((view) => [view.role, view.roots])).toEqual([
      ['impacted', ['c']],
      ['impacted', ['c']],
      ['root', []],
    ])
  })

  it('is quarantined by its own open incident only', () => {
    const rows = [serviceRow('a', { status: 'unhealthy', cause: 'self' }, null)]
    const since = '2026-01-20T10:00:00.000Z'
    const open = incident({ id: 'i', service: 'a', quarantinedSince: since })
    expect(viewsOf(rows, [open])[0]?.quarantined).toBe(true)
    expect(viewsOf(rows, [{ ...open, recoveredAt: since }])[0]?.quarantined).toBe(false)
    expect(viewsOf(rows, [{ ...open, service: 'b' }])[0]?.quarantined).toBe(false)
  })
})

describe('the order of incidents', () => {
  it('has the open ones on top, then the newest', () => {
    const at = (minute: number) => `2026-01-20T10:0${minute}:00.000Z`
    const rows = [
      incident({ id: 'old-open', service: 'a', openedAt: at(1) }),
      incident({ id: 'new-closed', service: 'a', openedAt: at(5), closedAt: at(6) }),
      incident({ id: 'old-closed', service: 'a', openedAt: at(0), closedAt: at(6) }),
      incident({ id: 'new-open', service: 'a', openedAt: at(4), recoveredAt: at(5) }),
    ]
    expect(sortedIncidents(rows).map((row) => row.id)).toEqual(['new-open', 'old-open', 'new-closed', 'old-closed'])
  })
})
