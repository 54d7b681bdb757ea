import { createServer, type RequestListener } from 'node:http'
import { createServer as createTcpServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { gzipSync } from 'node:zlib'
import { afterEach, describe, expect, it } from 'vitest'
import { outcomeOfThrow, outcomeOfValue } from '../outcome.ts'
import { http, MAX_BODY, type HttpOptions } from './http.ts'

const servers: Server[] = []
const sockets = new Set<Socket>()
afterEach(async () => {
  for (const socket of sockets) socket.destroy()
  for (const server of servers.splice(0)) await new Promise((resolve) => server.close(resolve))
})

async function listening(server: Server): Promise<string> {
  servers.push(server)
  server.on('connection', (socket: Socket) => sockets.add(socket))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

const serve = (listener: RequestListener) => listening(createServer(listener))
/** A server that says exactly this, whatever it is asked. */
const serveRaw = (text: string) => listening(createTcpServer((socket) => socket.on('error', () => {}).end(text)))

async function run(options: HttpOptions, signal = AbortSignal.timeout(20_000)) {
  try {
    return outcomeOfValue(await http(options)(signal))
  } catch (error) {
    return outcomeOfThrow(error)
  }
}

describe('http', () => {
  it.each<[number, HttpOptions['status'], string, string | null]>([
    [200, undefined, 'healthy', null],
    [204, undefined, 'healthy', null],
    [299, undefined, 'healthy', null],
    [302, undefined, 'unhealthy', 'answered 302; redirects are not followed'],
    [404, undefined, 'unhealthy', 'answered 404; is the address right?'],
    [503, undefined, 'unhealthy', 'answered 503'],
    [204, 200, 'unhealthy', 'answered 204, expected 200'],
    [401, [200, 401], 'healthy', null],
    [500, [200, 401], 'unhealthy', 'answered 500, expected 200 or 401'],
  ])('takes %d with status %j for %s', async (code, status, expected, message) => {
    const url = await serve((_, response) => response.writeHead(code, { location: '/elsewhere' }).end())
    expect(await run({ url, ...(status !== undefined && { status }) })).toMatchObject({ status: expected, message })
  })

  it('follows no redirect', async () => {
    const asked: (string | undefined)[] = []
    const url = await serve((request, response) => {
      asked.push(request.url)
      response.writeHead(302, { location: '/elsewhere' }).end()
    })
    await run({ url })
    expect(asked).toEqual(['/'])
  })

  it('asks for an uncompressed answer on a fresh connection each time, with the headers and the method given', async () => {
    const seen: unknown[] = []
    const url = await serve((request, response) => {
      seen.push([request.method, request.headers['accept-encoding'], request.headers['x-a'], request.socket.remotePort])
      response.end()
    })
    const check = http({ url, method: 'HEAD', headers: { 'x-a': 'b' } })
    await check(AbortSignal.timeout(20_000))
    await check(AbortSignal.timeout(20_000))
    expect(seen).toMatchObject([
      ['HEAD', 'identity', 'b', expect.any(Number)],
      ['HEAD', 'identity', 'b', expect.any(Number)],
    ])
    expect(new Set(seen.map((one) => (one as unknown[])[3])).size).toBe(2)
  })

  it('holds the body to the predicate, whole and as text', async () => {
    const url = await serve((_, response) => {
      response.write('{"status":"zdr')
      setTimeout(() => response.end('ów"}'), 20)
    })
    expect(await run({ url, body: (text) => text === '{"status":"zdrów"}' })).toMatchObject({ status: 'healthy' })
    expect(await run({ url, body: () => false })).toMatchObject({
      status: 'unhealthy',
      message: 'answered 200 with a body that is not the expected one',
    })
  })

  it('fails when the predicate throws', async () => {
    const url = await serve((_, response) => response.end('not json'))
    expect(await run({ url, body: (text) => Boolean(JSON.parse(text)) })).toMatchObject({
      status: 'unhealthy',
      message: expect.stringContaining('JSON'),
    })
  })

  it('does not let a right body outweigh a wrong status', async () => {
    const url = await serve((_, response) => response.writeHead(500).end('healthy'))
    expect(await run({ url, body: (text) => text === 'healthy' })).toMatchObject({ status: 'unhealthy' })
  })

  it('reads 64 KiB and no more of a body that does not end, and hangs up', async () => {
    const hungUp = Promise.withResolvers<void>()
    const url = await serve((_, response) => {
      response.on('close', hungUp.resolve)
      const more = () => {
        while (!response.destroyed && response.write('x'.repeat(10_000)));
      }
      response.on('drain', more)
      more()
    })
    expect(await run({ url, body: () => true })).toMatchObject({ message: `answered with more than ${MAX_BODY} bytes` })
    await hungUp.promise
  })

  it('hangs up without reading when the status is all that counts', async () => {
    const hungUp = Promise.withResolvers<void>()
    const url = await serve((_, response) => {
      response.on('close', hungUp.resolve)
      response.write('and so on')
    })
    expect(await run({ url })).toMatchObject({ status: 'healthy' })
    await hungUp.promise
  })

  it('does not unpack what was compressed unasked', async () => {
    const bomb = gzipSync(Buffer.alloc(10_000_000))
    const url = await serve((_, response) => response.writeHead(200, { 'content-encoding': 'gzip' }).end(bomb))
    expect(await run({ url, body: () => true })).toMatchObject({ status: 'unhealthy', message: /gzip/ })
  })

  it.each([
    ['garbage', 'SSH-2.0-OpenSSH_9.2\r\n'],
    ['nothing', ''],
    ['a header without end', `HTTP/1.1 200 OK\r\nx: ${'y'.repeat(1_000_000)}`],
    ['two lengths', 'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab'],
    ['a length and chunks', 'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'],
  ])('is unhealthy and says why when the answer is %s', async (_, text) => {
    const outcome = await run({ url: await serveRaw(text), body: () => true })
    expect(outcome).toMatchObject({ status: 'unhealthy', message: expect.stringMatching(/./) })
  })

  it('is unhealthy when the body breaks off', async () => {
    const url = await serveRaw('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf')
    expect(await run({ url, body: () => true })).toMatchObject({ status: 'unhealthy', message: 'aborted' })
  })

  it('is unhealthy when nobody listens', async () => {
    const url = await serve(() => {})
    await new Promise((resolve) => servers.pop()?.close(resolve))
    expect(await run({ url })).toMatchObject({ status: 'unhealthy', message: /ECONNREFUSED/ })
  })

  it.each(['before the headers', 'within the body'])('ends with its signal %s', async (where) => {
    const reached = Promise.withResolvers<void>()
    const url = await serve((_, response) => {
      if (where === 'within the body') response.write('half')
      reached.resolve()
    })
    const controller = new AbortController()
    const reason = new Error('enough')
    const result = http({ url, body: () => true })(controller.signal) as Promise<unknown>
    const outcome = result.catch((error: unknown) => error)
    await reached.promise
    controller.abort(reason)
    expect(await outcome).toBe(reason)
  })

  it.each(['', 'no url', '/path', 'ftp://host/', 'file:///etc/passwd', 'javascript:alert(1)'])(
    'refuses the URL %j',
    (url) => {
      expect(() => http({ url })).toThrow(expect.objectContaining({ code: 'ERR_OPTIONS' }))
    },
  )
})
