import { createServer } from 'node:net'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { createServer as createHttpServer } from 'node:http'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { openDockerHost, resolveDockerSettings } from '../../src/monitor/docker/index.ts'
import type { DockerChange, DockerHost } from '../../src/monitor/docker/index.ts'
import { silentLogger, systemClock } from '../../src/shared/health/internal/index.ts'
import { makeCertificates, type Certificates } from '../support/docker/certificates.ts'
import { dockerMissing, engineDeadlineMs, startEngine, type Engine } from '../support/docker/engine.ts'
import { startProxy } from '../support/docker/proxy.ts'
import { until } from '../support/example.ts'

const signal = () => AbortSignal.timeout(30_000)
const PATIENCE_MS = 30_000

type Told = Extract<DockerChange, { type: 'container' }>

/** A host with all that it has told, and when (monotonic). */
async function watching(host: DockerHost) {
  const changes: (DockerChange & { readonly at: number })[] = []
  host.watch((change) => changes.push({ ...change, at: systemClock.mono() }))
  const of = (id: string) =>
    changes.filter((one): one is Told & { at: number } => one.type === 'container' && one.container.id === id)
  const seen = (what: string, holds: () => boolean) => until(holds, PATIENCE_MS, what)
  return { host, changes, of, seen }
}

const open = async (host: string, certPath?: string) =>
  await openDockerHost(resolveDockerSettings({}, certPath === undefined ? { host } : { host, certPath }), {
    clock: systemClock,
    logger: silentLogger,
  })

