import { describe, expect, it } from 'vitest'
import type { Incident } from '../model/index.ts'
import { Bench, spec } from './core.testing.ts'

const pipeline = () =>
  new Bench(
    spec('camera'),
    spec('buffer'),
    spec('capture', ['camera', 'buffer']),
    spec('storage'),
    spec('tracking', ['buffer', 'storage']),
  )

describe('a service that dies by itself', () => {
  it('is started at once when its process is gone, and the incident is its own', () => {
    const bench = pipeline()
    bench.exited('camera')
    expect(bench.acts()).toMatchObject([
      { service: 'camera', kind: 'start', attempt: 1, precondition: { startedAt: null } },
    ])
    expect(bench.ofType('incident.opened')[0]?.incident).toMatchObject({
      service: 'camera',
      cause: 'self',
      symptom: 'exited',
    })
    expect(bench.view('camera')).toMatchObject({ status: 'unhealthy', cause: 'self' })
  })

  it('is verified by a healthy verdict of a new run, and the incident closes after it was stable', () => {
    const bench = pipeline()
    bench.exited('tracking')
    bench.pass(120)
    bench.done()
    bench.healthy('tracking')
    expect(bench.ofType('incident.recovered')).toHaveLength(1)
    bench.pass(29_000)
    expect(bench.ofType('incident.closed')).toHaveLength(0)
    bench.pass(2_000)
    expect(bench.ofType('incident.closed')[0]?.incident).toMatchObject({ service: 'tracking', cause: 'self' })
    expect(bench.acts()).toHaveLength(1)
  })

  it('keeps one incident when it falls ill again before the first was closed', () => {
    const bench = pipeline()
    bench.exited('tracking')
    bench.pass(120)
    bench.done()
    bench.healthy('tracking')
    bench.pass(10_000)
    bench.exited('tracking')
    bench.pass(2_200)
    expect(bench.acts()).toHaveLength(2)
    expect(bench.ofType('incident.opened')).toHaveLength(1)
    expect(bench.ofType('incident.updated').at(-1)?.incident.recoveredAt).toBeNull()
  })

  it('is restarted within its grace when it hangs, and killed at once when it is a stopped process', () => {
    const bench = pipeline()
    bench.hung('camera')
    expect(bench.acts()).toMatchObject([{ kind: 'restart', graceMs: 1_000, precondition: { startedAt: 'run-1' } }])
    const stopped = pipeline()
    stopped.send({ type: 'instance.suspended', instance: stopped.instance('camera', { state: 'suspended' }) })
    stopped.hung('camera')
    expect(stopped.acts()).toMatchObject([{ kind: 'restart', graceMs: 0 }])
  })

  it('is killed the second time, when an orderly restart did not help', () => {
    const bench = new Bench(spec('camera', [], { delaysMs: [0] }))
    bench.hung('camera')
    bench.done()
    bench.hung('camera')
    bench.pass(3_000)
    expect(bench.acts().map(({ kind, graceMs }) => [kind, graceMs])).toEqual([
      ['restart', 1_000],
      ['restart', 0],
    ])
  })

  it('is never restarted for being degraded', () => {
    const bench = pipeline()
    bench.verdict('camera', { status: 'degraded', evidence: 'slow', symptom: 'slow', reason: 'answers take 800 ms' })
    bench.pass(120_000)
    expect(bench.acts()).toHaveLength(0)
    expect(bench.ofType('incident.opened')[0]?.incident).toMatchObject({ severity: 'degraded', cause: 'self' })
  })

  it('causes no action while its probe has never succeeded', () => {
    const bench = pipeline()
    bench.verdict('camera', {
      status: 'unhealthy',
      symptom: 'never-ready',
      reason: 'no success in 60s',
      evidence: null,
    })
    bench.pass(600_000)
    expect(bench.acts()).toHaveLength(0)
    expect(bench.ofType('action.withheld')).toMatchObject([
      { service: 'camera', reason: 'its probe has never succeeded' },
    ])
  })

  it('is not treated for a probe that asks for something that is not there', () => {
    const bench = pipeline()
    bench.verdict('camera', { status: 'degraded', symptom: 'misconfigured', reason: '404', evidence: null })
    bench.pass(60_000)
    expect(bench.acts()).toHaveLength(0)
    expect(bench.view('camera').cause).toBe('operator')
  })
})

