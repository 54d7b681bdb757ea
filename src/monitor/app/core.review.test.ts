import { describe, expect, it } from 'vitest'
import { Bench, spec } from './core.testing.ts'

const shop = (name: string, dependsOn: string[] = []) => ({
  ...spec(name, dependsOn),
  runtime: 'docker',
  domain: 'shop',
})
const project = () => new Bench(shop('db'), shop('api', ['db']), shop('web', ['api']))
const causes = (bench: Bench) => bench.ofType('incident.opened').map(({ incident }) => incident.cause)
const acted = (bench: Bench) => bench.acts().map(({ instance, kind }) => `${kind} ${instance}`)
const failing = { status: 'unhealthy', evidence: 'explicit', symptom: 'failing', reason: 'answers 503' } as const

describe('of several copies of a service', () => {
  const replicated = () => {
    const bench = new Bench(shop('db'), shop('web', ['db']))
    for (const copy of ['web/2', 'web/3']) {
      bench.started(copy)
      bench.healthy(copy)
    }
    bench.clear()
    return bench
  }

  it('two that are killed at once are both started', () => {
    const bench = replicated()
    bench.endedBy('web', 'kill')
    bench.endedBy('web/2', 'kill')
    bench.pass(10_000)
    expect(acted(bench).toSorted()).toEqual(['start web', 'start web/2'])
  })

  it('a dead one is started though another has good news in the same moment', () => {
    const bench = replicated()
    bench.endedBy('web', 'kill')
    bench.healthy('web/2')
    bench.pass(10_000)
    expect(acted(bench)).toEqual(['start web'])
  })

  it('two that hang are both asked for and both restarted', () => {
    const bench = replicated()
    bench.hung('web')
    bench.hung('web/2')
    for (const effect of bench.effects.filter(({ type }) => type === 'confirm')) {
      if (effect.type === 'confirm')
        bench.send({ type: 'confirmed', token: effect.token, sound: effect.services, doubtful: [] })
    }
    bench.pass(10_000)
    expect(acted(bench).toSorted()).toEqual(['restart web', 'restart web/2'])
  })

  it('one that stays ill under a root that is well again is judged on its own, whatever the others say', () => {
    const bench = replicated()
    bench.endedBy('db', 'kill')
    bench.hung('web')
    bench.hung('web/2')
    bench.healthy('web/2')
    bench.done()
    bench.healthy('db')
    bench.pass(12_000)
    bench.confirm()
    expect(acted(bench)).toEqual(['start db', 'restart web'])
  })
})

describe('whoever suffers under an incident that is gone', () => {
  it('is judged on its own when the root was replaced', () => {
    const bench = project()
    bench.hung('db')
    bench.hung('api')
    expect(bench.view('api').cause).toBe('dependency')
    bench.removed('db')
    bench.started('db/2')
    bench.healthy('db/2')
    bench.confirm()
    bench.pass(10_000)
    expect(acted(bench).at(-1)).toBe('restart api')
  })

  it('suffers under the root that has shown late', () => {
    const bench = project()
    bench.hung('api')
    bench.confirm()
    bench.verdict('web', failing)
    bench.pass(1_000)
    bench.hung('db')
    const { id } = bench.ofType('incident.opened').findLast(({ incident }) => incident.service === 'db')!.incident
    expect(bench.view('web')).toMatchObject({ cause: 'dependency', incident: id })
  })
})

