import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Bench, spec } from './core.testing.ts'

const shop = (name: string, dependsOn: string[] = []) => ({
  ...spec(name, dependsOn),
  runtime: 'docker',
  domain: 'shop',
})
const project = () => new Bench(shop('db'), shop('api', ['db']), shop('web', ['api']))
const causes = (bench: Bench) => bench.ofType('incident.opened').map(({ incident }) => incident.cause)

describe('somebody who stops a service', () => {
  it('is given 15 s to show what was meant; then it is started, its fault or not', () => {
    const bench = project()
    bench.endedBy('db', 'stop')
    bench.pass(14_900)
    expect(bench.acts()).toEqual([])
    expect(bench.view('db')).toMatchObject({ status: 'unknown', cause: 'operator', symptom: 'stopped' })
    bench.pass(200)
    expect(bench.acts()).toMatchObject([{ service: 'db', kind: 'start' }])
    bench.done()
    bench.healthy('db')
    bench.pass(31_000)
    expect(bench.ofType('incident.closed')).toHaveLength(1)
    expect(bench.ofType('incident.opened')).toHaveLength(1)
  })

  it('is told of once, as the operator, after two seconds', () => {
    const bench = project()
    bench.endedBy('api', 'stop')
    bench.pass(1_900)
    expect(causes(bench)).toEqual([])
    bench.pass(200)
    expect(causes(bench)).toEqual(['operator'])
    bench.pass(10_000)
    expect(causes(bench)).toEqual(['operator'])
  })

  it('is not told of at all when it was a restart or a quick replacement', () => {
    const bench = project()
    bench.stopping('api')
    bench.endedBy('api', 'stop')
    bench.pass(1_000)
    bench.started('api')
    bench.healthy('api')
    bench.pass(60_000)
    expect(bench.events.filter(({ type }) => type.startsWith('incident') || type.startsWith('action'))).toEqual([])
  })

  it('is left in peace when the container is removed', () => {
    const bench = project()
    bench.endedBy('api', 'stop')
    bench.pass(5_000)
    bench.removed('api')
    bench.pass(120_000)
    expect(bench.acts()).toEqual([])
    expect(causes(bench)).toEqual(['operator'])
    expect(bench.ofType('incident.closed')).toHaveLength(1)
  })

  it('is not spoken of any more once its container is removed, though probing may say its last word later', () => {
    const bench = project()
    bench.stopping('api')
    const verdict = {
      status: 'unhealthy',
      evidence: 'certain',
      symptom: 'exited',
      reason: 'exited with code 0',
      startedAt: null,
    } as const
    bench.removed('api')
    bench.verdict('api', verdict)
    bench.pass(60_000)
    expect(bench.events.filter(({ type }) => type.startsWith('incident') || type.startsWith('action'))).toEqual([])
  })

  it('is left in peace when another service of the project is stopped too, in whatever order, with one line', () => {
    for (const order of [
      ['web', 'api', 'db'],
      ['db', 'api', 'web'],
    ]) {
      const bench = project()
      for (const name of order) {
        bench.stopping(name)
        bench.pass(4_000)
        bench.endedBy(name, 'stop')
      }
      bench.pass(600_000)
      expect(bench.acts()).toEqual([])
      expect(causes(bench)).toEqual(['operator'])
      for (const name of order) expect(bench.view(name)).toMatchObject({ status: 'unknown', cause: 'operator' })
    }
  })

  it('may take long over the last one: what is being stopped counts as stopped', () => {
    const bench = project()
    bench.stopping('db')
    bench.endedBy('web', 'stop')
    bench.pass(25_000)
    bench.endedBy('db', 'stop', { code: 137 })
    bench.pass(120_000)
    expect(bench.acts()).toEqual([])
  })

  it('does not bind the services of another project', () => {
    const bench = new Bench(shop('api'), { ...shop('mail'), domain: 'post' })
    bench.endedBy('api', 'stop')
    bench.endedBy('mail', 'stop')
    bench.pass(16_000)
    expect(bench.acts().map(({ service }) => service)).toEqual(['api', 'mail'])
  })

  it('explains the illness of dependants, none of which is touched', () => {
    const bench = project()
    bench.endedBy('db', 'stop')
    bench.verdict('api', { status: 'unhealthy', evidence: 'explicit', symptom: 'failing', reason: 'answers 503' })
    bench.confirm('db')
    bench.pass(3_000)
    expect(bench.view('api').cause).toBe('dependency')
    bench.pass(13_000)
    expect(bench.acts().map(({ service }) => service)).toEqual(['db'])
    expect(bench.ofType('incident.opened')).toHaveLength(1)
  })

  it('is respected in the middle of a treatment', () => {
    const bench = project()
    bench.endedBy('db', 'kill')
    bench.done()
    bench.endedBy('db', 'itself', { code: 1 })
    bench.pass(1_000)
    bench.started('db')
    bench.stopping('db')
    bench.endedBy('db', 'stop')
    bench.endedBy('web', 'stop')
    const before = bench.acts().length
    bench.pass(600_000)
    expect(bench.acts()).toHaveLength(before)
  })

  it('starts it again by hand, which ends the story', () => {
    const bench = project()
    bench.endedBy('api', 'stop')
    bench.pass(10_000)
    bench.started('api')
    bench.healthy('api')
    bench.pass(60_000)
    expect(bench.acts()).toEqual([])
    expect(bench.ofType('incident.closed')).toHaveLength(1)
    expect(bench.view('api')).toMatchObject({ status: 'healthy', cause: null })
  })
})