describe('a dependency that is ill', () => {
  it('takes the blame for dependants that say so, and none of them is touched', () => {
    const bench = pipeline()
    bench.exited('storage')
    bench.notReady('tracking', 'storage')
    bench.pass(5_000)
    expect(bench.acts().map((action) => action.service)).toEqual(['storage'])
    expect(bench.ofType('incident.opened')).toHaveLength(1)
    expect(bench.view('tracking')).toMatchObject({ status: 'degraded', cause: 'dependency' })
    expect(bench.ofType('incident.updated').at(-1)?.incident.impacted).toMatchObject([{ service: 'tracking' }])
  })

  it('takes the blame although the dependant noticed first', () => {
    const bench = pipeline()
    bench.notReady('tracking', 'storage')
    expect(bench.view('tracking').cause).toBe('dependency')
    expect(bench.ofType('incident.opened')).toHaveLength(0)
    bench.pass(2_000)
    bench.hung('storage')
    expect(bench.ofType('incident.opened').map((event) => event.incident.service)).toEqual(['storage'])
    bench.pass(20_000)
    expect(bench.ofType('incident.opened')).toHaveLength(1)
  })

  it('is asked before silence is blamed on the dependant', () => {
    const bench = pipeline()
    bench.hung('capture')
    expect(bench.acts()).toHaveLength(0)
    expect(bench.effects).toMatchObject([{ type: 'confirm', services: ['camera', 'buffer'], withinMs: 1_500 }])
    bench.confirm()
    expect(bench.acts()).toMatchObject([{ service: 'capture', kind: 'restart' }])
  })

  it('keeps its dependant from being restarted for as long as it does not answer', () => {
    const bench = pipeline()
    bench.hung('capture')
    bench.confirm('buffer')
    bench.pass(1_000)
    expect(bench.acts()).toHaveLength(0)
    bench.hung('buffer')
    expect(bench.acts().map((action) => action.service)).toEqual(['buffer'])
    bench.pass(5_000)
    expect(bench.acts()).toHaveLength(1)
    expect(bench.view('capture').cause).toBe('dependency')
  })

  it('is doubted while its process is stopped, though the kernel still accepts for it', () => {
    const bench = pipeline()
    bench.send({ type: 'instance.suspended', instance: bench.instance('buffer', { state: 'suspended' }) })
    bench.hung('capture')
    for (let n = 0; n < 3; n++) {
      bench.confirm()
      bench.pass(5_100)
    }
    expect(bench.acts()).toEqual([])
    bench.hung('buffer')
    bench.pass(5_100)
    expect(bench.acts().map((action) => action.service)).toEqual(['buffer'])
    expect(bench.view('capture').cause).toBe('dependency')
  })

  it('is asked again, not assumed, when its own verdict never comes', () => {
    const bench = pipeline()
    bench.hung('capture')
    bench.confirm('buffer')
    bench.pass(5_100)
    expect(bench.effects.filter((effect) => effect.type === 'confirm')).toHaveLength(2)
    bench.confirm()
    expect(bench.acts().map((action) => action.service)).toEqual(['capture'])
  })

  it('adopts the incident of a dependant that was blamed just before', () => {
    const bench = pipeline()
    bench.hung('capture')
    bench.confirm()
    bench.pass(2_000)
    bench.hung('buffer')
    const closed = bench.ofType('incident.closed')[0]?.incident
    expect(closed?.service).toBe('capture')
    expect(bench.ofType('incident.opened').at(-1)?.incident.impacted).toMatchObject([{ service: 'capture' }])
  })

  it('has its dead dependants started after it, in order', () => {
    const bench = pipeline()
    bench.exited('storage')
    bench.exited('tracking')
    expect(bench.acts().map((action) => action.service)).toEqual(['storage'])
    bench.done()
    bench.pass(3_000)
    expect(bench.acts()).toHaveLength(1)
    bench.healthy('storage')
    expect(bench.acts().map((action) => action.service)).toEqual(['storage', 'tracking'])
    expect(bench.ofType('incident.opened')).toHaveLength(1)
  })

  it('does not hold up a dead dependant for more than a minute', () => {
    const bench = new Bench(spec('storage', [], { attempts: 1 }), spec('tracking', ['storage']))
    bench.exited('storage')
    bench.done('failed', 'no')
    bench.exited('tracking')
    bench.pass(59_000)
    expect(bench.acts().map((action) => action.service)).toEqual(['storage'])
    bench.pass(2_000)
    expect(bench.acts().map((action) => action.service)).toEqual(['storage', 'tracking'])
  })

  it.each([
    ['unhealthy', 10_000, ['storage', 'tracking']],
    ['degraded', 60_000, ['storage']],
  ] as const)('leaves %s dependants %i ms to settle, then they are judged on their own', (status, ms, treated) => {
    const bench = pipeline()
    const symptom = status === 'unhealthy' ? 'failing' : 'not-ready'
    bench.exited('storage')
    bench.verdict('tracking', { status, evidence: 'explicit', symptom, reason: 'answers 500' })
    bench.done()
    bench.healthy('storage')
    bench.pass(ms - 1)
    expect(bench.view('tracking').cause).toBe('dependency')
    expect(bench.effects.filter((effect) => effect.type === 'confirm')).toHaveLength(0)
    bench.pass(1)
    if (status === 'unhealthy') bench.confirm()
    expect(bench.view('tracking').cause).toBe('self')
    expect(bench.acts().map((action) => action.service)).toEqual(treated)
  })

  it('explains again what is ill still when it is, and is asked before that', () => {
    const bench = pipeline()
    bench.exited('storage')
    bench.hung('tracking')
    bench.done()
    bench.healthy('storage')
    bench.pass(10_000)
    bench.exited('storage')
    bench.confirm()
    bench.pass(50)
    expect(bench.acts().map((action) => action.service)).not.toContain('tracking')
    expect(bench.view('tracking')).toMatchObject({ cause: 'dependency', incident: bench.incident(0).id })
  })

  it('that is outside and not watched opens an incident of cause dependency and nothing is done', () => {
    const bench = new Bench(spec('tracking', ['cloud']))
    bench.notReady('tracking', 'cloud')
    bench.pass(60_000)
    expect(bench.acts()).toHaveLength(0)
    expect(bench.ofType('incident.opened')[0]?.incident).toMatchObject({ cause: 'dependency', severity: 'degraded' })
  })
})