describe.skipIf(dockerMissing())('the view of a Docker host', () => {
  let engine: Engine
  let certificates: Certificates
  let secure: string
  const opened: AsyncDisposable[] = []

  beforeAll(async () => {
    certificates = await makeCertificates()
    secure = `tcp://127.0.0.1:${await freePort()}`
    const at = (name: string) => join(certificates.directory, name)
    const tls = [
      `--tlscacert=${at('ca.pem')}`,
      `--tlscert=${at('server-cert.pem')}`,
      `--tlskey=${at('server-key.pem')}`,
    ]
    const flags = [`--host=${secure}`, '--tlsverify', ...tls]
    engine = await startEngine({ flags })
  }, engineDeadlineMs)
  afterEach(async () => {
    for (const one of opened.splice(0).toReversed()) await one[Symbol.asyncDispose]()
    await engine.clean()
  })
  afterAll(async () => {
    await engine?.[Symbol.asyncDispose]()
    certificates?.[Symbol.dispose]()
  })

  const keep = <T extends AsyncDisposable>(one: T): T => {
    opened.push(one)
    return one
  }
  const watched = async (host = engine.host, certPath?: string) => await watching(keep(await open(host, certPath)))
  const run = (...command: string[]) =>
    engine.run(['--network', 'none'], ...(command.length ? command : ['sleep', '600']))

  it('agrees on a version and tells each end with who brought it about', async () => {
    const { host, of, seen } = await watched()
    expect(host.apiVersion).toBe('1.41')
    expect(host.lost).toBeNull()
    expect([...host.denied]).toEqual([])
    const id = await run('sh', '-c', 'trap "exit 5" TERM; while :; do sleep 0.05; done')
    const ends = () => of(id).flatMap(({ end }) => end ?? [])
    await seen('the start is told', () => of(id).some(({ container }) => container.state === 'running'))
    await engine.docker('kill', id)
    await seen('the kill is told', () => ends().length === 1)
    await engine.docker('start', id)
    await engine.docker('stop', '--time', '20', id)
    await seen('the stop is told', () => ends().length === 2)
    await engine.docker('start', id)
    const { pid } = await host.inspect(id, signal())
    process.kill(pid!, 'SIGKILL')
    await seen('the crash is told', () => ends().length === 3)
    await engine.docker('start', id)
    await engine.docker('restart', '--time', '0', id)
    await seen('the restart is told', () => ends().length === 4 && host.containers.get(id)?.state === 'running')
    expect(ends()).toEqual(['kill', 'stop', 'itself', 'stop'])
    expect(host.endOf(id)).toBeNull()
    const stopped = of(id).findIndex(({ container, end }) => end === 'stop' && container.exitCode === 5)
    expect(of(id)[stopped - 1]).toMatchObject({ stopping: true, container: { state: 'running' } })
    // Each run is told to begin once, and to end once.
    const runs = of(id).filter(({ container, stopping }) => container.state === 'running' && !stopping)
    expect(new Set(runs.map(({ container }) => container.startedAt)).size).toBe(runs.length)
    expect(runs).toHaveLength(5)
  })

  it('knows of what it finds stopped how it came to that, from what Docker remembers', async () => {
    const [killed, stopped, ended] = await Promise.all([run(), run('sleep', '600'), run('true')])
    await Promise.all([engine.docker('kill', killed), engine.docker('stop', '--time', '0', stopped)])
    await engine.docker('wait', ended)
    const { host } = await watched()
    expect([killed, stopped, ended].map((id) => host.endOf(id))).toEqual(['kill', 'stop', 'itself'])
  })

  it('never tells a container that is being removed as exited', async () => {
    const { of, seen, changes } = await watched()
    const ids = await Promise.all(Array.from({ length: 5 }, () => run()))
    await seen('all are told', () => ids.every((id) => of(id).length > 0))
    await Promise.all(ids.map((id) => engine.docker('rm', '--force', id)))
    await seen('all are gone', () => ids.every((id) => changes.some((one) => one.type === 'removed' && one.id === id)))
    const states = ids.flatMap((id) => of(id).map(({ container }) => container.state))
    expect(states).not.toContain('exited')
    expect(states).not.toContain('dead')
  })

  it('loses no end in a burst of a thousand events', async () => {
    const { of, seen } = await watched()
    const victims = await Promise.all(Array.from({ length: 6 }, () => run()))
    const CYCLES = 8
    const NOISE = 12
    // 8 cycles × 6 containers × 18 events, and 120 of containers that come and go: more than Docker itself remembers.
    await Promise.all([
      (async () => {
        for (let n = 0; n < 60; n++)
          await engine.docker('create', '--name', `burst-${n}`, '--network', 'none', engine.image)
        await engine.docker('rm', ...Array.from({ length: 60 }, (_, n) => `burst-${n}`))
      })(),
      ...victims.map(async (id) => {
        for (let n = 0; n < CYCLES; n++) {
          await engine.docker('kill', id)
          await engine.docker('start', id)
          await engine.docker('kill', '--signal', 'WINCH', ...Array.from({ length: NOISE }, () => id))
          await engine.docker('pause', id)
          await engine.docker('unpause', id)
          await engine.docker('rename', id, `${id.slice(0, 8)}-${n}`)
        }
      }),
    ])
    const ends = (id: string) => of(id).filter(({ end }) => end !== null)
    await seen('every end is told', () => victims.every((id) => ends(id).length === CYCLES))
    for (const id of victims) expect(ends(id).map(({ end }) => end)).toEqual(Array(CYCLES).fill('kill'))
  }, 240_000)

  it('works behind the socket proxy, and finds a death within 2 s although the stream of events is cut', async () => {
    const proxy = keep(await startProxy(engine.socket))
    const { host, of, seen } = await watched(proxy.host)
    expect([...host.denied]).toEqual([])
    const id = await run('sh', '-c', 'echo password=hunter2; exec sleep 600')
    await seen('the start is told', () => of(id).length > 0)
    await until(async () => (await host.logs(id, 1_000, signal())) !== '', PATIENCE_MS, 'it has written')
    expect(await host.logs(id, 1_000, signal())).toBe('password=[redacted]\n')
    await host.stop(id, 0, signal())
    await host.start(id, signal())
    await host.restart(id, 0, signal())
    await engine.docker('pause', id)
    await host.unpause(id, signal())
    expect((await host.inspect(id, signal())).state).toBe('running')
    await proxy.stop()
    await engine.docker('kill', id)
    const back = systemClock.mono()
    await proxy.start()
    await seen('the death is told', () => of(id).at(-1)?.end === 'kill')
    expect(of(id).at(-1)!.at - back).toBeLessThan(2_000)
  })

  it('names the one call that the proxy does not let through', async () => {
    const proxy = keep(await startProxy(engine.socket, 'restart'))
    const { host } = await watched(proxy.host)
    expect([...host.denied.keys()]).toEqual(['restart'])
    const id = await run()
    await expect(host.restart(id, 0, signal())).rejects.toMatchObject({
      code: 'ERR_DENIED',
      message: expect.stringContaining('"restart"'),
    })
    await expect(host.stop(id, 0, signal())).resolves.toBeUndefined()
  })

  it('speaks TLS and shows its certificate, and trusts no other authority', async () => {
    const { host, of, seen } = await watched(secure, certificates.directory)
    const id = await run()
    await seen('the start is told', () => of(id).length > 0)
    await host.stop(id, 0, signal())
    expect((await host.inspect(id, signal())).state).toBe('exited')
    using others = await makeCertificates()
    await expect(open(secure, others.directory)).rejects.toMatchObject({
      code: 'ERR_RUNTIME',
      message: expect.stringMatching(/certificate/),
      hint: expect.stringContaining('ca.pem'),
    })
    await expect(open(secure)).rejects.toMatchObject({ code: 'ERR_RUNTIME' })
  })

  it('is lost within 4 s while dockerd stands still, piles up no call, and comes back by itself', async () => {
    const { host, changes, of, seen } = await watched()
    const id = await run()
    await seen('the start is told', () => of(id).length > 0)
    const told = of(id).length
    const began = systemClock.mono()
    engine.suspend()
    try {
      await seen('lost is told', () => changes.at(-1)?.type === 'lost')
      expect(systemClock.mono() - began).toBeLessThan(4_000)
      await expect(host.restart(id, 0, AbortSignal.timeout(300))).rejects.toThrow(/timeout/i)
      await expect(host.inspect(id, signal())).rejects.toMatchObject({ code: 'ERR_RUNTIME' })
      const sockets = process.getActiveResourcesInfo().filter((name) => /Pipe/.test(name)).length
      expect(sockets).toBeLessThan(12)
    } finally {
      engine.resume()
    }
    const back = systemClock.mono()
    await seen('back is told', () => changes.some(({ type }) => type === 'back'))
    expect(systemClock.mono() - back).toBeLessThan(5_000)
    expect(host.lost).toBeNull()
    expect(changes.filter(({ type }) => type === 'lost')).toHaveLength(1)
    // The restart that was given up may or may not have reached it; nothing else has happened.
    expect(of(id).length - told).toBeLessThanOrEqual(4)
  })

  it('is lost while dockerd is away, and knows within 5 s of its return what has become of each container', async () => {
    const { host, changes, of, seen } = await watched()
    const plain = await run()
    const faithful = await engine.run(['--network', 'none', '--restart', 'always'], 'sleep', '600')
    await seen('both are told', () => of(plain).length > 0 && of(faithful).length > 0)
    const former = host.containers.get(faithful)!.startedAt
    await engine.stop('SIGKILL')
    await seen('lost is told', () => changes.some(({ type }) => type === 'lost'))
    expect(host.lost?.reason).toMatch(/cannot be reached/)
    await engine.start()
    const returned = systemClock.mono()
    await seen('all is known', () => host.containers.get(plain)?.state === 'exited')
    await seen('its policy has brought it back', () => {
      const now = host.containers.get(faithful)
      return now?.state === 'running' && now.startedAt !== former
    })
    expect(systemClock.mono() - returned).toBeLessThan(5_000)
    // What is known comes from the first look; that it is a lasting return is told after it.
    await seen('back is told', () => changes.some(({ type }) => type === 'back'))
    expect(changes.filter(({ type }) => type === 'back')).toHaveLength(1)
  })
})

