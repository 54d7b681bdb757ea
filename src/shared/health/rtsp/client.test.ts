import { createServer, type AddressInfo, type Socket } from 'node:net'
import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, describe, expect, it } from 'vitest'
import { playRtsp, type PlayOptions } from './client.ts'
import { RtspParser, type RtspRequest } from './message.ts'
import { ReplayServer, type ReplayServerOptions } from './server.ts'

const clip = readFileSync(new URL('../../../../examples/detektor/clip/clip.h264', import.meta.url))
const SDP = 'v=0\r\nm=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\na=control:t\r\n'

type Script = (
  request: RtspRequest,
  reply: (status: string, headers?: string, body?: string) => void,
  socket: Socket,
) => void

const cleanUp: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const step of cleanUp.splice(0)) await step()
})

/** A real TCP server that answers what the script says, or that gets the bare socket. */
async function serve(script: Script | null, onConnect: (socket: Socket) => void = () => {}) {
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => {}).on('close', () => sockets.delete(socket))
    onConnect(socket)
    if (script === null) {
      socket.resume()
      return
    }
    const parser = new RtspParser({
      interleaved() {},
      message(request) {
        if (request.type !== 'request') return
        const cseq = request.headers.get('cseq')?.[0]
        const reply = (status: string, headers = '', body = '') =>
          socket.write(`RTSP/1.0 ${status}\r\nCSeq: ${cseq}\r\n${headers}Content-Length: ${body.length}\r\n\r\n${body}`)
        script(request, reply, socket)
      },
    })
    socket.on('data', (chunk) => parser.push(chunk))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  cleanUp.push(async () => {
    for (const socket of sockets) socket.destroy()
    await new Promise((resolve) => server.close(resolve))
  })
  return { url: `rtsp://127.0.0.1:${(server.address() as AddressInfo).port}/live`, sockets }
}

async function replay(options: Partial<ReplayServerOptions> = {}) {
  const server = new ReplayServer({ clip, ...options })
  await server.listen()
  cleanUp.push(() => server.close())
  return server
}

/** What a good server says; a test changes one step. */
function good(changes: Record<string, Script> = {}): Script {
  return (request, reply, socket) => {
    const change = changes[request.method]
    if (change) return change(request, reply, socket)
    switch (request.method) {
      case 'DESCRIBE':
        return reply('200 OK', 'Content-Type: application/sdp\r\n', SDP)
      case 'SETUP':
        return reply('200 OK', 'Session: abc;timeout=60\r\nTransport: RTP/AVP/TCP;unicast;interleaved=0-1\r\n')
      default:
        return reply('200 OK', 'Public: OPTIONS, GET_PARAMETER\r\n')
    }
  }
}

async function play(url: string, options: Partial<PlayOptions> = {}) {
  const packets: Buffer[] = []
  const session = await playRtsp(url, { stepTimeoutMs: 2_000, onRtp: (p) => packets.push(Buffer.from(p)), ...options })
  cleanUp.push(() => session.close(200))
  return { session, packets }
}

const withCode = (code: string, message = '') =>
  expect.objectContaining({ code, message: expect.stringContaining(message) }) as unknown

async function until(what: () => boolean, ms = 5_000) {
  const end = Date.now() + ms
  while (!what() && Date.now() < end) await sleep(10)
  expect(what()).toBe(true)
}

