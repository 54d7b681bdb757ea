import { once } from 'node:events'
import { request } from 'node:http'
import { connect, createServer as createTcpServer, type AddressInfo, type Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { isMedykError } from '@medyk/health/internal'
import { afterEach, describe, expect, expectTypeOf, it } from 'vitest'
import { createFakeMonitor, type FakeMonitor } from '../../../test/browser/fake-monitor.ts'
import { incident, scenario, serviceRow } from '../../../test/browser/scenarios.ts'
import type * as model from '../model/index.ts'
import type { ActionRow, Cause, IncidentRow, ProbeRow, Status, Symptom } from './api.ts'
import { openApiDocument } from './openapi.ts'
import type { MonitorState } from './port.ts'
import * as schemas from './schemas.ts'
import { createServer, type ServerOptions } from './server.ts'

let disposables = new AsyncDisposableStack()
afterEach(async () => {
  await disposables.disposeAsync()
  disposables = new AsyncDisposableStack()
})

async function start(options: Partial<ServerOptions> = {}, state: MonitorState = healthy()) {
  const server = createServer({ state, version: '0.1.0', port: 0, webFolder: null, ...options })
  disposables.use(server)
  return await server.listen()
}

function healthy(): FakeMonitor {
  return createFakeMonitor(scenario('quarantined', Date.now()))
}

/** What a server says to bytes on a bare socket, until it closes or `ms` have passed. */
async function raw(port: number, bytes: string, ms = 4_000): Promise<string> {
  const socket = connect(port, '127.0.0.1')
  let text = ''
  socket.on('data', (chunk) => (text += chunk.toString()))
  socket.on('error', () => {})
  socket.write(bytes)
  await Promise.race([once(socket, 'close'), delay(ms, undefined, { ref: false })])
  socket.destroy()
  return text
}

const get = (path: string, more = '') => `GET ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n${more}\r\n`

/** Events of a stream, read until `enough` says so. */
async function events(url: string, enough: (text: string) => boolean, headers: Record<string, string> = {}) {
  const controller = new AbortController()
  const response = await fetch(url, { headers, signal: controller.signal })
  const decoder = new TextDecoder()
  let text = ''
  for await (const chunk of response.body ?? []) {
    text += decoder.decode(chunk, { stream: true })
    if (enough(text)) break
  }
  controller.abort()
  return text
}

async function eventually(check: () => boolean, ms = 10_000): Promise<void> {
  const deadline = performance.now() + ms
  while (!check()) {
    if (performance.now() > deadline) throw new Error('it never came true')
    await delay(1)
  }
}

describe('the API', () => {
  it('gives every list and detail in the shape its schema promises', async () => {
    const { url } = await start()
    const read = async (path: string) => (await fetch(`${url}${path}`)).json()
    const list = schemas.serviceList.parse(await read('/api/v1/services'))
    expect(list.services.map((row) => row.name)).toContain('frame-tracking')
    schemas.serviceDetail.parse(await read('/api/v1/services/metadata-storage'))
    const page = schemas.incidentPage.parse(await read('/api/v1/incidents'))
    expect(page.incidents[0]?.service).toBe('metadata-storage')
    schemas.incidentRow.parse(await read(`/api/v1/incidents/${page.incidents[0]?.id}`))
    schemas.healthReport.parse(await read('/health'))
    schemas.healthReport.parse(await read('/ready'))
  })

  it('names exactly the fixed fields, in their order', async () => {
    const { url } = await start()
    const { services } = (await (await fetch(`${url}/api/v1/services`)).json()) as { services: object[] }
    const row = services[0] as { instances: object[] }
    expect(Object.keys(row)).toEqual(['name', 'status', 'cause', 'reason', 'since', 'dependsOn', 'instances'])
    expect(Object.keys(row.instances[0] ?? {})).toEqual(['id', 'kind', 'pid', 'status', 'startedAt', 'restarts'])
    const page = (await (await fetch(`${url}/api/v1/incidents`)).json()) as { incidents: object[] }
    const fixed = ['id', 'service', 'cause', 'openedAt', 'detectedAt', 'recoveredAt', 'closedAt', 'actions']
    expect(Object.keys(page.incidents[0] ?? {})).toEqual(expect.arrayContaining(fixed))
  })

  it('pages through incidents without losing or repeating one', async () => {
    const state = createFakeMonitor(scenario('forty', Date.now()))
    const { url } = await start({}, state)
    const seen: string[] = []
    let cursor: string | null = null
    do {
      const query: string = cursor === null ? 'limit=7' : `limit=7&cursor=${encodeURIComponent(cursor)}`
      const page = schemas.incidentPage.parse(await (await fetch(`${url}/api/v1/incidents?${query}`)).json())
      seen.push(...page.incidents.map((row) => row.id))
      cursor = page.nextCursor
    } while (cursor !== null)
    expect(seen).toHaveLength(31)
    expect(new Set(seen).size).toBe(31)
    const open = schemas.incidentPage.parse(await (await fetch(`${url}/api/v1/incidents?state=open`)).json())
    expect(open.incidents.map((row) => row.id)).toEqual(['inc-90'])
  })

  it.each([
    { path: '/api/v1/incidents?limit=0', status: 400, code: 'ERR_QUERY' },
    { path: '/api/v1/incidents?limit=201', status: 400, code: 'ERR_QUERY' },
    { path: '/api/v1/incidents?limit=ten', status: 400, code: 'ERR_QUERY' },
    { path: '/api/v1/incidents?limt=10', status: 400, code: 'ERR_QUERY' },
    { path: '/api/v1/incidents?state=ajar', status: 400, code: 'ERR_QUERY' },
    { path: '/api/v1/incidents?cursor=forged', status: 400, code: 'ERR_CURSOR' },
    { path: '/api/v1/services/nobody', status: 404, code: 'ERR_NOT_FOUND' },
    { path: `/api/v1/services/${'x'.repeat(300)}`, status: 404, code: 'ERR_NOT_FOUND' },
    { path: '/api/v1/services/__proto__', status: 404, code: 'ERR_NOT_FOUND' },
    { path: '/api/v1/services/..%2f..%2fetc%2fpasswd', status: 404, code: 'ERR_NOT_FOUND' },
    { path: '/api/v1/incidents/none', status: 404, code: 'ERR_NOT_FOUND' },
    { path: '/api/v2/services', status: 404, code: 'ERR_NOT_FOUND' },
    { path: '/debug/fail', status: 404, code: 'ERR_NOT_FOUND' },
  ])('answers $path with problem $status $code', async ({ path, status, code }) => {
    const { url } = await start()
    const response = await fetch(url + path)
    expect(response.status).toBe(status)
    expect(response.headers.get('content-type')).toBe('application/problem+json')
    const body = schemas.problem.parse(await response.json())
    expect(body).toMatchObject({ status, code })
  })

  it('says which query parameter is wrong', async () => {
    const { url } = await start()
    const body = schemas.problem.parse(await (await fetch(`${url}/api/v1/incidents?limit=ten`)).json())
    expect(body.issues).toEqual([{ path: 'limit', message: expect.stringContaining('number') }])
  })

  it.each(['POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'])('refuses %s and says what is allowed', async (method) => {
    const { url } = await start()
    for (const path of ['/', '/api/v1/services', '/health', '/nowhere']) {
      const response = await fetch(url + path, { method })
      expect(response.status).toBe(405)
      expect(response.headers.get('allow')).toBe('GET, HEAD')
      schemas.problem.parse(await response.json())
    }
  })

  it('answers HEAD like GET, without a body and without leaving a stream open', async () => {
    const state = healthy()
    const { url } = await start({}, state)
    for (const path of ['/api/v1/services', '/health', '/', '/api/v1/events']) {
      const response = await fetch(url + path, { method: 'HEAD' })
      expect(response.status).toBe(200)
      expect(await response.text()).toBe('')
    }
    expect(state.subscribers).toBe(0)
  })

  it('turns unhealthy into 503 and hands out metrics as Prometheus reads them', async () => {
    const state = healthy()
    const { url } = await start(
      {},
      {
        ...state,
        health: (probe) => ({ ...state.health(probe), status: probe === 'readiness' ? 'unhealthy' : 'degraded' }),
      },
    )
    expect((await fetch(`${url}/health`)).status).toBe(200)
    expect((await fetch(`${url}/ready`)).status).toBe(503)
    const metrics = await fetch(`${url}/metrics`)
    expect(metrics.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8')
    expect(await metrics.text()).toContain('medyk_up 1')
  })

  it('gives up on a journal that does not answer, and hides what an error says', async () => {
    const state = healthy()
    const { url } = await start(
      { limits: { answerWithinMs: 50 } },
      {
        ...state,
        incidents: () => new Promise(() => {}),
        incident: () => Promise.reject(new Error('password=hunter2 in /secret/path')),
      },
    )
    const late = await fetch(`${url}/api/v1/incidents`)
    expect(late.status).toBe(503)
    expect(late.headers.get('retry-after')).toBe('2')
    const broken = await fetch(`${url}/api/v1/incidents/x`)
    expect(broken.status).toBe(500)
    expect(await broken.text()).not.toMatch(/hunter2|secret/)
  })

  it('serves its own contract', async () => {
    const { url } = await start()
    const served = await (await fetch(`${url}/api/v1/openapi.json`)).text()
    expect(JSON.parse(served)).toMatchObject({ openapi: '3.1.0', info: { version: '0.1.0' } })
    expect(served).toBe(JSON.stringify(openApiDocument('0.1.0')))
  })

  it('puts the security headers on every answer, refusals included', async () => {
    const { url } = await start()
    for (const path of ['/', '/api/v1/services', '/nowhere', '/metrics']) {
      const { headers } = await fetch(url + path)
      expect(headers.get('content-security-policy')).toContain("default-src 'none'")
      expect(headers.get('x-content-type-options')).toBe('nosniff')
      expect(headers.get('referrer-policy')).toBe('no-referrer')
    }
  })

  it('leaves Request and Response of the process alone', async () => {
    const before = [globalThis.Request, globalThis.Response]
    await start()
    expect([globalThis.Request, globalThis.Response]).toEqual(before)
  })

  it('speaks the words of the model', () => {
    expectTypeOf<Status>().toEqualTypeOf<model.InstanceStatus>()
    expectTypeOf<Cause>().toEqualTypeOf<model.Cause>()
    expectTypeOf<Symptom>().toEqualTypeOf<model.Symptom>()
    expectTypeOf<IncidentRow['evidence']>().toEqualTypeOf<model.EvidenceClass | null>()
    expectTypeOf<IncidentRow['severity']>().toEqualTypeOf<model.Incident['severity']>()
    expectTypeOf<ActionRow['kind']>().toEqualTypeOf<model.ActionKind>()
    expectTypeOf<ActionRow['result']>().toEqualTypeOf<model.ActionResult | null>()
    expectTypeOf<ProbeRow['lastOutcome']>().toEqualTypeOf<model.AttemptClass | null>()
    expectTypeOf<ProbeRow['role']>().toEqualTypeOf<model.ProbeRole>()
  })
})

describe('the event stream', () => {
  it('starts with a hello and then tells each change once', async () => {
    const state = healthy()
    const { url } = await start({}, state)
    const reading = events(`${url}/api/v1/events`, (text) => text.includes('event: incident'))
    await eventually(() => state.subscribers === 1)
    state.setService(serviceRow('camera', { status: 'degraded' }, null))
    state.setIncident(incident({ id: 'inc-99', service: 'camera' }))
    const text = await reading
    const types = [...text.matchAll(/^event: (\w+)$/gm)].map((match) => match[1])
    expect(types).toEqual(['hello', 'service', 'incident'])
    const data = [...text.matchAll(/^data: (.*)$/gm)].map((match) => JSON.parse(match[1] ?? '') as unknown)
    schemas.hello.parse(data[0])
    expect(schemas.serviceRow.parse(data[1])).toMatchObject({ name: 'camera', status: 'degraded' })
    expect(schemas.incidentRow.parse(data[2]).id).toBe('inc-99')
    await eventually(() => state.subscribers === 0)
  })

  it('goes on where a client stopped, by header or by parameter', async () => {
    const state = healthy()
    const { url } = await start({}, state)
    for (const name of ['a', 'b', 'c']) state.setService(serviceRow(name, {}, null))
    const done = (text: string) => text.includes('"name":"c"')
    const byHeader = await events(`${url}/api/v1/events`, done, { 'last-event-id': 'test-1' })
    const byQuery = await events(`${url}/api/v1/events?since=test-1`, done)
    for (const text of [byHeader, byQuery]) {
      expect(text).toContain('"resumed":true')
      expect([...text.matchAll(/"name":"(\w)"/g)].map((match) => match[1])).toEqual(['b', 'c'])
    }
  })

  it('beats while nothing happens', async () => {
    const { url } = await start({ limits: { heartbeatMs: 20 } })
    const text = await events(`${url}/api/v1/events`, (sofar) => sofar.split(': beat').length > 3)
    expect(text).toContain(': beat\n\n')
  })

  it('admits so many clients and no more, and takes the next when one has left', async () => {
    const state = healthy()
    const { url } = await start({ limits: { maxClients: 2 } }, state)
    const controllers = [new AbortController(), new AbortController()]
    for (const { signal } of controllers) await fetch(`${url}/api/v1/events`, { signal })
    const third = await fetch(`${url}/api/v1/events`)
    expect(third.status).toBe(503)
    expect(schemas.problem.parse(await third.json()).code).toBe('ERR_TOO_MANY_STREAMS')
    controllers[0]?.abort()
    await eventually(() => state.subscribers === 1)
    expect(await events(`${url}/api/v1/events`, (text) => text.includes('hello'))).toContain('event: hello')
    controllers[1]?.abort()
  })

  it('cuts off a client that does not read, and keeps the others', async () => {
    const state = healthy()
    const { url, port } = await start({ limits: { maxBufferedBytes: 64 * 1024 } }, state)
    const lazy: Socket = connect(port, '127.0.0.1')
    lazy.on('error', () => {})
    lazy.write(get('/api/v1/events'))
    lazy.pause()
    let lines = 0
    const eager = request(`${url}/api/v1/events`, (response) =>
      response.on('data', (chunk: Buffer) => (lines += chunk.toString().split('\n').length - 1)),
    )
    eager.on('error', () => {}).end()
    await eventually(() => state.subscribers === 2 && lines > 0)
    const [opening, perEvent] = [lines, 4]
    const reason = 'x'.repeat(32_000)
    // Kernel buffers take some megabytes before a sender feels anything; the eager one is waited for after each event.
    let sent = 0
    while (state.subscribers === 2 && sent < 4_000) {
      state.setService(serviceRow('busy', { reason }, null))
      sent++
      await eventually(() => lines === opening + sent * perEvent)
    }
    expect(sent).toBeLessThan(4_000)
    expect(state.subscribers).toBe(1)
    eager.destroy()
    lazy.destroy()
  }, 60_000)

  it('says "fetch anew" instead of a replay that would not fit', async () => {
    const state = healthy()
    const { url } = await start({ limits: { maxBufferedBytes: 16 * 1024 } }, state)
    for (let n = 0; n < 10; n++) state.setService(serviceRow('big', { reason: 'x'.repeat(4_000) }, null))
    const text = await events(`${url}/api/v1/events?since=test-1`, (sofar) => sofar.includes('event: hello\n'))
    expect(text).toContain('"resumed":false')
    expect(text).toContain('id: test-10\n')
  })

  it('ends when the server closes, without waiting for the clients', async () => {
    const state = healthy()
    const server = createServer({ state, version: '1', port: 0, webFolder: null })
    const { url } = await server.listen()
    const response = await fetch(`${url}/api/v1/events`)
    const reading = response.text()
    const begun = performance.now()
    await server[Symbol.asyncDispose]()
    await server[Symbol.asyncDispose]()
    expect(performance.now() - begun).toBeLessThan(5_000)
    expect(await reading).toContain('event: hello')
    expect(state.subscribers).toBe(0)
  })
})

describe('hostile clients', () => {
  it('get 403 for a foreign Host or Origin on loopback', async () => {
    const { port } = await start()
    const foreign = await raw(port, 'GET /api/v1/services HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n')
    expect(foreign).toMatch(/^HTTP\/1\.1 403 /)
    expect(foreign).toContain('application/problem+json')
    expect(foreign).not.toContain('frame-tracking')
    expect(await raw(port, get('/', 'Origin: https://evil.example\r\n'))).toMatch(/^HTTP\/1\.1 403 /)
    expect(await raw(port, get('/', 'Origin: http://localhost:5173\r\n'))).toMatch(/^HTTP\/1\.1 200 /)
    expect(await raw(port, 'GET / HTTP/1.1\r\nConnection: close\r\n\r\n')).toMatch(/^HTTP\/1\.1 400 /)
    expect(await raw(port, 'GET / HTTP/1.0\r\n\r\n')).toMatch(/^HTTP\/1\.1 403 /)
    expect(
      await raw(port, 'GET http://evil.example/ HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n'),
    ).toMatch(/^HTTP\/1\.1 403 /)
  })

  it('cannot send a body: it is answered at once and shown out', async () => {
    const { port } = await start()
    const outcome = await new Promise<{ status: number | undefined; sent: boolean }>((resolve) => {
      const upload = request({ port, host: '127.0.0.1', method: 'POST', path: '/api/v1/services' }, (response) => {
        response.resume()
        resolve({ status: response.statusCode, sent: upload.writableFinished })
      })
      upload.on('error', () => {})
      upload.setHeader('content-length', 10 * 1024 * 1024)
      upload.write('x')
    })
    expect(outcome).toEqual({ status: 405, sent: false })
    const asked = await raw(
      port,
      'POST / HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: 9999\r\n\r\n',
    )
    expect(asked).toMatch(/^HTTP\/1\.1 405 /)
    expect(await raw(port, `${get('/health', 'Content-Length: 3\r\n')}abc`)).toMatch(/^HTTP\/1\.1 200 /)
  })

  it('are bounded in headers and in time', async () => {
    const { port } = await start({ limits: { headersTimeoutMs: 300, requestTimeoutMs: 600 } })
    expect(await raw(port, get('/', `X-Big: ${'x'.repeat(20_000)}\r\n`))).toMatch(/^HTTP\/1\.1 431 /)
    const begun = performance.now()
    expect(await raw(port, 'GET / HTTP/1.1\r\nHost: localh', 20_000)).toMatch(/^HTTP\/1\.1 408 /)
    expect(performance.now() - begun).toBeLessThan(15_000)
  })

  it.each([
    {
      what: 'two lengths',
      bytes: 'GET / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab',
    },
    {
      what: 'length and chunks',
      bytes: 'GET / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    },
    { what: 'no HTTP', bytes: '\x16\x03\x01\x02\x00\x01\x00\x01\r\n\r\n' },
    { what: 'a backslash in the target', bytes: get('/..\\..\\etc') },
    { what: 'a Host with a path', bytes: 'GET / HTTP/1.1\r\nHost: localhost/evil\r\nConnection: close\r\n\r\n' },
  ])('with $what get an error and the server lives on', async ({ bytes }) => {
    const { port, url } = await start()
    expect(await raw(port, bytes)).toMatch(/^HTTP\/1\.1 40[03] /)
    expect((await fetch(`${url}/health`)).status).toBe(200)
  })

  it('cannot hold more connections than allowed', async () => {
    const { port } = await start({ limits: { maxConnections: 3 } })
    const sockets = Array.from({ length: 6 }, () => connect(port, '127.0.0.1'))
    let closed = 0
    for (const socket of sockets) {
      socket.on('error', () => {})
      socket.on('close', () => closed++)
      socket.resume()
    }
    await eventually(() => closed === 3)
    for (const socket of sockets) socket.destroy()
  })
})

describe('listening', () => {
  it('names who holds a taken port and what to do', async () => {
    const other = createTcpServer().listen(0, '127.0.0.1')
    await once(other, 'listening')
    const { port } = other.address() as AddressInfo
    const server = createServer({ state: healthy(), version: '1', port, webFolder: null })
    const error = await server.listen().then(
      () => null,
      (thrown: unknown) => thrown,
    )
    other.close()
    await server[Symbol.asyncDispose]()
    if (!isMedykError(error, 'ERR_PORT_TAKEN')) throw new Error('expected ERR_PORT_TAKEN')
    expect(error.message).toContain(`port ${port} `)
    expect(error.hint).toContain('MEDYK_PORT=')
    if (process.platform === 'linux') expect(error.message).toContain(`process ${process.pid}`)
  })

  it('says when the address is not this machine’s', async () => {
    const server = createServer({ state: healthy(), version: '1', port: 0, host: '192.0.2.1', webFolder: null })
    await expect(server.listen()).rejects.toMatchObject({ code: 'ERR_LISTEN' })
  })

  it('can be bound again right after it was closed', async () => {
    const first = createServer({ state: healthy(), version: '1', port: 0, webFolder: null })
    const { port, url } = await first.listen()
    await (await fetch(`${url}/health`)).text()
    await first[Symbol.asyncDispose]()
    expect((await start({ port })).port).toBe(port)
  })
})
