import type { Socket } from 'node:net'
import { describe, expect, test } from 'vitest'
import { httpBench, json, say, signal } from './http-bench.testing.ts'
import { schema } from './http.ts'
import { rawServer, response } from './server.testing.ts'

const bench = httpBench()

describe('a good answer', () => {
  test.each([
    ['with a length', response('fine')],
    ['without a body', response('', [], '204 No Content')],
    ['in chunks', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4;x=y\r\nfine\r\n0\r\nTrailer: 1\r\n\r\n'],
    [
      'after interim answers',
      `HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n${response('fine')}`,
    ],
    ['with JSON that is no report', json({ hello: ['world'] })],
  ])('%s is ok', async (_, text) => {
    expect(await bench.probe(say(text))).toEqual({ class: 'ok', latencyMs: expect.any(Number), report: null })
  })

  test('that ends with the connection is ok', async () => {
    const outcome = await bench.probe((socket) => socket.end('HTTP/1.0 200 OK\r\n\r\nfine'), {
      expect: { bodyContains: 'fine' },
    })
    expect(outcome.class).toBe('ok')
  })

  test('is asked for by a plain request over a connection that is closed afterwards', async () => {
    let asked = ''
    await bench.probe(
      (socket, request) => {
        asked = request
        socket.write(response('fine'))
      },
      { headers: { Authorization: 'Bearer abc', 'User-Agent': 'mine' } },
    )
    expect(asked).toBe(
      `GET /health?probe=1 HTTP/1.1\r\nHost: 127.0.0.1:${bench.server?.port}\r\nUser-Agent: mine\r\n` +
        'Accept: application/json, */*;q=0.5\r\nAccept-Encoding: identity\r\nConnection: close\r\n' +
        'Authorization: Bearer abc\r\n\r\n',
    )
    await expect.poll(() => bench.server?.open()).toBe(0)
  })

  test('comes over a fresh connection each time', async () => {
    await bench.probe(say(response('fine')))
    const again = { url: `http://127.0.0.1:${bench.server?.port}/` }
    for (let i = 0; i < 3; i++) await bench.prober.probe(again, { timeoutMs: 1_300, signal })
    expect(bench.server?.connections()).toBe(4)
  })

  test('has its latency counted from the request, in milliseconds', async () => {
    const outcome = await bench.probe((socket) => setTimeout(() => socket.write(response('fine')), 200))
    expect(outcome).toMatchObject({ class: 'ok' })
    expect((outcome as { latencyMs: number }).latencyMs).toBeGreaterThan(190)
    expect((outcome as { latencyMs: number }).latencyMs).toBeLessThan(1_000)
  })

  test.each([
    [{ status: 418 }, '418 Teapot', 'ok'],
    [{ status: [200, 418] }, '418 Teapot', 'ok'],
    [{ status: 204 }, '200 OK', 'explicit'],
    [{ bodyContains: 'fine' }, '200 OK', 'ok'],
    [{ bodyContains: 'well' }, '200 OK', 'explicit'],
  ])('is what %j says (%s: %s)', async (expected, status, outcome) => {
    expect((await bench.probe(say(response('all fine', [], status)), { expect: expected })).class).toBe(outcome)
  })
})

describe('the report of a target', () => {
  test('is understood: its status, the names of what is not healthy, its version', async () => {
    const body = {
      status: 'degraded',
      timestamp: '2026-01-01T00:00:00Z',
      service: 'capture',
      version: '1.2.3',
      checks: { database: 'unhealthy', redis: 'degraded', disk: 'healthy' },
      metadata: { uptime_seconds: 1, last_error: null },
    }
    expect(await bench.probe(say(json(body)))).toMatchObject({
      class: 'ok',
      report: { status: 'degraded', failing: ['database', 'redis'], version: '1.2.3' },
    })
  })

  test('that says unhealthy with 200 is an explicit failure', async () => {
    expect(await bench.probe(say(json({ status: 'unhealthy', checks: { db: 'unhealthy' } })))).toMatchObject({
      class: 'explicit',
      answered: true,
      reason: '200, but reports itself as unhealthy (db)',
    })
  })

  test('comes along with a 503', async () => {
    const text = response(JSON.stringify({ status: 'unhealthy', checks: { db: 'unhealthy' } }), [], '503 Unavailable')
    expect(await bench.probe(say(text))).toMatchObject({ class: 'explicit', report: { failing: ['db'] } })
  })

  test('is not read when only the code counts', async () => {
    const outcome = await bench.probe(say(json({ status: 'unhealthy' })), { format: 'none' })
    expect(outcome).toMatchObject({ class: 'ok', report: null })
  })
})

describe('what is no answer', () => {
  test.each([
    ['garbage', say('SSH-2.0-OpenSSH_9.2\r\n'), 'explicit', true],
    ['HTTP/2', say('\0\0\u0012\u0004'), 'explicit', true],
    [
      'a body cut short',
      (socket: Socket) => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc'),
      'explicit',
      true,
    ],
    ['a head cut short', (socket: Socket) => socket.end('HTTP/1.1 200 OK\r\nContent-'), 'explicit', true],
    [
      'a chunk longer than it says',
      say('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nabc\r\n0\r\n\r\n'),
      'explicit',
      true,
    ],
    ['closed without a word', (socket: Socket) => socket.end(), 'explicit', false],
    ['a reset', (socket: Socket) => socket.resetAndDestroy(), 'explicit', false],
    ['500', say(response('', [], '500 Oh')), 'explicit', true],
    ['404', say(response('', [], '404 Not Found')), 'misconfigured', undefined],
    ['401', say(response('', [], '401 Who')), 'misconfigured', undefined],
    ['endless interim answers', say('HTTP/1.1 100 Continue\r\n\r\n'.repeat(20)), 'explicit', true],
  ])('%s', async (_, onRequest, outcome, answered) => {
    const seen = await bench.probe(onRequest)
    expect(seen.class).toBe(outcome)
    expect((seen as { answered?: boolean }).answered).toBe(answered)
  })

  test('a port where nobody listens refuses', async () => {
    await bench.probe(say(response('fine')))
    const url = `http://127.0.0.1:${bench.server?.port}/`
    await bench.close()
    expect(await bench.prober.probe({ url }, { timeoutMs: 1_300, signal })).toMatchObject({
      class: 'explicit',
      reason: 'connection refused',
      answered: false,
    })
  })

  test('accepting and never answering is silence, at the deadline', async () => {
    const startedAt = performance.now()
    expect(await bench.probe(() => {}, {}, 300)).toMatchObject({ class: 'silence', reason: 'no answer within 300ms' })
    expect(performance.now() - startedAt).toBeGreaterThanOrEqual(299)
  })

  test('an abort is void, at once', async () => {
    const abort = new AbortController()
    bench.server = await rawServer(() => abort.abort())
    const url = `http://127.0.0.1:${bench.server.port}/`
    expect(await bench.prober.probe({ url }, { timeoutMs: 10_000, signal: abort.signal })).toEqual({
      class: 'void',
      reason: 'aborted',
    })
    await expect.poll(() => bench.server?.open()).toBe(0)
  })

  test('a name that does not exist is misconfigured', async () => {
    const outcome = await bench.prober.probe({ url: 'http://does-not-exist.invalid/' }, { timeoutMs: 5_000, signal })
    // Without any name service at all the question could not even be asked.
    expect(['misconfigured', 'void']).toContain(outcome.class)
  })

  test('options that were never checked are void, not a verdict', async () => {
    expect((await bench.prober.probe({ url: 'ftp://x' }, { timeoutMs: 100, signal })).class).toBe('void')
    expect((await bench.prober.probe(null, { timeoutMs: 100, signal })).class).toBe('void')
  })
})

describe('the options', () => {
  test.each([
    [{ url: 'http://127.0.0.1:8001/health' }, true],
    [{ url: 'https://[::1]:8443/health', expect: { status: [200, 204] }, format: 'none' }, true],
    [{ url: 'ftp://host/' }, false],
    [{ url: 'health' }, false],
    [{ url: 'http://user:pw@host/' }, false],
    [{ url: 'http://host/', headers: { 'X-A': 'a\r\nX-B: b' } }, false],
    [{ url: 'http://host/', headers: { 'X A': 'a' } }, false],
    [{ url: 'http://host/', expect: { status: 99 } }, false],
    [{ url: 'http://host/', retries: 3 }, false],
    [{}, false],
  ])('%j: %s', (options, isGood) => {
    expect(schema.safeParse(options).success).toBe(isGood)
  })
})
