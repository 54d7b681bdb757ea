import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import type { RuntimeEvent, ServiceSpec } from '../../src/monitor/model/index.ts'
import { runtimeContract } from '../../src/monitor/runtimes/contract.ts'
import { openDockerFixture, type DockerFixture } from '../../src/monitor/runtimes/docker/fixture.testing.ts'
import { openRuntime } from '../../src/monitor/runtimes/index.ts'
import { silentLogger, systemClock } from '../../src/shared/health/internal/index.ts'
import { dockerMissing, engineDeadlineMs, startEngine, type Engine } from '../support/docker/engine.ts'
import { startProxy } from '../support/docker/proxy.ts'
import { until } from '../support/example.ts'

const now = (ms = 60_000) => ({ signal: AbortSignal.timeout(ms) })
const PATIENCE_MS = 30_000

describe.skipIf(dockerMissing())('on a Docker engine', () => {
  let engine: Engine
  let fixture: DockerFixture
  beforeAll(async () => {
    engine = await startEngine()
  }, engineDeadlineMs)
  afterAll(() => engine?.[Symbol.asyncDispose]())

  runtimeContract('docker', () => openDockerFixture(engine), { describe, it })

  describe('the docker runtime', () => {
    beforeEach(async () => {
      fixture = await openDockerFixture(engine)
    })
    afterEach(() => fixture[Symbol.asyncDispose]())

    const QUIET = ['--network', 'none', '--init']
    const idle = (name: string, args = QUIET) => fixture.container(name, args, ['sleep', '600'])

    /** Adopted, with what was told since, in words. */
    async function adopted(...services: ServiceSpec[]) {
      const runtime = await fixture.open()
      const told: string[] = []
      const events: RuntimeEvent[] = []
      runtime.watch((event) => {
        events.push(event)
        const { state, exit } = event.instance
        told.push(
          [event.type.replace('instance.', ''), state, state === 'exited' ? (exit?.endedBy ?? '') : '']
            .join(' ')
            .trim(),
        )
      })
      const found = await runtime.adopt(services, now())
      const seen = (line: string) =>
        until(() => told.at(-1) === line, PATIENCE_MS, `the last told is "${line}": ${told.join(', ')}`)
      return { runtime, told, events, found, seen, id: found[0]?.id ?? '' }
    }

    it('keeps apart who ended a run: itself, by kill, by stop, by Medyk', async () => {
      const service = await idle('a')
      const { runtime, told, seen, id } = await adopted(service)
      const name = fixture.unique('a')
      await runtime.start(id, now())
      await fixture.docker('kill', name)
      await seen('exited exited kill')
      await runtime.start(id, now())
      await fixture.docker('stop', name)
      await seen('exited exited stop')
      const { pid } = await runtime.start(id, now())
      process.kill(pid!, 'SIGKILL')
      await seen('exited exited itself')
      await runtime.start(id, now())
      await runtime.restart(id, 5_000, now())
      await runtime.stop(id, 0, now())
      await seen('exited exited medyk')
      expect(told).toEqual([
        'started running',
        'exited exited kill',
        'started running',
        'stopping stopping',
        'exited exited stop',
        'started running',
        'exited exited itself',
        'started running',
        'exited exited medyk',
        'started running',
        'exited exited medyk',
      ])
      expect((await runtime.inspect(id, now())).restarts).toBe(4)
    })

    it('says of what had ended when it first saw it that it was before', async () => {
      const service = await idle('old')
      await fixture.docker('start', fixture.unique('old'))
      await fixture.docker('kill', fixture.unique('old'))
      const { runtime, found, told, id } = await adopted(service)
      expect(found).toMatchObject([{ state: 'exited', exit: { endedBy: 'before', code: 137 } }])
      expect(await runtime.inspect(id, now())).toMatchObject({ exit: { endedBy: 'before' } })
      expect(told).toEqual([])
    })

    it('says that a run ended for want of memory', async () => {
      const limits = ['--network', 'none', '--memory', '20m', '--memory-swap', '20m']
      const greedy = await fixture.container('greedy', limits, ['python3', '-c', 'x = bytearray(200_000_000)'])
      const { runtime, events, seen, id } = await adopted(greedy)
      await runtime.start(id, now())
      await seen('exited exited itself')
      expect(events.at(-1)?.instance.exit).toMatchObject({ oomKilled: true, code: 137 })
    })

    it('tells a restart by somebody else as an end and a start', async () => {
      const { runtime, told, seen, id } = await adopted(await idle('r'))
      await runtime.start(id, now())
      await fixture.docker('restart', '--time', '1', fixture.unique('r'))
      await seen('started running')
      expect(told.slice(1)).toEqual(['stopping stopping', 'exited exited stop', 'started running'])
      expect((await runtime.inspect(id, now())).restarts).toBe(0)
    })

    it('sees a process stopped by SIGSTOP, cannot resume it, and kills it at once to restart it', async () => {
      const { runtime, seen, id } = await adopted(await idle('hung'))
      const { pid } = await runtime.start(id, now())
      process.kill(pid!, 'SIGSTOP')
      await seen('suspended suspended')
      await expect(runtime.resume(id, now())).rejects.toMatchObject({ code: 'ERR_RUNTIME', hint: expect.any(String) })
      const began = performance.now()
      const next = await runtime.restart(id, 60_000, now())
      expect(performance.now() - began).toBeLessThan(20_000)
      expect(next).toMatchObject({ state: 'running', restarts: 1 })
      expect(next.pid).not.toBe(pid)
    })

    it('resumes what is paused, also by start, and does not run into a conflict', async () => {
      const { runtime, seen, id } = await adopted(await idle('p'))
      const run = await runtime.start(id, now())
      for (const call of ['start', 'resume'] as const) {
        await fixture.docker('pause', fixture.unique('p'))
        await seen('suspended paused')
        expect(await runtime[call](id, now())).toMatchObject({ state: 'running', startedAt: run.startedAt })
      }
      await fixture.docker('pause', fixture.unique('p'))
      await seen('suspended paused')
      expect((await runtime.restart(id, 1_000, now())).startedAt).not.toBe(run.startedAt)
    })

    it('leaves a container to its restart policy while that is at work on it', async () => {
      const service = await fixture.container(
        'loop',
        ['--network', 'none', '--restart', 'always'],
        ['sh', '-c', 'exit 3'],
      )
      const { runtime, events, id } = await adopted(service)
      await runtime.start(id, now()).catch(() => {})
      await until(
        () => events.filter(({ instance }) => instance.state === 'restarting').length >= 3,
        PATIENCE_MS,
        'it loops',
      )
      const ends = events.filter(({ type }) => type === 'instance.exited')
      expect(ends.every(({ instance }) => instance.exit?.code === 3 && instance.exit.endedBy === 'itself')).toBe(true)
      expect(new Set(ends.map(({ instance }) => instance.exit?.at)).size).toBe(ends.length)
    })

    it('gives one that shares the network of another its address, and says when that one has gone', async () => {
      const network = fixture.unique('net')
      await fixture.docker('network', 'create', network)
      try {
        const parent = await idle('parent', ['--network', network, '--init'])
        const child = await idle('child', ['--network', `container:${fixture.unique('parent')}`, '--init'])
        const { runtime, found } = await adopted(parent, child)
        const [p = '', c = ''] = ['parent', 'child'].map((name) => found.find((one) => one.service === name)?.id)
        const { address } = await runtime.start(p, now())
        expect(address).toMatch(/^10\./)
        expect(await runtime.start(c, now())).toMatchObject({ address, networkOf: p })
        await fixture.docker('rm', '--force', fixture.unique('parent'))
        await fixture.docker('kill', fixture.unique('child'))
        await expect(runtime.start(c, now())).rejects.toMatchObject({ code: 'ERR_START_IMPOSSIBLE' })
        expect(await runtime.inspect(c, now())).toMatchObject({ state: 'failed', failure: { permanent: true } })
      } finally {
        await fixture.docker('rm', '--force', fixture.unique('child'), fixture.unique('parent')).catch(() => {})
        await fixture.docker('network', 'rm', network)
      }
    })

    it('knows a check that cannot run from one that fails', async () => {
      const checked = (name: string, command: string) =>
        idle(name, [...QUIET, '--health-cmd', command, '--health-interval', '200ms', '--health-retries', '1'])
      const services = [await checked('broken', 'no-such-tool'), await checked('failing', 'echo token=hunter2; exit 1')]
      const { runtime, found } = await adopted(...services)
      await Promise.all(found.map(({ id }) => runtime.start(id, now())))
      const health = async () => (await runtime.list(now())).map((one) => one.health)
      await until(async () => (await health()).every((one) => one?.status === 'unhealthy'), PATIENCE_MS, 'both are ill')
      const [broken, failing] = await health()
      expect(broken).toMatchObject({ broken: true, detail: expect.stringContaining('no-such-tool') })
      expect(failing).toMatchObject({ broken: false, detail: expect.stringContaining('token=[redacted]') })
    })

    it('follows a Compose service to its new container, and takes no notice of what compose run starts', async () => {
      const directory = mkdtempSync(join(tmpdir(), 'mdk-rt-compose-'))
      const project = fixture.unique('compose')
      const image = engine.image
      writeFileSync(
        join(directory, 'compose.yaml'),
        `services:\n  api:\n    image: ${image}\n    init: true\n    network_mode: none\n    command: sleep 600\n`,
      )
      const compose = (...args: string[]) => engine.compose(directory, '-p', project, ...args)
      try {
        await compose('up', '--detach')
        const service = { ...(await idle('unused')), name: 'api', runtimeOptions: { project, service: 'api' } }
        const { runtime, events, found, id } = await adopted(service)
        expect(found).toMatchObject([{ service: 'api', state: 'running', name: `${project}-api-1` }])
        await compose('run', '--rm', 'api', 'true')
        await compose('up', '--detach', '--force-recreate', '--timeout', '5')
        const told = (type: string) => events.filter((event) => event.type === type).map(({ instance }) => instance.id)
        await until(() => told('instance.started').length > 0, PATIENCE_MS, 'the new one is told')
        expect(told('instance.removed')).toEqual([id])
        const [current, ...others] = await runtime.list(now())
        expect(others).toEqual([])
        expect(told('instance.started')).toEqual([current?.id])
        expect(current?.id).not.toBe(id)
        await until(async () => (await runtime.list(now()))[0]?.name === `${project}-api-1`, PATIENCE_MS, 'its name')
        await compose('down', '--timeout', '5')
        await until(() => told('instance.removed').length === 2, PATIENCE_MS, 'both have gone')
      } finally {
        await compose('down', '--timeout', '0').catch(() => {})
        rmSync(directory, { recursive: true })
      }
    })

    it('opens the Docker host of the environment itself, and leaves out by name what a proxy does not permit', async () => {
      const proxy = await startProxy(engine.socket, 'start')
      const stateDir = mkdtempSync(join(tmpdir(), 'mdk-rt-state-'))
      vi.stubEnv('DOCKER_HOST', proxy.host)
      try {
        const service = await idle('forbidden')
        await using runtime = await openRuntime('docker', { stateDir, logger: silentLogger, clock: systemClock })
        expect([...runtime.abilities].sort()).toEqual(['logs', 'restart', 'resume', 'stop'])
        const [found] = await runtime.adopt([service], now())
        await expect(runtime.start(found?.id ?? '', now())).rejects.toMatchObject({
          code: 'ERR_DENIED',
          message: expect.stringContaining('"start"'),
        })
        expect(await runtime.inspect(found?.id ?? '', now())).toMatchObject({ state: 'created', failure: null })
      } finally {
        vi.unstubAllEnvs()
        await proxy[Symbol.asyncDispose]()
        rmSync(stateDir, { recursive: true, force: true })
      }
    })

    it('says unknown of all while dockerd is away, and then what has become of each', async () => {
      const services = [await idle('plain'), await idle('faithful', [...QUIET, '--restart', 'always'])]
      const { runtime, events, found } = await adopted(...services)
      const started = await Promise.all(found.map(({ id }) => runtime.start(id, now())))
      events.length = 0
      await engine.stop('SIGKILL')
      await until(
        () => events.filter(({ type }) => type === 'instance.lost').length === 2,
        PATIENCE_MS,
        'both are lost',
      )
      expect((await runtime.list(now())).map(({ state }) => state)).toEqual(['unknown', 'unknown'])
      await engine.start()
      const of = (service: string) =>
        events.filter(({ instance }) => instance.service === service).map(({ type }) => type)
      await until(
        () => of('plain').includes('instance.exited') && of('faithful').includes('instance.started'),
        PATIENCE_MS,
        'all is told',
      )
      // On its return dockerd first ends what its death has left running.
      expect(of('plain').filter((type) => type !== 'instance.stopping')).toEqual(['instance.lost', 'instance.exited'])
      expect(of('faithful')).not.toContain('instance.resumed')
      const faithful = (await runtime.list(now())).find(({ service }) => service === 'faithful')
      const former = started.find(({ service }) => service === 'faithful')
      expect(faithful?.state).toBe('running')
      expect(faithful?.startedAt).not.toBe(former?.startedAt)
    })

    it('goes on with the same run when dockerd only stood still', async () => {
      const { runtime, told, seen, id } = await adopted(await idle('still'))
      const run = await runtime.start(id, now())
      engine.suspend()
      try {
        await seen('lost unknown')
        await expect(runtime.start(id, now(500))).rejects.toThrow()
      } finally {
        engine.resume()
      }
      await seen('resumed running')
      expect(told).toEqual(['started running', 'lost unknown', 'resumed running'])
      expect(await runtime.inspect(id, now())).toEqual(run)
    })
  })
})