describe('an end that', () => {
  it.each(['kill', 'itself'] as const)('was by %s is cured at once', (by) => {
    const bench = project()
    bench.endedBy('db', by, { code: 137 })
    expect(bench.acts()).toMatchObject([{ service: 'db', kind: 'start' }])
  })

  it('nobody saw is waited for as if somebody had meant it', () => {
    const bench = project()
    bench.endedBy('db', 'unknown', { code: 137 })
    bench.pass(14_000)
    expect(bench.acts()).toEqual([])
    bench.pass(1_100)
    expect(bench.acts()).toHaveLength(1)
  })

  it('came before Medyk looked is never undone, and no incident', () => {
    const bench = project()
    bench.endedBy('db', 'before')
    bench.pass(3_600_000)
    expect(bench.acts()).toEqual([])
    expect(bench.ofType('incident.opened')).toEqual([])
    expect(bench.view('db')).toMatchObject({ status: 'unknown', cause: 'operator', symptom: 'stopped' })
  })

  it('was for want of memory is told as such, and the third one is not answered by another start', () => {
    const bench = new Bench({ ...shop('api'), recovery: { ...shop('api').recovery, delaysMs: [0] } })
    for (let n = 0; n < 3; n++) {
      bench.endedBy('api', 'itself', { code: 137, oomKilled: true })
      bench.pass(3_000)
      if (n < 2) bench.done()
    }
    expect(bench.acts()).toHaveLength(2)
    expect(bench.incident(0).symptom).toBe('oom')
    expect(bench.ofType('service.quarantined')).toMatchObject([{ reason: expect.stringContaining('out of memory 3') }])
  })
})