describe('services that die together', () => {
  const chain = () => new Bench(spec('a'), spec('b', ['a']), spec('c', ['b']), spec('d', ['c', 'a']))
  const permutations = (names: readonly string[]): string[][] =>
    names.length === 0
      ? [[]]
      : names.flatMap((name) => permutations(names.filter((other) => other !== name)).map((rest) => [name, ...rest]))

  it.each(permutations(['a', 'b', 'c', 'd']).flatMap((order) => [5, 0, 35].map((apart) => ({ order, apart }))))(
    'are one incident and start in order, seen dead as $order, $apart ms apart',
    ({ order, apart }) => {
      const bench = chain()
      for (const name of order) {
        bench.exited(name)
        bench.pass(apart)
      }
      const begun: string[] = []
      for (let round = 0; round < 20; round++) {
        for (const { service } of bench.acts().slice(begun.length)) {
          begun.push(service)
          bench.done()
          bench.pass(1_000)
          bench.healthy(service)
        }
        bench.pass(500)
      }
      expect(begun).toEqual(['a', 'b', 'c', 'd'])
      expect(bench.ofType('incident.opened').map(({ incident }) => incident.service)).toEqual(['a'])
    },
  )

  it('are told from one that dies alone within 120 ms, and not waited for by one that depends on nobody', () => {
    const bench = chain()
    bench.exited('b')
    bench.pass(119)
    expect(bench.acts()).toHaveLength(0)
    bench.pass(1)
    expect(bench.acts()).toMatchObject([{ service: 'b', kind: 'start' }])
    bench.exited('a')
    expect(bench.acts().map((action) => action.service)).toEqual(['b', 'a'])
  })

  it('without the root come after the topmost of them, though it was seen last', () => {
    const bench = chain()
    for (const name of ['d', 'c', 'b']) {
      bench.exited(name)
      bench.pass(50)
    }
    bench.pass(120)
    expect(bench.acts().map((action) => action.service)).toEqual(['b'])
    expect(bench.ofType('incident.opened')).toHaveLength(1)
  })

  it('that die again while their start is verified are started again', () => {
    const bench = chain()
    bench.exited('a')
    bench.exited('b')
    bench.done()
    bench.healthy('a')
    bench.done()
    bench.exited('b')
    bench.pass(2_200)
    expect(bench.acts().map((action) => action.service)).toEqual(['a', 'b', 'b'])
  })
})

