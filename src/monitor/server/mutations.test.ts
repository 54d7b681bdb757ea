import { connect } from 'node:net'
import { once } from 'node:events'
import { MedykError } from '@medyk/health/internal'
import { afterEach, describe, expect, it } from 'vitest'
import { createFakeMonitor } from '../../../test/browser/fake-monitor.ts'
import { scenario } from '../../../test/browser/scenarios.ts'
import type { AuditRow, MaintenanceRow } from './api.ts'
import type { AuditTrail, MonitorCommands } from './port.ts'
import * as schemas from './schemas.ts'
import { createServer, type ServerOptions } from './server.ts'

const VIEWER = 'viewer-0123456789'
const OPERATOR = 'operator-0123456789'
const both = { viewer: VIEWER, operator: OPERATOR }

let disposables = new AsyncDisposableStack()
afterEach(async () => {
  await disposables.disposeAsync()
  disposables = new AsyncDisposableStack()
})

type Asked = { readonly what: string } & Record<string, unknown>

/** A server whose commands and audit only note what they were asked. */
async function start(options: Partial<ServerOptions> = {}) {
  const asked: Asked[] = []
  const audited: Omit<AuditRow, 'at' | 'count'>[] = []
  const row = (request: { service: string; by: string; reason: string; until: string }): MaintenanceRow => ({
    ...request,
    since: new Date().toISOString(),
  })
  const commands: MonitorCommands = {
    async maintain(request) {
      asked.push({ what: 'maintain', ...request })
      if (request.service === 'nobody') throw new MedykError('ERR_UNKNOWN_SERVICE', 'no service is called "nobody"')
      return row(request)
    },
    async endMaintenance(request) {
      asked.push({ what: 'end', ...request })
      return null
    },
    maintenance: () => [],
    async restart(request) {
      asked.push({ what: 'restart', ...request })
      if (request.key === 'used') throw new MedykError('ERR_KEY_REUSED', 'this key was used for something else')
      if (request.service === 'full') throw new MedykError('ERR_JOURNAL_WRITE', 'disk full')
      if (request.service === 'broken') throw new Error('password=hunter2')
      return { id: 'operator-1', service: request.service, actions: [{ id: 'operator-1-1', instance: 'a-1' }] }
    },
    action: async () => null,
  }
  const audit: AuditTrail = {
    async record(entry) {
      audited.push(entry)
    },
    async refused(entry) {
      audited.push({ ...entry, result: 'refused' })
    },
    read: async () => audited.map((entry) => ({ ...entry, at: '2026-05-01T10:00:00.000Z', count: 1 })),
  }
  const state = createFakeMonitor(scenario('quarantined', Date.now()))
  const server = createServer({
    state,
    commands,
    audit,
    access: both,
    version: '1',
    port: 0,
    webFolder: null,
    ...options,
  })
  disposables.use(server)
  const { url, port } = await server.listen()
  const send = (
    method: string,
    path: string,
    {
      token = OPERATOR,
      body,
      headers = {},
    }: { token?: string | null; body?: unknown; headers?: Record<string, string> } = {},
  ) =>
    fetch(`${url}${path}`, {
      method,
      headers: {
        ...(token === null ? {} : { authorization: `Bearer ${token}` }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    })
  return { url, port, send, asked, audited }
}

const RESTART = '/api/v1/services/camera/restart'
const MAINTENANCE = '/api/v1/services/camera/maintenance'
const because = { reason: 'new lens' }

describe('an operator', () => {
  it('takes a service into maintenance and out of it, by name', async () => {
    const { send, asked, audited } = await start()
    const begun = Date.now()
    const answer = await send('POST', MAINTENANCE, { body: { ...because, for: '30m', by: 'anna' } })
    expect(answer.status).toBe(200)
    const held = schemas.maintenanceRow.parse(await answer.json())
    expect(held).toMatchObject({ service: 'camera', by: 'operator (anna)', reason: 'new lens' })
    const lasts = Date.parse(held.until) - begun
    expect(lasts).toBeGreaterThanOrEqual(1_800_000)
    expect(lasts).toBeLessThan(1_830_000)
    const ended = await send('DELETE', MAINTENANCE)
    expect([ended.status, schemas.maintenanceLeft.parse(await ended.json())]).toEqual([200, { maintenance: null }])
    expect(asked.map(({ what, by }) => [what, by])).toEqual([
      ['maintain', 'operator (anna)'],
      ['end', 'operator'],
    ])
    expect(audited).toMatchObject([
      {
        who: 'operator (anna)',
        role: 'operator',
        method: 'POST',
        path: MAINTENANCE,
        service: 'camera',
        result: 'allowed',
        reason: 'new lens',
      },
      { who: 'operator', method: 'DELETE', result: 'allowed' },
    ])
  })

  it('asks for a restart, and the key goes with it', async () => {
    const { send, asked } = await start()
    const answer = await send('POST', RESTART, { body: because, headers: { 'idempotency-key': 'k1' } })
    expect(answer.status).toBe(202)
    expect(schemas.restartAccepted.parse(await answer.json()).actions).toEqual([
      { id: 'operator-1-1', instance: 'a-1' },
    ])
    expect(asked).toEqual([{ what: 'restart', service: 'camera', by: 'operator', reason: 'new lens', key: 'k1' }])
  })

  it('reads the audit, a viewer does not', async () => {
    const { send } = await start()
    await send('POST', RESTART, { body: because })
    const page = schemas.auditPage.parse(await (await send('GET', '/api/v1/audit?limit=5')).json())
    expect(page.audit).toMatchObject([{ result: 'allowed', path: RESTART }])
    expect((await send('GET', '/api/v1/audit', { token: VIEWER })).status).toBe(403)
    expect((await send('GET', '/api/v1/audit?limit=0')).status).toBe(400)
  })

  it.each([
    [
      'an unknown service',
      '/api/v1/services/nobody/maintenance',
      { ...because, for: '1m' },
      {},
      404,
      'ERR_UNKNOWN_SERVICE',
    ],
    ['a key that was used', RESTART, because, { 'idempotency-key': 'used' }, 422, 'ERR_KEY_REUSED'],
    ['a journal that is full', '/api/v1/services/full/restart', because, {}, 503, 'ERR_JOURNAL_WRITE'],
    ['a fault of ours', '/api/v1/services/broken/restart', because, {}, 500, 'ERR_INTERNAL'],
  ])('is told of %s, and so is the audit', async (_what, path, body, headers, status, code) => {
    const { send, audited } = await start()
    const answer = await send('POST', path, { body, headers })
    const text = await answer.text()
    expect([answer.status, schemas.problem.parse(JSON.parse(text)).code]).toEqual([status, code])
    expect(text).not.toContain('hunter2')
    expect(audited.map(({ result }) => result)).toEqual(['allowed', 'failed'])
  })

  it('does nothing that cannot be audited', async () => {
    const { send, asked } = await start({
      audit: {
        record: () => Promise.reject(new MedykError('ERR_JOURNAL_WRITE', 'disk full')),
        refused: async () => {},
        read: async () => [],
      },
    })
    expect((await send('POST', RESTART, { body: because })).status).toBe(503)
    expect(asked).toEqual([])
  })

  it('may do so much within a minute, and others take nothing of that', async () => {
    const { send, audited } = await start({ limits: { changesPerMinute: 2 } })
    for (let n = 0; n < 5; n++) await send('POST', RESTART, { body: because, token: VIEWER })
    expect((await send('POST', RESTART, { body: because })).status).toBe(202)
    expect((await send('DELETE', MAINTENANCE)).status).toBe(200)
    const third = await send('POST', RESTART, { body: because })
    expect(third.status).toBe(429)
    expect(Number(third.headers.get('retry-after'))).toBeGreaterThan(0)
    expect(audited.at(-1)).toMatchObject({ result: 'refused', reason: expect.stringContaining('ERR_TOO_MANY') })
  })
})

describe('a change is refused, and audited,', () => {
  it.each([
    ['without a token', both, null, 401, 'ERR_UNAUTHENTICATED', 'none'],
    ['with an unknown token', both, 'somebody-0123456789', 401, 'ERR_UNAUTHENTICATED', 'none'],
    ['with the token of a viewer', both, VIEWER, 403, 'ERR_FORBIDDEN_ROLE', 'viewer'],
    ['where no operator token is set', { viewer: VIEWER, operator: null }, VIEWER, 403, 'ERR_NO_OPERATOR', 'viewer'],
    ['where no token is set at all', { viewer: null, operator: null }, null, 403, 'ERR_NO_OPERATOR', 'none'],
  ] as const)('%s', async (_what, access, token, status, code, role) => {
    const { send, asked, audited } = await start({ access })
    for (const [method, path] of [
      ['POST', RESTART],
      ['POST', MAINTENANCE],
      ['DELETE', MAINTENANCE],
    ] as const) {
      const answer = await send(method, path, { token, ...(method === 'POST' ? { body: because } : {}) })
      expect(answer.status).toBe(status)
      expect(answer.headers.get('www-authenticate')?.startsWith('Bearer') ?? false).toBe(status === 401)
      const body = schemas.problem.parse(await answer.json())
      expect(body.code).toBe(code)
      expect(body.hint).toMatch(/TOKEN|token/)
    }
    expect(asked).toEqual([])
    expect(audited).toHaveLength(3)
    for (const row of audited) {
      expect(row).toMatchObject({ role, result: 'refused', service: 'camera' })
      expect(row.reason).toContain(code)
      expect(JSON.stringify(row)).not.toContain(token ?? 'no token')
    }
  })

  it('from a foreign page, whatever token it has', async () => {
    const { send, asked, audited, port } = await start()
    const answer = await send('POST', RESTART, { body: because, headers: { origin: 'https://evil.example' } })
    expect([answer.status, schemas.problem.parse(await answer.json()).code]).toEqual([403, 'ERR_FORBIDDEN_HOST'])
    const socket = connect(port, '127.0.0.1')
    socket.end(
      `DELETE ${MAINTENANCE} HTTP/1.1\r\nHost: evil.example\r\nAuthorization: Bearer ${OPERATOR}\r\nConnection: close\r\n\r\n`,
    )
    let text = ''
    socket.on('data', (chunk) => (text += chunk.toString()))
    await once(socket, 'close')
    expect(text).toMatch(/^HTTP\/1\.1 403 /)
    expect(asked).toEqual([])
    expect(audited.map(({ result, method }) => [result, method])).toEqual([
      ['refused', 'POST'],
      ['refused', 'DELETE'],
    ])
  })

  it.each([
    ['no reason', MAINTENANCE, { for: '1m' }, 400, /reason/],
    ['a blank reason', RESTART, { reason: '   ' }, 400, /reason/],
    ['an unknown key', RESTART, { ...because, force: true }, 400, /force/],
    ['two ends', MAINTENANCE, { ...because, for: '1m', until: '2999-01-01T00:00:00Z' }, 400, /either for or until/],
    ['no end', MAINTENANCE, because, 400, /either for or until/],
    ['more than a day', MAINTENANCE, { ...because, for: '24h1ms' }, 400, /at most 24 hours/],
    ['an end long ago', MAINTENANCE, { ...because, until: '2020-01-01T00:00:00Z' }, 400, /over already/],
    ['an end of no time', MAINTENANCE, { ...because, for: '0' }, 400, /over already/],
    ['half a duration', MAINTENANCE, { ...because, for: '30' }, 400, /not a duration/],
    ['no JSON', RESTART, '{"reason":', 400, /not valid JSON/],
    ['no object', RESTART, '[]', 400, /not what is expected/],
    ['no body', RESTART, '', 400, /reason/],
    ['too much', RESTART, { reason: 'x'.repeat(17_000) }, 413, /larger than 16384/],
  ] as const)('with a body of %s', async (_what, path, body, status, says) => {
    const { send, asked, audited } = await start()
    const answer = await send('POST', path, { body })
    const text = await answer.text()
    expect(answer.status).toBe(status)
    expect(schemas.problem.parse(JSON.parse(text)).status).toBe(status)
    expect(text).toMatch(says)
    expect(asked).toEqual([])
    expect(['refused', 'failed']).toContain(audited.at(-1)?.result)
  })

  it('with a body that is not called JSON, with a chunked one without end, and with a key that is none', async () => {
    const { send, port, asked } = await start()
    const form = await send('POST', RESTART, { body: 'reason=x', headers: { 'content-type': 'text/plain' } })
    expect(form.status).toBe(415)
    const key = await send('POST', RESTART, { body: because, headers: { 'idempotency-key': 'x'.repeat(129) } })
    expect([key.status, schemas.problem.parse(await key.json()).code]).toEqual([400, 'ERR_KEY'])
    const socket = connect(port, '127.0.0.1')
    let text = ''
    socket.on('error', () => {})
    socket.on('data', (chunk) => (text += chunk.toString()))
    socket.write(
      `POST ${RESTART} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${OPERATOR}\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n`,
    )
    const chunk = `1000\r\n${'x'.repeat(4_096)}\r\n`
    for (let n = 0; n < 8; n++) socket.write(chunk)
    await once(socket, 'close')
    expect(text).toMatch(/^HTTP\/1\.1 413 /)
    expect(asked).toEqual([])
  })

  it('by a method that the path does not take', async () => {
    const { send } = await start()
    const answer = await send('PUT', MAINTENANCE, { body: because })
    expect([answer.status, answer.headers.get('allow')]).toEqual([405, 'POST, DELETE'])
    expect((await send('DELETE', RESTART)).headers.get('allow')).toBe('POST')
  })
})

describe('reading', () => {
  const api = ['/api/v1/services', '/api/v1/incidents', '/api/v1/events', '/api/v1/coverage', '/api/v1/openapi.json']
  const open = ['/health', '/ready', '/metrics', '/s/frame-tracking/health', '/s/frame-tracking/metrics', '/']

  it('needs one of the tokens where there is one for viewers, but for what probes and scrapers ask', async () => {
    const { send } = await start()
    for (const path of api) {
      const refused = await send('GET', path, { token: null })
      expect([path, refused.status, refused.headers.get('www-authenticate')]).toEqual([
        path,
        401,
        'Bearer realm="medyk"',
      ])
      expect((await send('HEAD', path, { token: 'wrong-0123456789' })).status).toBe(401)
      for (const token of [VIEWER, OPERATOR]) expect((await send('HEAD', path, { token })).status).toBe(200)
    }
    for (const path of open) expect([200, 503]).toContain((await send('GET', path, { token: null })).status)
  })

  it('is free where there is none for viewers', async () => {
    const { send } = await start({ access: { viewer: null, operator: OPERATOR } })
    for (const path of [...api, ...open]) {
      expect([200, 503]).toContain((await send('HEAD', path, { token: null })).status)
    }
    // Who sends a token that is not known is no worse off than one who sends none.
    expect((await send('GET', '/api/v1/services', { token: 'wrong-0123456789' })).status).toBe(200)
  })

  it('shows strangers of a health how it is and the names of its checks, and no more', async () => {
    const { send } = await start()
    const path = '/s/metadata-storage/health'
    const told = schemas.healthReport.parse(await (await send('GET', path, { token: VIEWER })).json())
    const stranger = schemas.healthReport.parse(await (await send('GET', path, { token: null })).json())
    expect(told.metadata.last_error).toBeTruthy()
    expect(stranger.metadata.last_error).not.toBe(told.metadata.last_error)
    expect([stranger.status, Object.keys(stranger.checks)]).toEqual([told.status, Object.keys(told.checks)])
    const missing = await (await send('GET', '/s/nobody/health', { token: null })).text()
    expect(missing).not.toContain('metadata-storage')
  })

  it('names the services there are to who asks for one that is not', async () => {
    const { send } = await start()
    const answer = await send('GET', '/s/nobody/ready')
    expect([answer.status, schemas.problem.parse(await answer.json()).hint]).toEqual([
      404,
      expect.stringContaining('metadata-storage'),
    ])
  })
})