describe('maintenance', () => {
  const entry = (bench: Bench, service: string, ms: number) => ({
    service,
    by: 'anna',
    reason: 'new disk',
    since: new Date(bench.wall).toISOString(),
    until: new Date(bench.wall + ms).toISOString(),
  })

  it('holds back incidents and actions of its service, and only of that', () => {
    const bench = project()
    bench.send({ type: 'maintenance.changed', maintenance: [entry(bench, 'db', 60_000)] })
    bench.endedBy('db', 'kill')
    bench.pass(30_000)
    expect(bench.acts()).toEqual([])
    expect(causes(bench)).toEqual([])
    expect(bench.view('db')).toMatchObject({ status: 'unknown', cause: 'operator' })
    expect(bench.view('db').reason).toContain('maintenance by anna until')
    bench.endedBy('web', 'kill')
    bench.pass(1_000)
    expect(bench.acts().map(({ service }) => service)).toEqual(['web'])
  })

  it('is over when it is over: what is ill then is cured', () => {
    const bench = project()
    bench.send({ type: 'maintenance.changed', maintenance: [entry(bench, 'db', 60_000)] })
    bench.endedBy('db', 'kill')
    bench.pass(60_000)
    bench.send({ type: 'maintenance.changed', maintenance: [] })
    expect(bench.acts()).toMatchObject([{ service: 'db', kind: 'start' }])
  })

  it('begun in the middle of a treatment stops it', () => {
    const bench = new Bench({ ...shop('db'), recovery: { ...shop('db').recovery, delaysMs: [0, 5_000] } })
    bench.endedBy('db', 'kill')
    bench.done('failed', 'no')
    bench.send({ type: 'maintenance.changed', maintenance: [entry(bench, 'db', 60_000)] })
    bench.pass(30_000)
    expect(bench.acts()).toHaveLength(1)
    expect(bench.ofType('action.withheld').at(-1)?.reason).toContain('maintenance by anna')
  })
})

describe('what is never started or restarted', () => {
  it.each([
    [{ recovery: { ...spec('x').recovery, dryRun: true } }, 'dry run: it would be started now, as attempt 1'],
    [{ job: true as const }, 'it runs once and ends: Medyk never starts it'],
    [
      { recovery: { ...spec('x').recovery, enabled: false, because: 'label io.medyk.recovery: off' } },
      'label io.medyk.recovery: off',
    ],
  ])('%#', (more, reason) => {
    const bench = new Bench({ ...shop('x'), ...more })
    bench.endedBy('x', 'kill', { code: 137 })
    bench.pass(3_600_000)
    expect(bench.acts()).toEqual([])
    expect(bench.ofType('action.withheld').map((event) => event.reason)).toEqual([reason])
  })

  it.each([
    ['that ended by itself soon, with a failure, may be a job that failed', 'itself', 3, 0],
    ['that had run for long was a server', 'itself', 30, 1],
    ['that was killed is wanted', 'kill', 3, 1],
  ] as const)('what nothing calls a server and %s', (_, by, minutes, acts) => {
    const bench = new Bench({ ...shop('x'), mayFinish: true })
    const startedAt = '2026-01-01T00:00:00.000Z'
    bench.send({ type: 'instance.started', instance: bench.instance('x', { startedAt }) })
    bench.endedBy('x', by, { code: 1, at: `2026-01-01T00:${String(minutes).padStart(2, '0')}:00.000Z` })
    bench.pass(60_000)
    expect(bench.acts()).toHaveLength(acts)
  })

  it('a hung database is left to people, a dead one is started', () => {
    const policy = { ...spec('db').recovery, restartHung: false, because: 'a database' }
    const bench = new Bench({ ...shop('db'), recovery: policy })
    bench.hung('db')
    bench.pass(3_600_000)
    expect(bench.acts()).toEqual([])
    expect(bench.ofType('action.withheld').map((event) => event.reason)).toEqual([
      'it runs, and is not restarted for a hang (a database)',
    ])
    bench.endedBy('db', 'itself', { code: 1 })
    expect(bench.acts()).toMatchObject([{ kind: 'start' }])
  })
})

