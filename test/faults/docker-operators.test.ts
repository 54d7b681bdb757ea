import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { dockerMissing, engineDeadlineMs, startEngine, type Engine } from '../support/docker/engine.ts'
import { startProxy } from '../support/docker/proxy.ts'
import { Scene } from '../support/docker/scene.ts'
import { deedsOf, incidentWhere, seenAs } from '../support/docker/witness.ts'
import { until } from '../support/example.ts'

const names = ['stopping', 'removing', 'ending', 'replacing'] as const
const services = ['api', 'web', 'faithful'] as const
type Project = (typeof names)[number]

/** Medyk waits 15 s after a stop: what it would do wrongly, it does in this time. */
const LATE_MS = 22_000
const starts: ReadonlySet<string> = new Set(['start', 'restart', 'unpause'])

describe.skipIf(dockerMissing())('what an operator does', { timeout: 240_000 }, () => {
  let engine: Engine
  const scenes = {} as Record<Project, Scene>

  beforeAll(async () => {
    engine = await startEngine()
    for (const name of names)
      scenes[name] = await Scene.create({ project: 'faults', name, files: ['trio.yaml'], engine })
    for (const name of names) await scenes[name].compose('up', '--detach')
    // Found stopped at first sight, and nobody's mistake.
    await scenes.replacing.compose('stop', 'api')
    await scenes.stopping.serve(...names.slice(1).map((name) => `--project=${name}`))
    const running = names.flatMap((name) => services.map((service) => `${name}-${service}`))
    await scenes.stopping.allHealthy(
      120_000,
      running.filter((name) => name !== 'replacing-api'),
    )
  }, engineDeadlineMs)
  afterAll(async () => {
    for (const name of names) await scenes[name]?.[Symbol.asyncDispose]()
    await engine?.[Symbol.asyncDispose]()
  }, 120_000)

  it('with Compose is never undone, and told of in one line at most', async () => {
    const watcher = scenes.stopping
    const since = Date.now()
    const before = await engine.docker('ps', '--all', '--format', '{{.Names}}')
    expect(before).toContain('replacing-api-1')
    // A container for one time, which ends by itself; and a job that is done again.
    await scenes.removing.compose('run', '--detach', '--no-deps', '--name', 'for-one-time', 'setup', 'sleep', '2')
    await engine.docker('start', scenes.removing.container('setup'))
    await seenAs(watcher, 'removing-setup', { symptom: 'finished' })
    await Promise.all([
      scenes.stopping.compose('stop'),
      scenes.removing.compose('rm', '--stop', '--force', 'web'),
      scenes.ending.compose('down', '--timeout', '2'),
      scenes.replacing.compose('up', '--detach', '--force-recreate', '--timeout', '2', 'web', 'faithful'),
    ])
    const ended = Date.now() + 250
    await until(() => Date.now() > ended + LATE_MS, 60_000, 'what was to come has come', 250)
    const deeds = (from: number) => watcher.events.deeds(from).filter(({ action }) => starts.has(action))
    expect(deeds(ended).map(({ name, action }) => `${action} ${name}`)).toEqual([])
    expect(
      deeds(since)
        .map(({ labels }) => `${labels['com.docker.compose.project']}-${labels['com.docker.compose.service']}`)
        .sort(),
    ).toEqual(['removing-setup', 'removing-setup', 'replacing-faithful', 'replacing-setup', 'replacing-web'])
    const told = await watcher.incidents(since)
    expect(told.filter(({ cause, actions }) => cause !== 'operator' || actions.length > 0)).toEqual([])
    for (const name of names) {
      expect(told.filter(({ service }) => service.startsWith(`${name}-`)).length, name).toBeLessThanOrEqual(1)
    }
    expect(told.some(({ service }) => service.startsWith('stopping-'))).toBe(true)
    expect((await scenes.replacing.inspect('api')).State.Running).toBe(false)
    expect((await engine.inspect('for-one-time')).State).toMatchObject({ Running: false, ExitCode: 0 })
  })

  it('runs once and ends well, which is no illness', async () => {
    expect((await scenes.removing.inspect('setup')).State).toMatchObject({ Running: false, ExitCode: 0 })
    expect(await scenes.stopping.service('removing-setup')).toMatchObject({ symptom: 'finished', incident: null })
    expect((await scenes.stopping.incidents()).filter(({ service }) => service.endsWith('-setup'))).toEqual([])
  })

  it('permits decides what Medyk can do: without start a death is told of with the permission that is missing', async () => {
    const scene = scenes.replacing
    await using proxy = await startProxy(engine.socket, 'start')
    await scenes.stopping.stopDaemon()
    await scene.serve(`--docker-host=${proxy.host}`)
    await scene.allHealthy(60_000, ['web', 'faithful'])
    const since = Date.now()
    await engine.docker('kill', scene.container('web'))
    const told = await incidentWhere(scene, 'web', since, ({ actions }) =>
      actions.some(({ result }) => result === 'failed'),
    )
    expect(told.actions[0]?.detail).toContain('"start"')
    // Everything else goes on: what needs another permission is done.
    await engine.docker('pause', scene.container('faithful'))
    await incidentWhere(scene, 'faithful', since, (row) => deedsOf(row).includes('resume done'))
    expect((await scene.inspect('faithful')).State).toMatchObject({ Running: true, Paused: false })
    expect((await scene.inspect('web')).State.Running).toBe(false)
    expect(scene.deedsTo('web', since)).toEqual(['kill'])
    await scene.stopDaemon()
  })

  it('has only observed is explained and left as it is, on the whole host', async () => {
    const scene = scenes.removing
    await engine.run(['--name', 'nobodys', '--network', 'none', '--init'], 'sleep', '600')
    await scene.daemon.serve('--observe')
    await scene.allHealthy(60_000, ['removing-api', 'removing-faithful'])
    await until(async () => (await scene.services()).some(({ name }) => name === 'nobodys'), 30_000, 'all are watched')
    const since = Date.now()
    await engine.docker('kill', scene.container('api'), 'nobodys')
    await engine.docker('pause', scene.container('faithful'))
    for (const name of ['removing-api', 'removing-faithful', 'nobodys']) {
      await incidentWhere(scene, name, since, ({ withheld }) => withheld?.startsWith('dry run: ') === true)
    }
    await until(() => Date.now() > since + 8_000, 60_000, 'what was to come has come', 250)
    const deeds = scene.events.deeds(since).map(({ action, name }) => `${action} ${name}`)
    expect(deeds.sort()).toEqual(['kill nobodys', 'kill removing-api-1', 'pause removing-faithful-1'])
    expect((await scene.incidents(since)).flatMap(({ actions }) => actions)).toEqual([])
    await seenAs(scene, 'removing-api', { status: 'unhealthy', symptom: 'exited' })
    await engine.docker('unpause', scene.container('faithful'))
  })
})