describe('a stopped process', () => {
  it('is ill itself, whatever its dependency: killed and started at once', () => {
    const bench = pipeline()
    bench.exited('storage')
    bench.suspended('tracking')
    expect(bench.acts()).toMatchObject([
      { service: 'storage', kind: 'start' },
      { service: 'tracking', kind: 'restart', graceMs: 0 },
    ])
    expect(bench.effects.filter((effect) => effect.type === 'confirm')).toHaveLength(0)
  })

  it('is so although its silence was explained by a dependency before it was seen', () => {
    const bench = pipeline()
    bench.exited('storage')
    bench.hung('tracking')
    expect(bench.view('tracking').cause).toBe('dependency')
    bench.send({ type: 'instance.suspended', instance: bench.instance('tracking', { state: 'suspended' }) })
    expect(bench.view('tracking').cause).toBe('self')
    expect(bench.acts()).toMatchObject([{ service: 'storage' }, { service: 'tracking', graceMs: 0 }])
  })

  it('keeps its incident when a dependency falls ill just after', () => {
    const bench = pipeline()
    bench.suspended('tracking')
    bench.pass(1_000)
    bench.exited('storage')
    expect(bench.ofType('incident.closed')).toHaveLength(0)
  })
})

describe('a hang that shows first by its readiness', () => {
  it.each([
    ['camera', []],
    ['capture', ['confirm']],
  ] as const)('is one incident from the start: %s', (name, asked) => {
    const bench = pipeline()
    bench.silent(name)
    bench.pass(300)
    bench.hung(name)
    if (asked.length > 0) bench.confirm()
    expect(bench.ofType('incident.opened')).toHaveLength(1)
    expect(bench.incident(0)).toMatchObject({ severity: 'unhealthy', symptom: 'hung', cause: 'self' })
    expect(bench.ofType('incident.updated')).toHaveLength(0)
    expect(bench.acts()).toMatchObject([{ service: name, kind: 'restart' }])
  })

  it('opens a degraded one when liveness goes on to answer', () => {
    const bench = pipeline()
    bench.silent('capture')
    bench.pass(1_499)
    expect(bench.ofType('incident.opened')).toHaveLength(0)
    bench.pass(1)
    expect(bench.incident(0)).toMatchObject({ service: 'capture', severity: 'degraded', cause: 'self' })
    bench.pass(60_000)
    expect(bench.acts()).toHaveLength(0)
  })

  it('opens none when it is over at once', () => {
    const bench = pipeline()
    bench.silent('capture')
    bench.pass(1_000)
    bench.healthy('capture')
    bench.pass(10_000)
    expect(bench.ofType('incident.opened')).toHaveLength(0)
  })
})