describe('a runtime that does not answer', () => {
  it('has nothing done to its instances, and no incident opened', () => {
    const bench = project()
    for (const name of ['db', 'api', 'web']) {
      bench.send({ type: 'instance.lost', instance: bench.instance(name, { state: 'unknown' }) })
      bench.verdict(name, { status: 'unknown', symptom: 'runtime' })
    }
    bench.pass(600_000)
    expect(bench.acts()).toEqual([])
    expect(causes(bench)).toEqual([])
    expect(bench.view('db').cause).toBe('observer')
  })

  it('is waited for in the middle of a treatment', () => {
    const bench = project()
    bench.hung('db')
    bench.done('failed', 'Docker does not answer')
    bench.send({ type: 'instance.lost', instance: bench.instance('db', { state: 'unknown' }) })
    bench.pass(60_000)
    expect(bench.acts()).toHaveLength(1)
    expect(bench.ofType('action.withheld').at(-1)?.reason).toBe('its runtime does not answer')
  })
})

const probe = {
  name: 'live',
  role: 'liveness',
  kind: 'http',
  options: {},
  intervalMs: 1_000,
  timeoutMs: 1_300,
} as const
const probed = (name: string) => ({ ...shop(name), probes: [probe] })

describe('many that fall silent at once', () => {
  const fleet = () => new Bench(...['a', 'b', 'c', 'd', 'e'].map(probed))

  it('are not restarted for a minute, told once, then one every ten seconds', () => {
    const bench = fleet()
    for (const name of ['a', 'b', 'c']) {
      bench.hung(name)
      bench.confirm('a', 'b', 'c', 'd', 'e')
    }
    expect(bench.acts()).toEqual([])
    expect(bench.ofType('mass.failure')).toMatchObject([{ domain: 'shop', ill: 5, of: 5 }])
    bench.pass(59_000)
    expect(bench.acts()).toEqual([])
    bench.pass(2_000)
    expect(bench.acts()).toHaveLength(1)
    bench.pass(9_000)
    expect(bench.acts()).toHaveLength(2)
    expect(bench.ofType('mass.failure')).toHaveLength(1)
    expect(causes(bench)).toEqual(['host', 'host', 'host'])
  })

  it('are another matter when they hang on one that is ill: then it is that one', () => {
    const bench = new Bench(
      probed('db'),
      ...['a', 'b', 'c'].map((name) => ({ ...probed(name), ...shop(name, ['db']) })),
    )
    for (const name of ['a', 'b', 'c', 'db']) bench.hung(name)
    bench.confirm()
    expect(bench.acts()).toMatchObject([{ service: 'db', kind: 'restart' }])
    expect(bench.ofType('mass.failure')).toEqual([])
  })

  it('become symptoms of the one that they hang on, however late that is found ill, and none is restarted', () => {
    const bench = new Bench(
      probed('db'),
      ...['a', 'b', 'c'].map((name) => ({ ...probed(name), ...shop(name, ['db']), probes: [probe] })),
    )
    for (const name of ['a', 'b', 'c']) {
      bench.hung(name)
      bench.confirm('a', 'b', 'c')
    }
    expect(causes(bench)).toEqual(['host', 'host', 'host'])
    bench.pass(30_000)
    bench.hung('db')
    bench.pass(60_000)
    expect(bench.acts().map(({ service }) => service)).toEqual(['db'])
    for (const name of ['a', 'b', 'c']) expect(bench.view(name).cause, name).toBe('dependency')
    expect(bench.ofType('incident.closed')).toHaveLength(3)
  })

  it('while all that they hang on can be asked is a connection are its dependants, and none is restarted', () => {
    const tcp = { ...probe, kind: 'tcp' }
    const bench = new Bench(
      { ...shop('db'), probes: [tcp] },
      ...['a', 'b', 'c'].map((name) => ({ ...shop(name, ['db']), probes: [probe] })),
    )
    for (const name of ['a', 'b', 'c']) bench.hung(name)
    const answer = () => {
      for (const { token, services } of bench.effects.filter((effect) => effect.type === 'confirm').slice(-3))
        bench.send({ type: 'confirmed', token, sound: services, doubtful: [] })
    }
    for (let n = 0; n < 30; n++) {
      answer()
      bench.pass(5_100)
    }
    answer()
    expect(bench.acts()).toEqual([])
    expect(bench.ofType('mass.failure')).toEqual([])
    for (const name of ['a', 'b', 'c']) expect(bench.view(name).cause, name).toBe('dependency')
  })

  it('and are well again soon after have lost nothing', () => {
    const bench = fleet()
    bench.hung('a')
    bench.confirm('b', 'c', 'd')
    bench.pass(10_000)
    bench.healthy('a')
    bench.pass(120_000)
    expect(bench.acts()).toEqual([])
  })

  it('are another matter when the others answer: then it is the one that is ill', () => {
    const bench = fleet()
    bench.hung('a')
    bench.confirm('b')
    expect(bench.acts()).toMatchObject([{ service: 'a', kind: 'restart' }])
    expect(causes(bench)).toEqual(['self'])
  })

  it('and are dead for certain are started all the same', () => {
    const bench = fleet()
    for (const name of ['a', 'b', 'c', 'd', 'e']) bench.endedBy(name, 'kill')
    for (let n = 0; n < 5; n++) {
      const action = bench.act(n)
      bench.started(action.service)
      bench.send({ type: 'action.finished', action, outcome: { result: 'done', detail: '', startedAt: 'x' } })
      bench.healthy(action.service)
      bench.pass(1_000)
    }
    expect(bench.acts()).toHaveLength(5)
    expect(bench.ofType('mass.failure')).toEqual([])
  })
})