describe('what was removed by somebody', () => {
  const withoutDb = (bench: Bench) => {
    bench.removed('db')
    bench.send({ type: 'services.changed', services: [shop('api'), shop('web', ['api'])] })
  }

  it('explains the illness of those that depended on it: none of them is touched', () => {
    const bench = project()
    bench.removed('db')
    bench.verdict('api', failing)
    bench.confirm('db')
    withoutDb(bench)
    bench.pass(600_000)
    expect(bench.acts()).toEqual([])
    expect(causes(bench)).toEqual(['dependency'])
    expect(bench.view('api')).toMatchObject({ status: 'unhealthy', cause: 'dependency' })
    expect(bench.incident(0).reason).toContain('db, which it depends on, was removed')
  })

  it('explains nothing of whoever has been well without it', () => {
    const bench = project()
    withoutDb(bench)
    bench.verdict('api', failing)
    bench.healthy('api')
    bench.pass(60_000)
    bench.hung('api')
    expect(acted(bench)).toEqual(['restart api'])
    const later = project()
    withoutDb(later)
    later.pass(400_000)
    later.hung('api')
    expect(acted(later)).toEqual(['restart api'])
  })

  it('stops a cure that was planned, and lets it go on when it is there again and nothing is better', () => {
    const bench = project()
    bench.hung('api')
    bench.confirm()
    bench.done('failed', 'no')
    withoutDb(bench)
    bench.verdict('api', failing)
    bench.pass(120_000)
    expect(bench.acts()).toHaveLength(1)
    bench.send({ type: 'services.changed', services: [shop('db'), shop('api', ['db']), shop('web', ['api'])] })
    bench.started('db')
    bench.healthy('db')
    bench.pass(9_000)
    expect(bench.acts()).toHaveLength(1)
    bench.pass(2_000)
    bench.confirm()
    bench.pass(1_000)
    expect(bench.acts()).toHaveLength(2)
  })

  it('shows that its project is taken apart, though nothing of it is listed any more', () => {
    const bench = project()
    bench.removed('web')
    bench.send({ type: 'services.changed', services: [shop('db'), shop('api', ['db'])] })
    bench.endedBy('db', 'stop')
    bench.pass(600_000)
    expect(bench.acts()).toEqual([])
  })
})

describe('somebody who stops', () => {
  it('what crashes again and again, while its runtime is about to start it, has meant it', () => {
    const bench = project()
    const crashed = (state: 'restarting' | 'exited', endedBy: 'itself' | 'stop') => {
      const exit = { code: 3, signal: null, oomKilled: false, at: '', endedBy }
      return bench.instance('db', { state, pid: null, startedAt: null, exit })
    }
    bench.send({ type: 'instance.exited', instance: crashed('restarting', 'itself') })
    bench.verdict('db', { ...failing, evidence: 'certain', symptom: 'exited', startedAt: null })
    bench.pass(500)
    bench.send({ type: 'instance.changed', instance: crashed('exited', 'stop') })
    bench.pass(600_000)
    expect(bench.acts()).toEqual([])
    expect(bench.view('db')).toMatchObject({ status: 'unknown', cause: 'operator' })
    expect(bench.view('db').reason).toContain('it was ill already: it is left so')
  })

  it('what hangs has meant it, and is told of as the operator', () => {
    const bench = project()
    bench.hung('db')
    bench.done('failed', 'no')
    bench.stopping('db')
    bench.endedBy('db', 'stop', { code: 137 })
    bench.pass(600_000)
    expect(bench.acts()).toHaveLength(1)
    expect(bench.ofType('incident.updated').at(-1)?.incident.cause).toBe('operator')
    bench.started('db')
    bench.healthy('db')
    bench.pass(60_000)
    expect(bench.ofType('incident.closed')).toHaveLength(1)
  })

  it('a container and renames it has put it aside', () => {
    const bench = project()
    const exit = { code: 0, signal: null, oomKilled: false, at: '', endedBy: 'stop' as const }
    const stopped = (name: string) => bench.instance('db', { state: 'exited', pid: null, startedAt: null, exit, name })
    bench.send({ type: 'instance.exited', instance: stopped('shop-db-1') })
    bench.verdict('db', { ...failing, evidence: 'certain', symptom: 'exited', startedAt: null })
    bench.pass(5_000)
    bench.send({ type: 'instance.changed', instance: stopped('shop-db-old') })
    bench.pass(600_000)
    expect(bench.acts()).toEqual([])
  })

  it('during maintenance is not told of: it is known', () => {
    const bench = project()
    const entry = {
      service: 'db',
      by: 'anna',
      reason: 'new disk',
      since: new Date(bench.wall).toISOString(),
      until: new Date(bench.wall + 60_000).toISOString(),
    }
    bench.send({ type: 'maintenance.changed', maintenance: [entry] })
    bench.endedBy('db', 'stop')
    bench.pass(30_000)
    expect(causes(bench)).toEqual([])
  })
})