describe('the budget', () => {
  const crashLoop = (bench: Bench, rounds: number) => {
    bench.exited('storage')
    for (let round = 0; round < rounds; round++) {
      bench.pass(30_000)
      const before = bench.acts().length
      if (before === 0) break
      bench.done()
      bench.exited('storage')
    }
  }

  it('spends five attempts with growing delays, quarantines once and says so once', () => {
    const bench = pipeline()
    const times: number[] = []
    bench.exited('storage')
    for (let n = 0; n < 5; n++) {
      times.push(bench.mono)
      bench.done()
      bench.exited('storage')
      bench.pass([2_000, 4_000, 8_000, 16_000, 0][n] ?? 0)
    }
    expect(bench.acts().map((action) => action.attempt)).toEqual([1, 2, 3, 4, 5])
    expect(times.slice(1).map((at, i) => at - (times[i] ?? 0))).toEqual([2_000, 4_000, 8_000, 16_000])
    bench.pass(590_000)
    expect(bench.ofType('service.quarantined')).toHaveLength(1)
    expect(bench.acts()).toHaveLength(5)
    expect(bench.ofType('incident.opened')).toHaveLength(1)
  })

  it('tries once every ten minutes while quarantined, without saying so again, and releases what gets well', () => {
    const bench = pipeline()
    crashLoop(bench, 5)
    expect(bench.ofType('service.quarantined')).toHaveLength(1)
    bench.pass(600_000)
    expect(bench.acts()).toHaveLength(6)
    bench.done()
    bench.exited('storage')
    bench.pass(601_000)
    expect(bench.acts()).toHaveLength(7)
    bench.done()
    bench.healthy('storage')
    expect(bench.ofType('service.quarantined')).toHaveLength(1)
    expect(bench.ofType('service.released')).toHaveLength(1)
  })

  it('quarantines at once what can never start', () => {
    const bench = pipeline()
    const failure = { reason: 'no such command: /nowhere', permanent: true }
    bench.send({
      type: 'instance.failed',
      instance: bench.instance('camera', { state: 'failed', startedAt: null, pid: null, failure }),
    })
    bench.verdict('camera', {
      status: 'unhealthy',
      evidence: 'certain',
      symptom: 'failed-to-start',
      reason: failure.reason,
      startedAt: null,
    })
    expect(bench.acts()).toHaveLength(0)
    expect(bench.ofType('service.quarantined')).toMatchObject([{ service: 'camera', reason: failure.reason }])
  })

  it('survives the monitor: restored attempts and quarantines still count', () => {
    const first = pipeline()
    const bench = new Bench(spec('storage'))
    bench.send({
      type: 'restored',
      incidents: [],
      attempts: [1, 2, 3, 4].map((n) => ({ service: 'storage', wall: bench.wall - n * 1_000 })),
      quarantined: [],
    })
    bench.exited('storage')
    expect(bench.acts()).toHaveLength(0)
    bench.pass(16_000)
    expect(bench.acts()).toMatchObject([{ attempt: 5 }])
    bench.done()
    bench.exited('storage')
    expect(bench.ofType('service.quarantined')).toHaveLength(1)
    expect(first.events).toEqual([])
  })

  it('does not count an action that found another run in place', () => {
    const bench = pipeline()
    bench.hung('camera')
    bench.done('aborted', 'another run is there')
    bench.started('camera')
    bench.healthy('camera')
    bench.pass(60_000)
    bench.hung('camera')
    expect(bench.acts().at(-1)?.attempt).toBe(1)
  })

  it('lets two act at once and one more every two seconds after a burst of three', () => {
    const bench = new Bench(...['a', 'b', 'c', 'd', 'e'].map((name) => ({ ...spec(name), domain: name })))
    for (const name of ['a', 'b', 'c', 'd', 'e']) {
      // Long apart, as far as their first signs go: no mass failure.
      const firstEvidenceAt = bench.mono - 20_000
      bench.verdict(name, { status: 'unhealthy', evidence: 'silence', symptom: 'hung', firstEvidenceAt })
    }
    expect(bench.acts().map((action) => action.service)).toEqual(['a', 'b'])
    bench.send({
      type: 'action.finished',
      action: bench.act(0),
      outcome: { result: 'done', detail: '', startedAt: 'x' },
    })
    expect(bench.acts()).toHaveLength(3)
    bench.send({
      type: 'action.finished',
      action: bench.act(1),
      outcome: { result: 'done', detail: '', startedAt: 'x' },
    })
    expect(bench.acts()).toHaveLength(3)
    bench.pass(2_000)
    expect(bench.acts()).toHaveLength(4)
  })

  it('lets twice as many be started as restarted, for a start of what is dead can do no harm', () => {
    const names = Array.from({ length: 10 }, (_, n) => `s${n}`)
    const bench = new Bench(...names.map((name) => spec(name)))
    for (const name of names) bench.exited(name)
    for (let n = 0; n < 6; n++) {
      const outcome = { result: 'done', detail: '', startedAt: 'x' } as const
      bench.send({ type: 'action.finished', action: bench.act(n), outcome })
    }
    expect(bench.acts()).toHaveLength(6)
    bench.pass(2_000)
    expect(bench.acts()).toHaveLength(8)
  })

  it('is also one of the whole domain: three actions for each of its services, at least ten', () => {
    const policy = { attempts: 9, delaysMs: [0] }
    const bench = new Bench({ ...spec('a', [], policy), domain: 'shop' }, { ...spec('b', [], policy), domain: 'shop' })
    for (let n = 0; n < 8; n++) {
      for (const name of ['a', 'b']) {
        bench.exited(name)
        bench.pass(4_000)
        if (bench.acts().at(-1)?.service === name) bench.done()
        bench.healthy(name)
      }
    }
    expect(bench.acts()).toHaveLength(10)
    expect(bench.ofType('action.withheld').at(-1)?.reason).toBe('10 actions on shop within 10 min are enough')
  })
})

