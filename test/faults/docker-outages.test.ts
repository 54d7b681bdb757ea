import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { CutEvents } from '../support/docker/cut.ts'
import { dockerMissing, engineDeadlineMs, startEngine, type Engine } from '../support/docker/engine.ts'
import { DockerEvents } from '../support/docker/events.ts'
import { Scene } from '../support/docker/scene.ts'
import { deedsOf, onlyIncident, seenAs } from '../support/docker/witness.ts'
import { until } from '../support/example.ts'

const services = ['api', 'web', 'faithful'] as const
/** A start that was decided late would come in this time. */
const LATE_MS = 5_000

describe.skipIf(dockerMissing())('while something fails that is no service', { timeout: 240_000 }, () => {
  let engine: Engine
  let scene: Scene
  const directory = mkdtempSync(join(tmpdir(), 'medyk-outages-'))
  const config = join(directory, 'medyk.yaml')

  beforeAll(async () => {
    engine = await startEngine()
    scene = await Scene.create({ project: 'faults', name: 'trio', files: ['trio.yaml'], engine })
    // Many stories of one service in a row, each closed soon.
    const recovery = 'attempts: 100, delays: [0s], stable: 300ms'
    writeFileSync(config, `version: 1\ndefaults: { recovery: { ${recovery} } }\n`, { mode: 0o600 })
    await scene.compose('up', '--detach')
    await scene.serve(`--config=${config}`)
    await scene.allHealthy(120_000, services)
  }, engineDeadlineMs)
  afterAll(async () => {
    await scene?.[Symbol.asyncDispose]()
    await engine?.[Symbol.asyncDispose]()
    rmSync(directory, { recursive: true, force: true })
  }, 120_000)

  const runs = async () => await Promise.all(services.map(async (name) => (await scene.inspect(name)).State.StartedAt))
  const healthy = () => scene.allHealthy(120_000, services)

  it('row 34: the daemon itself stands still: nothing is declared and nothing done', async () => {
    const [since, before] = [Date.now(), await runs()]
    process.kill(scene.daemonPid, 'SIGSTOP')
    try {
      await sleep(5_000)
    } finally {
      process.kill(scene.daemonPid, 'SIGCONT')
    }
    await sleep(LATE_MS)
    await healthy()
    expect(await scene.incidents(since)).toEqual([])
    expect(scene.deeds(since)).toEqual([])
    expect(await runs()).toEqual(before)
  })

  it('row 28: a thousand events at once: no death is lost among them', async () => {
    const noise = await engine.run(['--name', 'noise', '--network', 'none'], 'sleep', '600')
    const since = Date.now()
    const storm = async () => {
      for (let n = 0; n < 5; n++) {
        await engine.docker('kill', '--signal', 'WINCH', ...Array.from({ length: 200 }, () => noise))
      }
    }
    const deaths = async () => {
      for (const name of services) await engine.docker('kill', scene.container(name))
    }
    await Promise.all([storm(), deaths()])
    for (const name of services) {
      await until(() => scene.deedsTo(name, since).includes('start'), 60_000, `${name} runs again`)
    }
    await healthy()
    expect(scene.events.of('noise', since).length).toBeGreaterThanOrEqual(1_000)
    for (const name of services) {
      expect(scene.deedsTo(name, since)).toEqual(['kill', 'start'])
      expect(deedsOf(await onlyIncident(scene, name, since))).toEqual(['start done'])
    }
    await engine.docker('rm', '--force', noise)
  })

  it('row 26: dockerd stands still: the daemon goes on to answer, knows nothing, does nothing, and is back after', async () => {
    const [since, before] = [Date.now(), await runs()]
    engine.suspend()
    try {
      for (const name of services) await seenAs(scene, name, { status: 'unknown', symptom: 'runtime' })
      const asked = performance.now()
      await scene.services()
      expect(performance.now() - asked).toBeLessThan(2_000)
      await sleep(LATE_MS)
      expect((await scene.services()).filter(({ status }) => status === 'unhealthy')).toEqual([])
    } finally {
      engine.resume()
    }
    await healthy()
    expect(await runs()).toEqual(before)
    expect(scene.deeds(since)).toEqual([])
    expect(await scene.incidents(since)).toEqual([])
  })

  it('row 31: the daemon is killed in the middle of a cure: there is one net start, and one story', async () => {
    const journaled = (sql: string) => Number(scene.daemon.journal(sql)[0]?.['n'])
    const intents = () => journaled('SELECT count(*) AS n FROM actions')
    const pending = () => journaled('SELECT count(*) AS n FROM actions WHERE result IS NULL')
    const stories = () => journaled('SELECT count(*) AS n FROM incidents')
    const met: string[] = []
    const moments: readonly (readonly [
      string,
      (before: { actions: number; stories: number; since: number }) => unknown,
    ])[] = [
      ['before it can have heard of it', () => {}],
      ['when the story is journaled', (before) => until(() => stories() > before.stories, 30_000, 'a story', 1)],
      ['when the intent is journaled', (before) => until(() => intents() > before.actions, 30_000, 'an intent', 1)],
      [
        'when it has started',
        ({ since }) => until(() => scene.deedsTo('api', since).includes('start'), 30_000, 'a start', 1),
      ],
    ]
    for (const [name, comes] of moments) {
      const before = { actions: intents(), stories: stories(), since: Date.now() }
      // The command takes its time: whoever is killed along with it is gone before the container is.
      if (name.startsWith('before'))
        await Promise.all([engine.docker('kill', scene.container('api')), scene.daemon.kill()])
      else await engine.docker('kill', scene.container('api'))
      await comes(before)
      await scene.daemon.kill()
      const [left, known] = [pending(), intents() - before.actions]
      met.push(`${name}: ${known} intents, ${left} pending`)
      await scene.daemon.serveAgain(`--project=${scene.project}`, `--config=${config}`)
      await until(() => scene.deedsTo('api', before.since).includes('start'), 60_000, `${name}: it runs again`)
      await healthy()
      await until(
        async () => (await scene.incidents()).every(({ closedAt }) => closedAt !== null),
        30_000,
        'it is over',
      )
      // A second start would come now, if one had been planned twice.
      await sleep(1_000)
      expect(scene.deedsTo('api', before.since), name).toEqual(['kill', 'start'])
      expect(stories() - before.stories, name).toBe(1)
      expect(pending(), name).toBe(0)
      expect(intents() - before.actions, name).toBeLessThanOrEqual(1 + left)
    }
    // The kills have to have met both sides of the act, or nothing is proven.
    expect(met.filter((line) => line.includes(' 0 intents'))).not.toEqual([])
    expect(met.filter((line) => line.includes(' 1 intents'))).not.toEqual([])
  })

  it('row 27: the stream of events is cut: a death is found all the same, and not taken for more than was seen', async () => {
    await using way = await CutEvents.open(engine.socket)
    await scene.serve(`--config=${config}`, `--docker-host=${way.host}`)
    await healthy()
    expect(way.cut()).toBeGreaterThan(0)
    const at = (action: string, since: number) => scene.events.first(scene.container('web'), action, since)?.at ?? 0
    const blind = Date.now()
    await engine.docker('kill', scene.container('web'))
    await until(async () => (await scene.service('web')).status !== 'healthy', 30_000, 'it is found')
    // It looks once a second; the rest is a busy machine.
    expect(Date.now() - at('die', blind)).toBeLessThan(5_000)
    await until(() => way.refused > 0, 30_000, 'it has asked for events in vain')
    // Nobody saw who ended it: it is waited for as if somebody had meant it.
    await until(() => at('start', blind) > 0, 60_000, 'it runs again')
    expect(at('start', blind) - at('die', blind)).toBeGreaterThan(14_000)
    await healthy()
    expect(deedsOf(await onlyIncident(scene, 'web', blind))).toEqual(['start done'])
    way.mend()
    await until(() => way.streams > 0, 60_000, 'there is a stream of events again')
    const seeing = Date.now()
    await engine.docker('kill', scene.container('web'))
    await until(() => at('start', seeing) > 0, 60_000, 'it runs again')
    expect(at('start', seeing) - at('die', seeing)).toBeLessThan(10_000)
    await healthy()
    await scene.stopDaemon()
  })

  it('row 25: dockerd is restarted: nobody is called dead meanwhile, and all is known soon after its return', async () => {
    await scene.serve(`--config=${config}`)
    await healthy()
    const since = Date.now()
    const { StartedAt } = (await scene.inspect('faithful')).State
    await engine.stop()
    for (const name of services) await seenAs(scene, name, { status: 'unknown', symptom: 'runtime' })
    await engine.start()
    const returned = Date.now()
    using events = await DockerEvents.open(engine.socket)
    // Docker's own policy brings this one back; what has none was stopped with dockerd, as an operator stops it.
    await until(async () => (await scene.inspect('faithful')).State.StartedAt !== StartedAt, 60_000, 'it is back')
    for (const name of ['api', 'web']) await seenAs(scene, name, { cause: 'operator', symptom: 'stopped' })
    expect(Date.now() - returned).toBeLessThan(15_000)
    await seenAs(scene, 'faithful', { status: 'healthy' })
    const isLeft = async (name: string) => (await scene.service(name)).reason?.includes('it is left so') === true
    await until(
      async () => (await isLeft('api')) && (await isLeft('web')),
      60_000,
      'it is decided to leave them so',
      100,
    )
    for (const name of ['api', 'web']) expect((await scene.inspect(name)).State.Running, name).toBe(false)
    const told = await scene.incidents(since)
    expect(told.map(({ cause, actions }) => [cause, actions.length])).toEqual([['operator', 0]])
    const others = events
      .deeds(returned)
      .filter(({ name, action }) => name !== scene.container('faithful') || action !== 'start')
    expect(others.map(({ name, action }) => `${action} ${name}`)).toEqual([])
  })
})
