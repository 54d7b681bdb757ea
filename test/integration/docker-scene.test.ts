import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Autoheal, autohealAggressive } from '../support/docker/autoheal.ts'
import { dockerMissing, engineDeadlineMs, startEngine, type Engine } from '../support/docker/engine.ts'
import { Scene } from '../support/docker/scene.ts'
import { until } from '../support/example.ts'

describe.skipIf(dockerMissing())('the scene of the container tests, with nobody who heals', () => {
  let engine: Engine
  let scene: Scene
  beforeAll(async () => {
    engine = await startEngine()
    scene = await Scene.create({ project: 'small', engine })
    await scene.compose('up', '--detach')
    for (const service of ['api', 'answers-503', 'answers-500', 'blocks']) {
      await until(() => scene.answers(service), 60_000, `${service} answers`)
    }
  }, engineDeadlineMs)
  afterAll(async () => {
    await scene?.[Symbol.asyncDispose]()
    await engine?.[Symbol.asyncDispose]()
  }, 120_000)

  it('hears from Docker what was done to whom, and when', async () => {
    const since = Date.now()
    await engine.docker('kill', 'small-api-1')
    await engine.docker('start', 'small-api-1')
    await until(() => scene.deeds(since).length >= 2, 10_000, 'both are told')
    expect(scene.deeds(since)).toEqual(['kill small-api-1', 'start small-api-1'])
    const died = scene.events.first('small-api-1', 'die', since)
    expect(died?.at).toBeGreaterThanOrEqual(since)
    expect(died?.at).toBeLessThan(scene.events.first('small-api-1', 'start', since)?.at ?? 0)
    expect(scene.deeds(Date.now())).toEqual([])
  })

  it('hangs a service until it is thawed', async () => {
    await until(() => scene.answers('api'), 30_000, 'it is up')
    await scene.hang('api')
    await expect(scene.answers('api')).rejects.toThrow('timeout')
    await scene.thaw('api')
    await until(() => scene.answers('api'), 10_000, 'it answers again')
  })

  it.each([
    ['answers-503', 503],
    ['answers-500', 500],
    ['blocks', null],
  ])('has %s suffer under a dependency that hangs', async (service, status) => {
    const [network] = Object.values((await scene.inspect(service)).NetworkSettings.Networks)
    const ask = () => fetch(`http://${network?.IPAddress}:8080/health`, { signal: AbortSignal.timeout(3_000) })
    await scene.hang('postgres')
    try {
      if (status === null) await expect(ask()).rejects.toThrow('timeout')
      else expect((await ask()).status).toBe(status)
    } finally {
      await scene.thaw('postgres')
    }
    await until(async () => (await ask()).status === 200, 30_000, 'it is well again')
  })

  it("has a loop like autoheal's that restarts the hung and the innocent, and leaves the killed dead", async () => {
    await using healed = await Scene.create({
      project: 'healers',
      name: 'healed',
      files: ['compose.yaml', 'aggressive.yaml'],
      engine,
    })
    await healed.compose('up', '--detach')
    const health = async (service: string) => (await healed.inspect(service)).State.Health?.Status
    for (const service of ['api', 'innocent', 'redis']) {
      await until(async () => (await health(service)) === 'healthy', 60_000, `${service} is healthy`, 100)
    }
    await using loop = new Autoheal(engine, { project: 'healed', ...autohealAggressive })
    await healed.hang('api')
    await engine.docker('kill', 'healed-redis-1')
    await until(() => healed.answers('api'), 60_000, 'the hung one answers again')
    await until(() => loop.restarted.includes('healed-innocent-1'), 60_000, 'the innocent one is restarted')
    expect((await healed.inspect('redis')).State.Running).toBe(false)
  })
})
