import { readFileSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, describe, expect, it } from 'vitest'
import { RtspParser, type RtspResponse } from './message.ts'
import { ReplayServer, type ReplayServerOptions } from './server.ts'
import { watchStream } from './watch.ts'

const clip = readFileSync(new URL('../../../../examples/detektor/clip/clip.h264', import.meta.url))

const cleanUp: (() => unknown)[] = []
afterEach(async () => {
  for (const step of cleanUp.splice(0)) await step()
})

async function replay(options: Partial<ReplayServerOptions> = {}) {
  const server = new ReplayServer({ clip, ...options })
  await server.listen()
  cleanUp.push(() => server.close())
  return server
}

/** A bare client that says what the test says. */
function dial(server: ReplayServer) {
  const socket: Socket = connect(server.port, '127.0.0.1')
  const responses: RtspResponse[] = []
  let frames = 0
  const parser = new RtspParser({
    message: (message) => message.type === 'response' && responses.push(message),
    interleaved: () => (frames += 1),
  })
  socket.on('data', (chunk) => parser.push(chunk)).on('error', () => {})
  cleanUp.push(() => socket.destroy())
  const say = async (line: string, headers = '') => {
    const count = responses.length
    socket.write(`${line} RTSP/1.0\r\nCSeq: ${count + 1}\r\n${headers}\r\n`)
    await until(() => responses.length > count)
    return responses.at(-1)?.status
  }
  const transport = 'Transport: RTP/AVP/TCP;unicast;interleaved=0-1\r\n'
  const play = async () => {
    await say(`SETUP ${server.url}/track1`, transport)
    const session = responses.at(-1)?.headers.get('session')?.[0]?.split(';')[0]
    return await say(`PLAY ${server.url}`, `Session: ${session}\r\n`)
  }
  return { socket, say, play, transport, frames: () => frames }
}

async function until(what: () => boolean, ms = 15_000) {
  const end = Date.now() + ms
  while (!what() && Date.now() < end) await sleep(10)
  expect(what()).toBe(true)
}

describe('ReplayServer', { timeout: 40_000 }, () => {
  it('answers each step as the RFC has it', async () => {
    const server = await replay()
    const { say, play, transport } = dial(server)
    expect(await say('OPTIONS *')).toBe(200)
    expect(await say('DESCRIBE rtsp://any/other')).toBe(404)
    expect(await say(`PLAY ${server.url}`, 'Session: x\r\n')).toBe(454)
    expect(await say(`SETUP ${server.url}/track1`, 'Transport: RTP/AVP;unicast;client_port=4-5\r\n')).toBe(461)
    expect(await say(`SETUP ${server.url}/track1`)).toBe(461)
    expect(await say(`SETUP ${server.url}/track1`, transport.replace('0-1', '255-256'))).toBe(461)
    expect(await play()).toBe(200)
    expect(await say(`PAUSE ${server.url}`, 'Session: x\r\n')).toBe(454)
  })

  it('sends in real time', async () => {
    const server = await replay({ fps: 50 })
    const { play } = dial(server)
    await play()
    const begun = performance.now()
    const before = server.stats.unitsSent
    await sleep(2_000)
    const rate = ((server.stats.unitsSent - before) * 1_000) / (performance.now() - begun)
    expect(rate).toBeGreaterThan(40)
    expect(rate).toBeLessThan(55)
  })

  it('drops a client that does not read, and nobody else', async () => {
    const server = await replay({ fps: 1_000, maxUnsentBytes: 100_000 })
    const good = watchStream(server.url)
    cleanUp.unshift(() => good.close())
    const { socket, play } = dial(server)
    await play()
    socket.pause()
    await until(() => server.stats.dropped === 1)
    expect(server.stats.clients).toBe(1)
    const before = good.snapshot().framesTotal
    await until(() => good.snapshot().framesTotal > before + 100)
    expect(good.snapshot().reconnects).toBe(0)
  })

  it('drops a client that speaks something else', async () => {
    const server = await replay()
    dial(server).socket.write('GET / HTTP/1.1\r\n\r\n')
    await until(() => server.stats.dropped === 1)
    expect(server.stats.clients).toBe(0)
  })

  it('takes no more clients than it was told', async () => {
    const server = await replay({ maxClients: 2 })
    const clients = [dial(server), dial(server)]
    for (const { say } of clients) expect(await say('OPTIONS *')).toBe(200)
    const third = dial(server)
    await new Promise((resolve) => third.socket.on('close', resolve))
    expect(server.stats.clients).toBe(2)
  })

  it('drops a session that lets its time-out pass', async () => {
    const server = await replay({ sessionTimeoutMs: 1_000 })
    const { play, frames } = dial(server)
    await play()
    await until(() => server.stats.dropped === 1)
    expect(frames()).toBeGreaterThan(5)
  })

  it('names a port that is taken', async () => {
    const { port } = await replay()
    const second = new ReplayServer({ clip, port })
    await expect(second.listen()).rejects.toThrow(
      expect.objectContaining({ code: 'ERR_RTSP_CONNECT', message: expect.stringContaining(`127.0.0.1:${port}`) }),
    )
    await second.close()
  })
})