describe('a monitor that is unwell', () => {
  it('does nothing, and nothing for three seconds after', () => {
    const bench = pipeline()
    bench.send({ type: 'observer.changed', unwell: true, reason: 'own loop late by 2 s' })
    bench.exited('storage')
    bench.pass(10_000)
    expect(bench.acts()).toHaveLength(0)
    bench.send({ type: 'observer.changed', unwell: false, reason: '' })
    bench.pass(2_900)
    expect(bench.acts()).toHaveLength(0)
    bench.pass(200)
    expect(bench.acts()).toHaveLength(1)
  })
})

describe('a monitor that stood still', () => {
  it('does not call a cure failed because it heard nothing meanwhile', () => {
    const bench = new Bench({ ...spec('camera', [], { delaysMs: [0] }), startupGraceMs: 5_000 })
    bench.exited('camera')
    bench.done()
    // Stopped for eight seconds: the time of the verification is over when it wakes, before any news is read.
    bench.mono += 8_000
    bench.pass(0)
    expect(bench.acts()).toHaveLength(1)
    bench.healthy('camera')
    bench.pass(60_000)
    expect(bench.acts()).toHaveLength(1)
    expect(bench.ofType('incident.closed')).toHaveLength(1)
  })

  it('still calls it failed when the service does not get well in the time that it is given anew', () => {
    const bench = new Bench({ ...spec('camera', [], { delaysMs: [0] }), startupGraceMs: 5_000 })
    bench.exited('camera')
    bench.done()
    bench.mono += 8_000
    bench.pass(7_900)
    expect(bench.acts()).toHaveLength(1)
    bench.pass(200)
    expect(bench.acts()).toHaveLength(2)
  })

  it('lets no verification run out while it is unwell', () => {
    const bench = new Bench({ ...spec('camera', [], { delaysMs: [0] }), startupGraceMs: 5_000 })
    bench.exited('camera')
    bench.done()
    bench.send({ type: 'observer.changed', unwell: true, reason: 'late' })
    bench.pass(30_000)
    bench.send({ type: 'observer.changed', unwell: false, reason: '' })
    bench.pass(2_000)
    bench.healthy('camera')
    bench.pass(60_000)
    expect(bench.acts()).toHaveLength(1)
  })
})

describe('an outcome that comes late', () => {
  it('finds the new run alive already and asks for nothing more', () => {
    const bench = pipeline()
    bench.exited('camera')
    const action = bench.act(0)
    bench.started('camera')
    bench.verdict('camera', { status: 'degraded', evidence: 'slow', symptom: 'slow', reason: 'slow' })
    const outcome = { result: 'done', detail: '', startedAt: bench.instance('camera').startedAt } as const
    bench.send({ type: 'action.finished', action, outcome })
    bench.pass(120_000)
    expect(bench.acts()).toHaveLength(1)
  })
})

describe('the delay before an attempt', () => {
  it('is counted from the last attempt, so that a monitor that keeps dying still cures', () => {
    const bench = new Bench(spec('storage'))
    const attempts = [1, 2, 3].map((n) => ({ service: 'storage', wall: bench.wall - n * 10_000 }))
    bench.send({ type: 'restored', incidents: [], attempts, quarantined: [] })
    bench.exited('storage')
    expect(bench.acts()).toMatchObject([{ attempt: 4 }])
  })
})

