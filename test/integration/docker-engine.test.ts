import { existsSync, readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { dockerMissing, engineDeadlineMs, startEngine, type Engine } from '../support/docker/engine.ts'
import { until } from '../support/example.ts'
import { lives, seen } from '../support/processes.ts'

describe.skipIf(dockerMissing())('the Docker engine of the tests', () => {
  let engine: Engine
  beforeAll(async () => {
    engine = await startEngine()
  }, engineDeadlineMs)
  afterAll(() => engine?.[Symbol.asyncDispose](), 120_000)

  it('runs containers of the base image, on a network of their own', async () => {
    await engine.docker('network', 'create', 'mdk-dp-net')
    const id = await engine.run(
      ['--name', 'mdk-dp-a', '--network', 'mdk-dp-net', '--init'],
      'python3',
      '-m',
      'http.server',
      '80',
    )
    const container = await engine.inspect('mdk-dp-a')
    expect(container).toMatchObject({ Id: id, State: { Running: true } })
    const address = container.NetworkSettings.Networks['mdk-dp-net']?.IPAddress
    await until(async () => (await fetch(`http://${address}/`)).ok, 20_000, 'the container answers')
    expect(
      await engine.docker('run', '--rm', '--network', 'mdk-dp-net', engine.nodeImage, 'node', '-p', 'process.version'),
    ).toBe(process.version)
  })

  it('stands still and goes on while containers run', async () => {
    engine.suspend()
    const state = () => /^State:\s*(\w)/m.exec(readFileSync(`/proc/${engine.pid}/status`, 'utf8'))?.[1]
    await until(() => state() === 'T', 5_000, 'dockerd stands still')
    engine.resume()
    expect((await engine.inspect('mdk-dp-a')).State.Running).toBe(true)
  })

  it('restarts, with what has a policy coming back', async () => {
    await engine.run(['--name', 'mdk-dp-always', '--restart', 'always', '--network', 'none', '--init'])
    const before = engine.pid
    await engine.restart()
    expect(engine.pid).not.toBe(before)
    await until(async () => (await engine.inspect('mdk-dp-always')).State.Running, 30_000, 'it is back')
    expect((await engine.inspect('mdk-dp-a')).State.Running).toBe(false)
  })

  it('ends with all that it ran', async () => {
    const container = seen((await engine.inspect('mdk-dp-always')).State.Pid)
    const dockerd = seen(engine.pid)
    if (!container || !dockerd) throw new Error('nothing runs')
    await engine[Symbol.asyncDispose]()
    expect([lives(container), lives(dockerd), existsSync(engine.socket)]).toEqual([false, false, false])
  })
})