describe('what shares the network of another', () => {
  const bench = () => {
    const both = new Bench(shop('vpn'), shop('torrent', ['vpn']))
    const child = both.instance('torrent', { networkOf: 'vpn', startedAt: '2026-01-01T00:00:00.000Z' })
    both.send({ type: 'instance.changed', instance: child })
    both.send({ type: 'instance.started', instance: both.instance('vpn', { startedAt: '2026-01-01T00:00:00.000Z' }) })
    return both
  }

  it('is restarted after it, since its network is gone', () => {
    const both = bench()
    both.endedBy('vpn', 'kill')
    const later = both.instance('vpn', { startedAt: '2026-01-01T00:01:00.000Z' })
    const outcome = { result: 'done', detail: '', startedAt: later.startedAt } as const
    both.send({ type: 'instance.started', instance: later })
    both.send({ type: 'action.finished', action: both.act(0), outcome })
    both.verdict('vpn', { status: 'healthy', startedAt: later.startedAt })
    expect(both.acts()).toMatchObject([
      { service: 'vpn', kind: 'start' },
      { service: 'torrent', kind: 'restart', reason: expect.stringContaining('shares the network of vpn') },
    ])
  })

  it('has no story of its own for what it shows until then, and one for what it shows long after', () => {
    const both = bench()
    const stories = () => both.ofType('incident.opened').map(({ incident }) => incident.service)
    both.endedBy('vpn', 'kill')
    const later = both.instance('vpn', { startedAt: '2026-01-01T00:01:00.000Z' })
    const outcome = { result: 'done', detail: '', startedAt: later.startedAt } as const
    both.send({ type: 'instance.started', instance: later })
    both.send({ type: 'action.finished', action: both.act(0), outcome })
    both.verdict('vpn', { status: 'healthy', startedAt: later.startedAt })
    both.verdict('torrent', {
      status: 'unhealthy',
      evidence: 'explicit',
      symptom: 'failing',
      startedAt: '2026-01-01T00:00:00.000Z',
    })
    expect(both.effects.filter(({ type }) => type === 'confirm')).toEqual([])
    both.endedBy('torrent', 'medyk')
    both.pass(2_000)
    expect(stories()).toEqual(['vpn'])
    expect(both.view('torrent').cause).toBe('dependency')
    both.pass(70_000)
    expect(stories()).toEqual(['vpn', 'torrent'])
  })

  it('is left alone while nothing is started anew', () => {
    const both = bench()
    both.verdict('vpn', { status: 'healthy', startedAt: '2026-01-01T00:00:00.000Z' })
    both.pass(60_000)
    expect(both.acts()).toEqual([])
  })
})