describe('restored incidents', () => {
  /** A monitor that starts again: what it remembers, then what it finds. */
  function revived(restored: { incidents: Incident[]; attempts?: number[]; quarantinedForMs?: number }): Bench {
    const bench = new Bench()
    bench.send({ type: 'services.changed', services: [spec('storage'), spec('tracking', ['storage'])] })
    const { incidents, attempts = [], quarantinedForMs: since } = restored
    bench.send({
      type: 'restored',
      incidents,
      attempts: attempts.map((ago) => ({ service: 'storage', wall: bench.wall - ago })),
      quarantined: since === undefined ? [] : [{ service: 'storage', sinceWall: bench.wall - since, reason: 'spent' }],
    })
    return bench
  }

  function incident(): Incident {
    const before = pipeline()
    before.exited('storage')
    return before.incident(0)
  }

  it('go on under their old name with exactly one action, and the counter goes on', () => {
    const before = incident()
    const bench = revived({ incidents: [before], attempts: [500] })
    bench.exited('storage')
    expect(bench.ofType('incident.opened')).toHaveLength(0)
    expect(bench.ofType('incident.updated')).toHaveLength(0)
    bench.pass(2_000)
    expect(bench.acts()).toMatchObject([{ attempt: 2, incident: before.id }])
    bench.done()
    bench.healthy('storage')
    bench.pass(60_000)
    expect(bench.acts()).toHaveLength(1)
    expect(bench.ofType('incident.closed')).toMatchObject([{ incident: { id: before.id } }])
  })

  it('close when the service has come up by itself meanwhile', () => {
    const bench = revived({ incidents: [incident()], attempts: [500] })
    bench.started('storage')
    bench.healthy('storage')
    bench.pass(30_000)
    expect(bench.acts()).toHaveLength(0)
    expect(bench.ofType('incident.recovered')).toHaveLength(1)
    expect(bench.ofType('incident.closed')).toHaveLength(1)
  })

  it('have their dead dependants started after the root again', () => {
    const bench = revived({ incidents: [incident()] })
    bench.exited('tracking')
    bench.exited('storage')
    expect(bench.acts().map((action) => action.service)).toEqual(['storage'])
    bench.done()
    bench.healthy('storage')
    expect(bench.acts().map((action) => action.service)).toEqual(['storage', 'tracking'])
  })

  it('stay quarantined without saying so again, with one try every ten minutes', () => {
    const attempts = [1, 2, 3, 4, 5].map((n) => n * 10_000)
    const bench = revived({ incidents: [incident()], attempts, quarantinedForMs: 60_000 })
    bench.exited('storage')
    bench.pass(599_000)
    expect(bench.acts()).toHaveLength(0)
    bench.pass(2_000)
    expect(bench.acts()).toHaveLength(1)
    bench.done()
    bench.exited('storage')
    expect(bench.ofType('service.quarantined')).toHaveLength(0)
    expect(bench.ofType('service.released')).toHaveLength(0)
  })

  it('are released from quarantine when the service is found well', () => {
    const bench = revived({ incidents: [incident()], quarantinedForMs: 60_000 })
    bench.started('storage')
    bench.healthy('storage')
    expect(bench.ofType('service.released')).toMatchObject([{ service: 'storage' }])
    bench.exited('storage')
    expect(bench.acts()).toHaveLength(1)
  })
})

describe('an incident', () => {
  it('is told of once a turn and only when it has changed', () => {
    const bench = pipeline()
    bench.exited('buffer')
    bench.notReady('capture', 'buffer')
    bench.notReady('tracking', 'buffer')
    expect(bench.ofType('incident.updated').map(({ incident }) => incident.impacted.length)).toEqual([1, 2])
    bench.notReady('tracking', 'buffer')
    bench.exited('buffer')
    expect(bench.ofType('incident.updated')).toHaveLength(2)
  })

  it('is opened with those it explains at once', () => {
    const bench = pipeline()
    bench.notReady('capture', 'buffer')
    bench.notReady('tracking', 'buffer')
    bench.exited('buffer')
    expect(bench.incident(0).impacted.map((impact) => impact.service)).toEqual(['capture', 'tracking'])
    expect(bench.ofType('incident.updated')).toHaveLength(0)
  })

  it('whose service looked misconfigured for a while has it treated again', () => {
    const bench = pipeline()
    bench.exited('camera')
    bench.done()
    bench.verdict('camera', { status: 'degraded', symptom: 'misconfigured', reason: '404', evidence: null })
    bench.hung('camera')
    bench.pass(2_000)
    expect(bench.acts()).toMatchObject([{ kind: 'start' }, { kind: 'restart' }])
    expect(bench.ofType('incident.opened')).toHaveLength(1)
  })
})