describe('what is no Docker', () => {
  const directory = mkdtempSync(join(tmpdir(), 'medyk-nodocker-'))
  afterAll(() => rmSync(directory, { recursive: true }))

  it('is named with what to do about it', async () => {
    const file = join(directory, 'file')
    writeFileSync(file, '')
    await expect(open(`unix://${directory}/none.sock`)).rejects.toMatchObject({
      code: 'ERR_RUNTIME',
      message: expect.stringContaining('no such socket'),
      hint: expect.stringContaining('start dockerd'),
    })
    await expect(open(`unix://${file}`)).rejects.toMatchObject({ code: 'ERR_RUNTIME' })
    await expect(open(`tcp://127.0.0.1:${await freePort()}`)).rejects.toMatchObject({
      message: expect.stringContaining('nobody listens there'),
    })
  })

  it('is waited for by whoever is patient', async () => {
    const socket = join(directory, 'late.sock')
    const settings = resolveDockerSettings({}, { host: `unix://${socket}` })
    await using host = await openDockerHost(settings, { clock: systemClock, logger: silentLogger, patient: true })
    expect(host.lost?.reason).toContain('no such socket')
    const { changes, seen } = await watching(host)
    const server = createHttpServer((request, response) => {
      response.setHeader('api-version', '1.30')
      if (request.url?.includes('/events')) response.writeHead(200).flushHeaders()
      else response.end(request.url?.includes('/containers/json') ? '[]' : '{}')
    }).listen(socket)
    try {
      await seen('back is told', () => changes.some(({ type }) => type === 'back'))
      expect([host.lost, host.apiVersion]).toEqual([null, '1.30'])
    } finally {
      server.closeAllConnections()
      server.close()
    }
  })

  it('never harms: endless answers, garbage and silence end in an error', async () => {
    const answers: Record<string, string> = {
      '/_ping': 'OK',
      '/version': '{"ApiVersion":"9.99","MinAPIVersion":"1.44"}',
    }
    let list: (write: (text: string) => boolean, end: () => void) => void = (write, end) => (write('[garbage'), end())
    const server = createHttpServer((request, response) => {
      const answer = answers[request.url ?? '']
      response.setHeader('api-version', '9.99')
      if (answer !== undefined) return void response.end(answer)
      if (request.url?.includes('/containers/json')) {
        return list(
          (text) => response.write(text),
          () => response.end(),
        )
      }
      if (request.url?.includes('/events')) return void response.write('{"cut')
      response.writeHead(404).end('{}')
    }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const host = `tcp://127.0.0.1:${(server.address() as AddressInfo).port}`
    try {
      await expect(open(host)).rejects.toMatchObject({ message: expect.stringContaining('not JSON') })
      list = (write) => {
        const more = () => {
          while (write('['.repeat(65_536)));
          if (!server.listening) return
          setImmediate(more)
        }
        more()
      }
      await expect(open(host)).rejects.toMatchObject({ message: expect.stringContaining('too large') })
      list = () => {}
      await expect(open(host)).rejects.toMatchObject({ message: expect.stringContaining('longer than 5000 ms') })
      list = (write, end) => (write('[{"Id":5},null,{"Id":"x"}]'), end())
      const opened = await open(host)
      expect([opened.apiVersion, opened.containers.size]).toEqual(['1.44', 0])
      await opened[Symbol.asyncDispose]()
    } finally {
      server.closeAllConnections()
      server.close()
    }
  })
})

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}