it('whatever an operator stops, removes or starts, in any order, nothing that rests with others is ever started', () => {
  const names = ['db', 'api', 'web'] as const
  const step = fc.oneof(
    fc.record({ kind: fc.constant('stop' as const), name: fc.constantFrom(...names) }),
    fc.record({ kind: fc.constant('begin' as const), name: fc.constantFrom(...names) }),
    fc.record({ kind: fc.constant('pass' as const), ms: fc.integer({ min: 1, max: 4_000 }) }),
  )
  fc.assert(
    fc.property(fc.array(step, { maxLength: 12 }), (steps) => {
      const bench = project()
      for (const one of steps) {
        if (one.kind === 'pass') bench.pass(one.ms)
        else if (one.kind === 'begin') bench.stopping(one.name)
        else bench.endedBy(one.name, 'stop')
      }
      const before = bench.acts().length
      // The whole project is stopped within the time that shows intent.
      for (const name of names) bench.endedBy(name, 'stop')
      bench.pass(1_200_000)
      const cured = new Set(bench.acts().map(({ service }) => service))
      // Whoever had been started before, by its own time, may be started again; nobody else.
      if (before === 0) expect([...cured]).toEqual([])
    }),
    { numRuns: 200 },
  )
})

describe('a monitor that starts again', () => {
  const restored = (bench: Bench, part: Partial<Extract<Parameters<Bench['send']>[0], { type: 'restored' }>>) =>
    bench.send({ type: 'restored', incidents: [], attempts: [], quarantined: [], ...part })

  it('has no fresh burst for what it did a moment before', () => {
    const bench = new Bench(...['a', 'b', 'c'].map((name) => ({ ...spec(name), domain: name })))
    restored(bench, { attempts: [0, 1, 2].map(() => ({ service: 'x', wall: bench.wall - 500 })) })
    bench.hung('a')
    expect(bench.acts()).toEqual([])
    bench.pass(2_000)
    expect(bench.acts()).toHaveLength(1)
  })

  it('closes what was open of services that nobody watches any more', () => {
    const bench = project()
    bench.endedBy('db', 'kill')
    const next = project()
    const gone = bench
      .ofType('incident.opened')
      .map(({ incident }) => ({ ...incident, service: 'gone', instance: 'gone' }))
    restored(next, { incidents: gone })
    expect(next.ofType('incident.closed')).toMatchObject([{ incident: { service: 'gone' } }])
  })

  it('ends what was open of a container that has been replaced meanwhile, once the service is well', () => {
    const bench = project()
    bench.endedBy('db', 'kill')
    const next = project()
    restored(next, {
      incidents: bench.ofType('incident.opened').map(({ incident }) => ({ ...incident, instance: 'old' })),
    })
    next.healthy('db')
    next.pass(31_000)
    expect(next.ofType('incident.closed')).toHaveLength(1)
  })

  it('waits for a boot that it has never seen, before it tries again', () => {
    const bench = new Bench({ ...shop('model'), unseenBootMs: 300_000 })
    bench.endedBy('model', 'kill')
    bench.done()
    bench.pass(290_000)
    expect(bench.acts()).toHaveLength(1)
    bench.pass(20_000)
    expect(bench.acts()).toHaveLength(2)
  })

  it('knows how long a boot takes, and gives an action as long to prove itself', () => {
    const bench = new Bench({ ...shop('slow'), startupGraceMs: 5_000 })
    restored(bench, { boots: [{ service: 'slow', bootMs: 90_000 }] })
    bench.endedBy('slow', 'kill')
    bench.done()
    bench.pass(170_000)
    expect(bench.acts()).toHaveLength(1)
    bench.pass(20_000)
    expect(bench.acts()).toHaveLength(2)
  })
})