describe('an incident ends', () => {
  it('when a job that had failed was run again and ended well', () => {
    const bench = new Bench({ ...shop('migrate'), job: true as const })
    bench.endedBy('migrate', 'itself', { code: 1 })
    bench.started('migrate')
    const exit = { code: 0, signal: null, oomKilled: false, at: '1' }
    const instance = bench.instance('migrate', { state: 'exited', pid: null, startedAt: null, exit })
    bench.send({ type: 'instance.exited', instance })
    bench.verdict('migrate', { status: 'unknown', symptom: 'finished', startedAt: null })
    bench.pass(60_000)
    expect(bench.ofType('incident.closed')).toHaveLength(1)
  })

  it('when what hung answers again, though not what it is asked for', () => {
    const bench = project()
    bench.hung('db')
    bench.done()
    bench.verdict('db', { status: 'degraded', symptom: 'misconfigured', reason: 'answers 404' })
    bench.pass(60_000)
    expect(bench.ofType('incident.closed')).toHaveLength(1)
    expect(bench.state.recovery.patients.size).toBe(0)
  })
})

describe('where nothing on the whole host answers', () => {
  const probe = {
    name: 'live',
    role: 'liveness',
    kind: 'http',
    options: {},
    intervalMs: 1_000,
    timeoutMs: 1_300,
  } as const
  const small = (name: string, domain: string) => ({ ...shop(name), domain, probes: [probe] })
  const host = () => new Bench(small('a', 'one'), small('b', 'two'), small('c', 'three'), small('d', 'four'))

  it('projects of a single service are a mass failure together', () => {
    const bench = host()
    bench.hung('a')
    bench.confirm('b', 'c', 'd')
    expect(bench.acts()).toEqual([])
    expect(bench.ofType('mass.failure')).toMatchObject([{ domain: null, ill: 4, of: 4 }])
    for (const name of ['b', 'c', 'd']) {
      bench.hung(name)
      bench.confirm('a', 'b', 'c', 'd')
    }
    bench.pass(59_000)
    expect(bench.acts()).toEqual([])
    expect(bench.ofType('mass.failure')).toHaveLength(1)
  })

  it('one of them is restarted where the others answer', () => {
    const bench = host()
    bench.hung('a')
    bench.confirm()
    expect(acted(bench)).toEqual(['restart a'])
  })
})

it('what was stopped in its illness is not started behind a dependency that falls ill a moment later', () => {
  const bench = project()
  bench.endedBy('api', 'itself', { code: 1 })
  bench.pass(500)
  bench.done()
  bench.stopping('api')
  bench.endedBy('api', 'stop')
  bench.endedBy('db', 'itself', { code: 1 })
  bench.pass(2_000)
  bench.done()
  bench.healthy('db')
  bench.pass(600_000)
  expect(acted(bench)).toEqual(['start api', 'start db'])
})

describe('what probing says too late', () => {
  const dead = { ...failing, evidence: 'certain', symptom: 'exited', startedAt: null } as const
  const exit = { code: 1, signal: null, oomKilled: false, at: '1' }
  const gone = (bench: Bench, name: string) =>
    bench.send({
      type: 'instance.exited',
      instance: bench.instance(name, { state: 'exited', pid: null, startedAt: null, exit }),
    })

  it('of the end of a run that has been followed by another is no reason to restart that one', () => {
    for (const name of ['db', 'api']) {
      const bench = project()
      gone(bench, name)
      bench.started(name)
      bench.verdict(name, dead)
      bench.pass(1_000)
      bench.healthy(name)
      bench.pass(60_000)
      expect(bench.acts()).toEqual([])
      expect(bench.ofType('incident.opened')).toEqual([])
    }
  })

  it('is not waited for either: a new run ends the doubt about the former one', () => {
    const bench = project()
    gone(bench, 'api')
    bench.verdict('api', dead)
    bench.pass(100)
    bench.send({ type: 'instance.started', instance: bench.instance('api', { startedAt: 'run-2' }) })
    bench.pass(2_000)
    expect(bench.acts()).toEqual([])
  })
})

it('what was out of sight is looked at again before anything is done to it', () => {
  const bench = project()
  bench.hung('db')
  bench.send({ type: 'instance.lost', instance: bench.instance('db', { state: 'unknown' }) })
  bench.done()
  bench.send({ type: 'instance.lost', instance: bench.instance('db', { state: 'unknown' }) })
  bench.verdict('db', { status: 'unknown', symptom: 'runtime' })
  bench.pass(120_000)
  bench.send({ type: 'instance.resumed', instance: bench.instance('db') })
  bench.pass(2_000)
  expect(bench.acts()).toHaveLength(1)
  bench.healthy('db')
  bench.pass(60_000)
  expect(bench.acts()).toHaveLength(1)
  expect(bench.state.recovery.patients.size).toBe(0)
})
