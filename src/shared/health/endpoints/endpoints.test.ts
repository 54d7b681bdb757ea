import { createServer, request as httpRequest, type IncomingHttpHeaders } from 'node:http'
import { connect, type AddressInfo } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { createHandler, Health, nodeListener, serveHealth, type NodeListenerOptions } from '../index.ts'
import { FakeClock } from '../testing/index.ts'

const open: AsyncDisposable[] = []
afterEach(async () => {
  for (const one of open.splice(0)) await one[Symbol.asyncDispose]()
})

async function setUp() {
  const clock = new FakeClock()
  const health = new Health({ service: 'cam', version: '1.0.0', clock, random: () => 0.5 })
  health.register({ name: 'db', check: () => Promise.reject(new Error('down')) })
  health.start()
  await clock.advance(10)
  return { clock, health }
}

interface Answered {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

type Ask = (path: string, method?: string) => Promise<Answered | null>

async function overNode(health: Health, options: NodeListenerOptions = {}): Promise<{ ask: Ask; port: number }> {
  const server = createServer(nodeListener(health, options))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  open.push({
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  })
  const { port } = server.address() as AddressInfo
  const ask = async (path: string, method = 'GET') =>
    await new Promise<Answered>((resolve, reject) => {
      const request = httpRequest({ port, host: '127.0.0.1', path, method, agent: false }, (response) => {
        const chunks: Buffer[] = []
        response.on('data', (chunk: Buffer) => chunks.push(chunk))
        response.on('error', reject)
        response.on('end', () =>
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            body: Buffer.concat(chunks).toString(),
          }),
        )
      })
      request.on('error', reject)
      request.end()
    })
  return { ask, port }
}

function overWeb(health: Health): Ask {
  const handler = createHandler(health)
  return async (path, method = 'GET') => {
    const response = await handler(new Request(`http://a.example${path}`, { method }))
    if (!response) return null
    return { status: response.status, headers: Object.fromEntries(response.headers), body: await response.text() }
  }
}

describe.each<[string, (health: Health) => Promise<Ask>]>([
  ['nodeListener', async (health) => (await overNode(health)).ask],
  ['createHandler', (health) => Promise.resolve(overWeb(health))],
])('%s', (_, adapt) => {
  it.each([
    ['/health', 200, 'degraded'],
    ['/ready', 503, 'unhealthy'],
    ['/startup', 200, 'healthy'],
  ])('answers %s with %d and the report, not to be stored', async (path, code, status) => {
    const { health } = await setUp()
    const answered = await (await adapt(health))(path)
    expect(answered).toMatchObject({
      status: code,
      headers: { 'content-type': 'application/json', 'cache-control': 'no-store' },
    })
    expect(answered?.headers['content-length']).toBe(String(answered?.body.length))
    expect(JSON.parse(answered?.body ?? '')).toMatchObject({ status, service: 'cam' })
  })

  it('answers /metrics in Prometheus’ format', async () => {
    const { health } = await setUp()
    const answered = await (await adapt(health))('/metrics')
    expect(answered).toMatchObject({ status: 200, headers: { 'cache-control': 'no-store' } })
    expect(answered?.headers['content-type']).toMatch(/^text\/plain; version=0\.0\.4/)
    expect(answered?.body).toContain('health_info{')
  })

  it.each(['/health', '/metrics'])('answers HEAD %s like GET, without the body', async (path) => {
    const { health } = await setUp()
    const ask = await adapt(health)
    const [get, head] = [await ask(path), await ask(path, 'HEAD')]
    expect(head?.body).toBe('')
    expect(head?.status).toBe(get?.status)
    expect(head?.headers['content-type']).toBe(get?.headers['content-type'])
  })

  it.each(['POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS'])(
    'refuses %s with 405 and says what is allowed',
    async (method) => {
      const { health } = await setUp()
      const ask = await adapt(health)
      for (const path of ['/health', '/metrics']) {
        expect(await ask(path, method)).toMatchObject({
          status: 405,
          headers: { allow: 'GET, HEAD', 'cache-control': 'no-store' },
        })
      }
    },
  )

  it('pays no attention to the query', async () => {
    const { health } = await setUp()
    expect(await (await adapt(health))('/health?verbose#x')).toMatchObject({ status: 200 })
  })

  it.each(['/', '/healthy', '/health/', '//health', '/Health'])('leaves %s to others', async (path) => {
    const { health } = await setUp()
    const answered = await (await adapt(health))(path)
    expect(answered?.status ?? 404).toBe(404)
  })
})

