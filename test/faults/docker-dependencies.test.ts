import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { dockerMissing, engineDeadlineMs, startEngine, type Engine } from '../support/docker/engine.ts'
import { Scene } from '../support/docker/scene.ts'
import { deedsOf, incidentWhere, onlyIncident, seenAs } from '../support/docker/witness.ts'
import { until } from '../support/example.ts'

const dependants = ['answers-503', 'answers-500', 'blocks'] as const
const dependencies = ['redis', 'postgres'] as const
const small = ['api', ...dependants, ...dependencies]
const family = ['parent', 'child', 'neighbour'].map((name) => `family-${name}`)

/** A restart that was decided late would come in this time. */
const LATE_MS = 5_000

describe.skipIf(dockerMissing())('containers that need each other', { timeout: 240_000 }, () => {
  let engine: Engine
  let scene: Scene
  let home: Scene

  beforeAll(async () => {
    engine = await startEngine()
    scene = await Scene.create({ project: 'small', engine })
    home = await Scene.create({ project: 'family', engine })
    await Promise.all([scene.compose('up', '--detach'), home.compose('up', '--detach')])
    await scene.serve('--project=family')
    await scene.allHealthy(120_000, [...small.map((name) => `small-${name}`), ...family])
  }, engineDeadlineMs)
  afterAll(async () => {
    await scene?.[Symbol.asyncDispose]()
    await home?.[Symbol.asyncDispose]()
    await engine?.[Symbol.asyncDispose]()
  }, 120_000)

  const touched = (since: number) => dependants.flatMap((name) => scene.deedsTo(name, since))

  it('row 17: have Postgres hang: one story with it as the root, and its three dependants left alone', async () => {
    const since = Date.now()
    await scene.hang('postgres')
    const told = await incidentWhere(
      scene,
      'small-postgres',
      since,
      ({ impacted }) => impacted.length === dependants.length,
    )
    // The witness: each shows it in its own way.
    for (const [name, said] of [
      ['answers-503', false],
      ['answers-500', false],
      ['blocks', null],
    ] as const) {
      expect(await scene.answers(name, '/health', 8080, 2_000).catch(() => null), name).toBe(said)
    }
    await sleep(LATE_MS)
    await scene.thaw('postgres')
    await scene.allHealthy(120_000)
    expect(told).toMatchObject({ cause: 'self', symptom: 'hung', actions: [] })
    expect(touched(since)).toEqual([])
    expect(scene.deedsTo('postgres', since), 'it keeps data, so a hang of it is for people').toEqual([])
    expect(await scene.incidents(since)).toHaveLength(1)
  })

  it('row 18: have Redis stopped: it is started when nobody seems to have meant it, and they settle by themselves', async () => {
    const since = Date.now()
    await engine.docker('stop', scene.container('redis'))
    await until(() => scene.deedsTo('redis', since).includes('start'), 60_000, 'Redis runs again')
    await scene.allHealthy(120_000)
    await sleep(LATE_MS)
    expect(touched(since)).toEqual([])
    expect(scene.deedsTo('redis', since)).toEqual(['kill', 'stop', 'start'])
    const told = await scene.incidents(since)
    expect(told.map(({ service }) => service)).toEqual(['small-redis'])
    expect(told.map(deedsOf)).toEqual([['start done']])
  })

  it('row 19: are all killed: all run again, each after what it depends on', async () => {
    const since = Date.now()
    await engine.docker('kill', ...small.map((name) => scene.container(name)))
    await until(() => small.every((name) => scene.deedsTo(name, since).includes('start')), 90_000, 'all run again')
    await scene.allHealthy(120_000)
    const startOf = (name: string) => scene.events.first(scene.container(name), 'start', since)?.at ?? 0
    const needed = Math.max(...dependencies.map(startOf))
    for (const name of dependants) expect(startOf(name), name).toBeGreaterThan(needed)
    expect(Math.max(...small.map(startOf)) - since).toBeLessThan(60_000)
    for (const name of small) expect(scene.deedsTo(name, since), name).toEqual(['kill', 'start'])
  })

  it('as one in the network of another: are cut off when that one dies, and started anew after it', async () => {
    const since = Date.now()
    const before = (await home.inspect('neighbour')).State.StartedAt
    await engine.docker('kill', home.container('parent'))
    const childAgain = () => home.events.first(home.container('child'), 'start', since)
    await until(() => childAgain() !== undefined, 90_000, 'the child is started anew')
    await until(
      () => home.answers('parent', '/', 9090, 1_000),
      60_000,
      'the child answers at the address of its parent',
    )
    const parentAgain = home.events.first(home.container('parent'), 'start', since)
    expect(childAgain()?.at).toBeGreaterThan(parentAgain?.at ?? Infinity)
    await seenAs(scene, 'family-child', { status: 'healthy' })
    const all = await scene.incidents(since)
    expect(all.map(({ service, cause, reason }) => `${service} ${cause}: ${reason}`)).toEqual([
      expect.stringMatching(/^family-parent self: exited/),
    ])
    const told = await onlyIncident(scene, 'family-parent', since)
    expect(told.actions.map(({ service, kind, result }) => [service, kind, result])).toEqual([
      ['family-parent', 'start', 'done'],
      ['family-child', 'restart', 'done'],
    ])
    expect((await home.inspect('neighbour')).State.StartedAt).toBe(before)
  })
})
