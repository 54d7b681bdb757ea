import { statSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { defaultPorts, portVariable } from '../../examples/detektor/config.mjs'
import { at } from '../../scripts/lib/paths.mjs'
import type { ServiceRow } from '../../src/monitor/server/api.ts'
import { medyk } from '../support/cli.ts'
import { dockerMissing, engineDeadlineMs, startEngine, type Engine } from '../support/docker/engine.ts'
import { freePorts, until } from '../support/example.ts'

const services = ['camera', 'frame-buffer', 'rtsp-capture', 'metadata-storage', 'frame-tracking'] as const
const folder = at('deploy')
const behindProxy = ['-f', 'compose.yaml', '-f', 'compose.proxy.yaml']

describe.skipIf(dockerMissing())('the deployment', async () => {
  const watchesProjects = (await medyk(['serve', '--help'])).stdout.includes('--project')
  let engine: Engine
  let ports: Record<string, number>

  const compose = (...args: string[]) => engine.compose(folder, ...args)
  const url = (name: string, path: string) => `http://127.0.0.1:${ports[name]}${path}`
  const rows = async () => {
    const response = await fetch(url('medyk', '/api/v1/services'), { signal: AbortSignal.timeout(2_000) })
    return ((await response.json()) as { services: ServiceRow[] }).services
  }
  const seenHealthy = (withinMs: number) =>
    until(
      async () => {
        const found = new Map((await rows()).map((row) => [row.name, row.status]))
        const ill = services.filter((name) => found.get(name) !== 'healthy')
        if (ill.length > 0) throw new Error(ill.map((name) => `${name} is ${found.get(name) ?? 'not seen'}`).join(', '))
        return true
      },
      withinMs,
      'Medyk sees every service healthy',
      200,
    ).catch(async (error: Error) => {
      throw new Error(`${error.message}\n${await compose('logs', '--no-color', '--tail', '30', 'medyk')}`)
    })

  beforeAll(async () => {
    engine = await startEngine()
    ports = await freePorts(Object.keys(defaultPorts))
    for (const [name, port] of Object.entries(ports)) engine.environment[portVariable(name)] = String(port)
    engine.environment['DOCKER_SOCKET'] = engine.socket
    engine.environment['DOCKER_GID'] = String(statSync(engine.socket).gid)
    await compose('build')
    await compose('up', '--detach', ...services)
  }, engineDeadlineMs)
  afterAll(() => engine?.[Symbol.asyncDispose](), 120_000)

  it('builds its images and runs the pipeline, which answers on the ports of the document', async () => {
    for (const name of services) {
      await until(async () => (await fetch(url(name, '/ready'))).status === 200, 60_000, `${name} is ready`, 200)
      expect(await (await fetch(url(name, '/health'))).json()).toMatchObject({ service: name, status: 'healthy' })
    }
  })

  it('lets Docker itself see the services healthy', async () => {
    const status = async (name: string) => (await engine.inspect(`detektor-${name}-1`)).State.Health?.Status
    for (const name of services) {
      await until(async () => (await status(name)) === 'healthy', 90_000, `Docker calls ${name} healthy`, 500)
    }
  })

  it('runs no image as root, and marks the daemon', async () => {
    const config = async (image: string) =>
      JSON.parse(await engine.docker('image', 'inspect', '--format', '{{json .Config}}', image)) as object
    expect(await config('detektor-example')).toMatchObject({ User: '10001:10001' })
    expect(await config('medyk')).toMatchObject({
      User: '10001:10001',
      Labels: { 'io.medyk.role': 'daemon' },
      Healthcheck: { Test: ['CMD', 'node', '-e', expect.any(String)] },
    })
    expect(await engine.docker('run', '--rm', '--network', 'none', 'medyk', '--version')).toMatch(/^\d+\.\d+\.\d+/)
  })

  it.skipIf(!watchesProjects)('has a daemon that sees every service healthy, and is healthy itself', async () => {
    await compose('up', '--detach')
    await seenHealthy(90_000)
    const own = async () => (await engine.inspect('detektor-medyk-1')).State.Health?.Status
    await until(async () => (await own()) === 'healthy', 90_000, 'Docker calls the daemon healthy', 500)
  })

  it('lets through the proxy what the daemon needs, and nothing else', async () => {
    await compose(...behindProxy, 'up', '--detach', '--no-deps', 'docker-proxy')
    const socket = '/run/medyk/docker.sock'
    const curl = ['curl', '--silent', '--max-time', '10', '--output', '/dev/null', '--write-out', '%{http_code}']
    const ask = (method: string, path: string, ...more: string[]) => {
      const options = ['--unix-socket', socket, '--path-as-is', '--request', method, ...more, `http://docker${path}`]
      return engine.docker('exec', 'detektor-docker-proxy-1', ...curl, ...options)
    }
    await until(async () => (await ask('GET', '/_ping')) === '200', 30_000, 'the proxy answers', 100)
    const answers = async (cases: readonly (readonly [string, string, ...string[]])[]) => {
      const told: Record<string, string> = {}
      for (const [method, path, ...more] of cases)
        told[[method, path, ...more].join(' ')] = await ask(method, path, ...more)
      return told
    }
    const camera = '/v1.41/containers/detektor-camera-1'
    expect(
      await answers([
        ['GET', '/version'],
        ['GET', '/v1.41/containers/json?all=1'],
        ['GET', `${camera}/json`],
        ['GET', `${camera}/logs?stdout=1&tail=1`],
        ['GET', '/v1.41/events?since=1&until=2'],
        // It runs already.
        ['POST', `${camera}/start`],
      ]).then((told) => Object.values(told)),
    ).toEqual(['200', '200', '200', '200', '200', '304'])
    const refused = await answers([
      ['POST', '/v1.41/containers/create'],
      ['POST', `${camera}/exec`],
      ['POST', `${camera}/kill`],
      ['DELETE', camera],
      ['GET', `${camera}/archive?path=/etc`],
      ['GET', '/v1.41/info'],
      ['GET', '/v1.41/images/json'],
      ['GET', `${camera}/start`],
      ['GET', `/v1.41/containers/..%2fimages/json`],
      ['GET', '/v1.41/containers/../secrets/json'],
      ['POST', `${camera}/start`, '--data', '{"Privileged":true}'],
    ])
    expect(Object.entries(refused).filter(([, code]) => code !== '403')).toEqual([])
  })

  it.skipIf(!watchesProjects)('has a daemon that does as well behind the proxy', async () => {
    await compose(...behindProxy, 'up', '--detach')
    const { StartedAt } = (await engine.inspect('detektor-medyk-1')).State
    await seenHealthy(90_000)
    // Nothing but the proxy leads from the daemon to Docker now: what is started, is started through it.
    const camera = async () => (await engine.inspect('detektor-camera-1')).State
    const before = await camera()
    await engine.docker('kill', 'detektor-camera-1')
    await until(async () => (await camera()).Running, 20_000, 'the camera runs again')
    expect((await camera()).StartedAt).not.toBe(before.StartedAt)
    await seenHealthy(60_000)
    expect((await engine.inspect('detektor-medyk-1')).State.StartedAt).toBe(StartedAt)
  })

  it('ends with one command', async () => {
    await compose(...behindProxy, 'down', '--volumes', '--timeout', '10')
    expect(await engine.docker('container', 'ls', '--all', '--quiet')).toBe('')
  })
})