describe('nodeListener', () => {
  it('answers where it was told to, and not where not', async () => {
    const { health } = await setUp()
    const { ask } = await overNode(health, { paths: { health: '/livez', metrics: null } })
    expect([(await ask('/livez'))?.status, (await ask('/health'))?.status, (await ask('/metrics'))?.status]).toEqual([
      200, 404, 404,
    ])
  })

  it.each([
    [{ health: 'livez' }, 'livez'],
    [{ health: '/ready' }, '/ready'],
    [{ health: '/a b' }, '/a b'],
    [{ health: '/a?b' }, '/a?b'],
  ])('refuses the paths %j', async (paths, named) => {
    const { health } = await setUp()
    expect(() => nodeListener(health, { paths })).toThrow(named)
    expect(() => createHandler(health, { paths })).toThrow(expect.objectContaining({ code: 'ERR_OPTIONS' }))
  })

  it('hands every other request to the fallback', async () => {
    const { health } = await setUp()
    const { ask } = await overNode(health, { fallback: (request, response) => response.end(`own ${request.method}`) })
    expect(await ask('/frames', 'POST')).toMatchObject({ status: 200, body: 'own POST' })
  })

  it.each([
    ['throws', () => Promise.reject(new Error('password=hunter2'))],
    [
      'throws synchronously',
      () => {
        throw new Error('password=hunter2')
      },
    ],
  ])('answers 500 without details when the fallback %s', async (_, fallback) => {
    const { health } = await setUp()
    const { ask } = await overNode(health, { fallback })
    expect(await ask('/frames')).toMatchObject({ status: 500, body: '{"error":"internal error"}' })
  })

  it('understands a target in absolute form, and survives one that is nonsense', async () => {
    const { health } = await setUp()
    const { port } = await overNode(health)
    const raw = async (target: string) =>
      await new Promise<string>((resolve, reject) => {
        const socket = connect(port, '127.0.0.1', () =>
          socket.write(`GET ${target} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`),
        )
        let text = ''
        socket.on('data', (chunk: Buffer) => (text += chunk.toString()))
        socket.on('end', () => resolve(text.slice(0, text.indexOf('\r'))))
        socket.on('error', reject)
      })
    expect(await raw('http://a.example/health?x')).toBe('HTTP/1.1 200 OK')
    expect(await raw('*')).toBe('HTTP/1.1 404 Not Found')
    expect(await raw('http://[')).toMatch(/^HTTP\/1\.1 40\d/)
  })

  it('answers at once while a check hangs', async () => {
    const { clock, health } = await setUp()
    health.register({ name: 'hung', check: () => new Promise(() => {}) })
    await clock.advance(20)
    const { ask } = await overNode(health)
    expect(await ask('/health')).toMatchObject({ status: 200 })
    expect(JSON.parse((await ask('/health'))?.body ?? '')).toMatchObject({ checks: { hung: 'degraded' } })
  })
})

describe('serveHealth', () => {
  it('listens on loopback, on any free port for 0, and answers until it is closed', async () => {
    const { health } = await setUp()
    const server = await serveHealth(health, { port: 0 })
    expect(server).toMatchObject({ host: '127.0.0.1', port: expect.any(Number) })
    const url = `http://127.0.0.1:${server.port}/health`
    expect((await fetch(url)).status).toBe(200)
    await server.close()
    await server.close()
    await expect(fetch(url)).rejects.toThrow('fetch failed')
  })

  it('names a port that is taken and says what to do', async () => {
    const { health } = await setUp()
    const first = await serveHealth(health, { port: 0 })
    open.push(first)
    await expect(serveHealth(health, { port: first.port })).rejects.toMatchObject({
      code: 'ERR_PORT_TAKEN',
      message: `port ${first.port} on 127.0.0.1 is taken by another process`,
      hint: expect.stringContaining('choose another port'),
    })
  })

  it.each([
    [-1, '127.0.0.1'],
    [65_536, '127.0.0.1'],
    [0, '203.0.113.1'],
  ])('says so when it cannot listen on port %d of %s', async (port, host) => {
    const { health } = await setUp()
    await expect(serveHealth(health, { port, host })).rejects.toMatchObject({ code: 'ERR_LISTEN' })
  })

  it('cuts requests that do not end within the grace', async () => {
    const { health } = await setUp()
    const reached = Promise.withResolvers<void>()
    const server = await serveHealth(health, { port: 0, fallback: () => reached.resolve() })
    const endless = fetch(`http://127.0.0.1:${server.port}/endless`).then(
      () => 'answered',
      () => 'cut',
    )
    await reached.promise
    await server.close(50)
    expect(await endless).toBe('cut')
  })
})