describe('playRtsp', { timeout: 30_000 }, () => {
  it('plays a stream, and tears it down', async () => {
    const server = await replay()
    const { session, packets } = await play(server.url)
    await until(() => packets.length > 5)
    expect(session.video).toMatchObject({ codec: 'H264', clockRate: 90_000, frameRate: 25 })
    await session.close()
    expect(await session.ended).toMatchObject({ code: 'ERR_RTSP_CLOSED' })
    await until(() => server.stats.clients === 0)
    expect(server.stats.dropped).toBe(0)
  })

  it.each(['basic', 'digest'] as const)('authenticates by %s', async (scheme) => {
    const server = await replay({ credentials: { scheme, username: 'kim', password: 'p@ss "word"' } })
    const { packets } = await play(server.url.replace('//', `//kim:${encodeURIComponent('p@ss "word"')}@`))
    await until(() => packets.length > 0)
    const wrong = playRtsp(server.url.replace('//', '//kim:geheim@'), { onRtp() {} })
    await expect(wrong).rejects.toEqual(withCode('ERR_RTSP_AUTH', 'DESCRIBE answered 401'))
    await expect(wrong).rejects.not.toThrow(/geheim/)
    await expect(playRtsp(server.url, { onRtp() {} })).rejects.toEqual(withCode('ERR_RTSP_AUTH'))
  })

  it('tries refused credentials once, whatever the server keeps asking', async () => {
    let asked = 0
    const { url } = await serve(
      good({
        DESCRIBE(_, reply) {
          asked += 1
          reply('401 Unauthorized', `WWW-Authenticate: Digest realm="r", nonce="${asked}", stale=true\r\n`)
        },
      }),
    )
    await expect(play(url.replace('//', '//u:p@'))).rejects.toEqual(withCode('ERR_RTSP_AUTH'))
    expect(asked).toBe(2)
  })

  it('says not found for a path that does not exist', async () => {
    const server = await replay()
    await expect(play(server.url.replace('live', 'nothing'))).rejects.toEqual(withCode('ERR_RTSP_NOT_FOUND'))
  })

  it('says connect where nobody listens', async () => {
    const server = await replay()
    const { url } = server
    await server.close()
    await expect(play(url)).rejects.toEqual(withCode('ERR_RTSP_CONNECT', 'ECONNREFUSED'))
  })

  it.each<[string, Script, string, string]>([
    ['answers 500', good({ SETUP: (_, reply) => reply('500 Oops') }), 'ERR_RTSP_PROTOCOL', 'SETUP answered 500 Oops'],
    ['redirects', good({ DESCRIBE: (_, r) => r('302 X', 'Location: rtsp://x/\r\n') }), 'ERR_RTSP_PROTOCOL', '302'],
    ['has no video', good({ DESCRIBE: (_, reply) => reply('200 OK', '', 'v=0\r\n') }), 'ERR_RTSP_NO_VIDEO', 'nothing'],
    ['describes HTML', good({ DESCRIBE: (_, reply) => reply('200 OK', '', '<html>') }), 'ERR_RTSP_PROTOCOL', 'SDP'],
    [
      'gives no session',
      good({ SETUP: (_, r) => r('200 OK', 'Transport: RTP/AVP/TCP;interleaved=0-1\r\n') }),
      'ERR_RTSP_PROTOCOL',
      'Session',
    ],
    [
      'answers with UDP',
      good({ SETUP: (_, r) => r('200 OK', 'Session: a\r\nTransport: RTP/AVP;unicast;client_port=1-2\r\n') }),
      'ERR_RTSP_PROTOCOL',
      'RTP/AVP;unicast',
    ],
    [
      'counts wrong',
      good({ DESCRIBE: (_, __, socket) => void socket.write('RTSP/1.0 200 OK\r\nCSeq: 77\r\n\r\n') }),
      'ERR_RTSP_PROTOCOL',
      'CSeq 77',
    ],
    [
      'writes garbage',
      good({ DESCRIBE: (_, __, socket) => void socket.write('\u0000\u0001') }),
      'ERR_RTSP_PROTOCOL',
      'byte 0x0',
    ],
    [
      'smuggles a header by its control attribute',
      good({ DESCRIBE: (_, reply) => reply('200 OK', '', SDP.replace('control:t', 'control:t\u000bX: y')) }),
      'ERR_RTSP_PROTOCOL',
      'control character',
    ],
    [
      'hangs up in the middle of an answer',
      good({ DESCRIBE: (_, __, socket) => void socket.end('RTSP/1.0 200 OK\r\nCSe') }),
      'ERR_RTSP_CLOSED',
      'in the middle of a message',
    ],
    [
      'ends a body short',
      good({
        DESCRIBE: (_, __, socket) => void socket.end('RTSP/1.0 200 OK\r\nCSeq: 2\r\nContent-Length: 99\r\n\r\nv=0'),
      }),
      'ERR_RTSP_CLOSED',
      'in the middle of a message',
    ],
    ['resets', good({ DESCRIBE: (_, __, socket) => void socket.resetAndDestroy() }), 'ERR_RTSP_CLOSED', 'ECONNRESET'],
  ])('names it when the server %s', async (_, script, code, message) => {
    const { url, sockets } = await serve(script)
    await expect(play(url)).rejects.toEqual(withCode(code, message))
    await until(() => sockets.size === 0)
  })

  it.each<[string, (socket: Socket) => void]>([
    ['accepts and says nothing', () => {}],
    ['sends one byte at a time for ever', (socket) => drip(socket, 'RTSP/1.0 200 OK\r\nCSeq: 1\r\nX: ', 50)],
    ['plays video instead of answering', (socket) => drip(socket, '$\u0000\u0000\u0001a'.repeat(40), 1)],
  ])('gives up in time on a server that %s', async (_, onConnect) => {
    const { url, sockets } = await serve(null, onConnect)
    const begun = performance.now()
    await expect(play(url, { stepTimeoutMs: 400 })).rejects.toEqual(withCode('ERR_RTSP_TIMEOUT', 'OPTIONS in 400 ms'))
    expect(performance.now() - begun).toBeLessThan(3_000)
    await until(() => sockets.size === 0)
  })

  it('cuts a server off that sends endless headers', async () => {
    const { url, sockets } = await serve(null, (socket) => {
      const line = Buffer.from(`X: ${'y'.repeat(1_000)}\r\n`)
      const flood = () => {
        while (!socket.destroyed && socket.write(line));
      }
      socket.write('RTSP/1.0 200 OK\r\n')
      socket.on('drain', flood)
      flood()
    })
    await expect(play(url)).rejects.toEqual(withCode('ERR_RTSP_PROTOCOL', 'headers'))
    await until(() => sockets.size === 0)
  })

  it('reads pictures that come in the middle of an answer, on the channel that the server chose', async () => {
    const { url } = await serve(
      good({
        SETUP: (_, reply) => reply('200 OK', 'Session: a\r\nTransport: RTP/AVP/TCP;unicast;interleaved=4-5\r\n'),
        PLAY(_, reply, socket) {
          socket.write('$\u0004\u0000\u0002hi$\u0000\u0000\u0003foo$\u0005\u0000\u0004rtcp')
          reply('200 OK')
          socket.write('$\u0004\u0000\u0002ho')
        },
      }),
    )
    const { packets } = await play(url)
    await until(() => packets.length >= 2)
    expect(packets.map(String)).toEqual(['hi', 'ho'])
  })

  it('stays in session with a server that plays and sends nothing, until it is closed', async () => {
    const { url } = await serve(good())
    const { session, packets } = await play(url)
    await sleep(100)
    expect(packets).toHaveLength(0)
    await session.close()
  })

  it('stops at once when aborted, in any step', async () => {
    const { url, sockets } = await serve(good({ DESCRIBE() {} }))
    const controller = new AbortController()
    const reason = new Error('enough')
    setTimeout(() => controller.abort(reason), 100)
    await expect(play(url, { signal: controller.signal })).rejects.toBe(reason)
    await expect(play(url, { signal: controller.signal })).rejects.toBe(reason)
    await until(() => sockets.size === 0)
  })

  it('keeps the session alive at half its time-out, and ends with it', async () => {
    const asked: string[] = []
    const { url } = await serve(
      good({
        SETUP: (_, r) => r('200 OK', 'Session: s1;timeout=2\r\nTransport: RTP/AVP/TCP;interleaved=0-1\r\n'),
        GET_PARAMETER(request, reply) {
          asked.push(request.headers.get('session')?.[0] ?? '')
          reply(asked.length === 1 ? '200 OK' : '454 Session Not Found')
        },
      }),
    )
    const { session } = await play(url)
    expect(await session.ended).toMatchObject({ code: 'ERR_RTSP_CLOSED', message: expect.stringContaining('gone') })
    expect(asked).toEqual(['s1', 's1'])
  })

  it('ends a session whose keep-alive is not answered while no picture comes', async () => {
    const { url } = await serve(
      good({
        SETUP: (_, r) => r('200 OK', 'Session: s1;timeout=2\r\nTransport: RTP/AVP/TCP;interleaved=0-1\r\n'),
        GET_PARAMETER() {},
      }),
    )
    const { session } = await play(url, { stepTimeoutMs: 300 })
    expect(await session.ended).toMatchObject({ code: 'ERR_RTSP_TIMEOUT' })
  })

  it('answers what the server asks, and cuts one off that asks without reading', async () => {
    const answers: string[] = []
    const { url, sockets } = await serve(
      good({
        PLAY(_, reply, socket) {
          socket.on('data', (chunk) => answers.push(String(chunk)))
          reply('200 OK')
          socket.write('OPTIONS * RTSP/1.0\r\nCSeq: 5\r\n\r\nANNOUNCE * RTSP/1.0\r\nCSeq: 6\r\n\r\n')
        },
      }),
    )
    const { session } = await play(url)
    await until(() => answers.join('').includes('CSeq: 6'))
    expect(answers.join('')).toMatch(/200 OK\r\nCSeq: 5\r\n\r\nRTSP\/1.0 501 Not Implemented\r\nCSeq: 6/)
    for (const socket of sockets) {
      socket.pause()
      const flood = () => {
        while (!socket.destroyed && socket.write('OPTIONS * RTSP/1.0\r\nCSeq: 7\r\n\r\n'.repeat(100)));
      }
      socket.on('drain', flood)
      flood()
    }
    expect(await session.ended).toMatchObject({ code: 'ERR_RTSP_PROTOCOL' })
  })
})

/** Goes on for ever, one byte (or one text) at a time. */
function drip(socket: Socket, text: string, everyMs: number) {
  let at = 0
  const timer = setInterval(() => {
    socket.write(text.startsWith('$') ? text : (text[at] ?? 'x'))
    at += 1
  }, everyMs)
  socket.on('close', () => clearInterval(timer))
}
