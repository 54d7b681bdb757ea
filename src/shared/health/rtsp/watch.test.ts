import { readFileSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, describe, expect, it } from 'vitest'
import { ReplayServer, type ReplayServerOptions } from './server.ts'
import { watchStream, type WatchedUnit, type WatchOptions } from './watch.ts'

const clip = readFileSync(new URL('../../../../examples/detektor/clip/clip.h264', import.meta.url))
const backoff = { minMs: 50, maxMs: 200, jitter: 0 }

const cleanUp: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const step of cleanUp.splice(0)) await step()
})

async function replay(options: Partial<ReplayServerOptions> = {}) {
  const server = new ReplayServer({ clip, ...options })
  await server.listen()
  cleanUp.unshift(() => server.close())
  return server
}

function watch(url: string, options: WatchOptions = {}) {
  const units: WatchedUnit[] = []
  const stream = watchStream(url, { backoff, onAccessUnit: (unit) => units.push(unit), ...options })
  cleanUp.unshift(() => stream.close())
  return { stream, units }
}

async function until(what: () => boolean, ms = 15_000) {
  const end = Date.now() + ms
  while (!what() && Date.now() < end) await sleep(10)
  expect(what()).toBe(true)
}

describe('watchStream', { timeout: 40_000 }, () => {
  it('counts every picture of a stream, from a keyframe on and over the loop of the clip', async () => {
    const server = await replay({ fps: 200 })
    const { stream, units } = watch(server.url)
    await until(() => units.length >= 300)
    const seen = units.slice(0, 300)
    expect(seen.map(({ number }) => number)).toEqual(seen.map((_, i) => i + 1))
    expect(seen.flatMap(({ keyframe, number }) => (keyframe ? [number] : []))).toEqual(
      Array.from({ length: 12 }, (_, i) => 1 + 25 * i),
    )
    expect(new Set(seen.map(({ rtpTimestamp }, i) => rtpTimestamp - 450 * i))).toEqual(new Set([0]))
    expect(stream.snapshot()).toMatchObject({ state: 'playing', lostPackets: 0, damagedFrames: 0, reconnects: 0 })
  })

  it('shows the rate that it sees, also when it falls', async () => {
    const server = await replay()
    const { stream, units } = watch(server.url)
    await until(() => units.length >= 75)
    expect(stream.snapshot().fps).toBeGreaterThan(20)
    expect(stream.snapshot().fps).toBeLessThan(30)
    server.inject({ kind: 'fps', fps: 8 })
    await until(() => stream.snapshot().fps < 11)
    expect(stream.snapshot().fps).toBeGreaterThan(4)
  })

  it('carries sequence numbers and timestamps over their wrap without a loss', async () => {
    const server = await replay({ fps: 100, firstSequence: 65_500, firstTimestamp: 2 ** 32 - 9_000 })
    const { stream, units } = watch(server.url)
    await until(() => units.length >= 60)
    expect(stream.snapshot()).toMatchObject({ lostPackets: 0, damagedFrames: 0 })
    expect(units.some(({ rtpTimestamp }) => rtpTimestamp < 9_000)).toBe(true)
  })

  it('counts lost packets and the pictures that they damage', async () => {
    let packets = 0
    // Exactly every tenth packet, not a chance of one in ten.
    const server = await replay({ fps: 100, random: () => ((packets += 1) % 10 === 0 ? 0 : 0.99) })
    server.inject({ kind: 'loss', share: 0.1 })
    const { stream } = watch(server.url)
    await until(() => stream.snapshot().framesTotal >= 100)
    const { lostPackets, damagedFrames } = stream.snapshot()
    expect(lostPackets).toBeGreaterThan(packets / 10 - 5)
    expect(lostPackets).toBeLessThanOrEqual(packets / 10)
    expect(damagedFrames).toBeGreaterThan(0)
  })

  it('sees a stall while the session stands, gives it up in time and comes back when it heals', async () => {
    const server = await replay()
    const { stream, units } = watch(server.url, { stallMs: 500 })
    await until(() => units.length > 5)
    const fault = server.inject({ kind: 'stall' })
    await until(() => stream.snapshot().reconnects > 0)
    expect(stream.snapshot().lastError?.code).toBe('ERR_RTSP_STALLED')
    expect(stream.snapshot().lastFrameAgeMs).toBeGreaterThan(450)
    fault[Symbol.dispose]()
    const before = units.length
    await until(() => units.length > before + 10)
    expect(units[before]).toMatchObject({ keyframe: true, number: before + 1 })
  })

  it('comes back after a kick, and after a restart of the server', async () => {
    const server = await replay()
    const { stream, units } = watch(server.url)
    await until(() => units.length > 5)
    server.inject({ kind: 'kick' })
    await until(() => stream.snapshot().reconnects === 1 && stream.snapshot().state === 'playing')
    expect(stream.snapshot().lastError?.code).toBe('ERR_RTSP_CLOSED')
    const { port } = server
    await server.close()
    await until(() => stream.snapshot().lastError?.code === 'ERR_RTSP_CONNECT')
    await replay({ port })
    const before = units.length
    await until(() => units.length > before + 5)
  })

  it('gives up a server that answers everything and never sends a packet', async () => {
    const server = await replay()
    server.inject({ kind: 'stall' })
    const { stream } = watch(server.url, { stallMs: 300 })
    await until(() => stream.snapshot().lastError?.code === 'ERR_RTSP_STALLED')
    expect(stream.snapshot()).toMatchObject({ framesTotal: 0, fps: 0, lastFrameAt: null, lastFrameAgeMs: null })
  })

  it('makes one attempt per step of the back-off', async () => {
    const attempts: number[] = []
    const server = createServer((socket) => {
      attempts.push(performance.now())
      socket.on('error', () => {}).destroy()
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    cleanUp.push(() => new Promise((resolve) => server.close(resolve)))
    const { port } = server.address() as AddressInfo
    watch(`rtsp://127.0.0.1:${port}/x`, { backoff: { minMs: 100, maxMs: 400, jitter: 0.25 }, random: () => 0 })
    await until(() => attempts.length >= 5)
    const gaps = attempts.slice(1).map((at, i) => at - (attempts[i] ?? 0))
    for (const [i, least] of [75, 150, 300, 300].entries()) expect(gaps[i]).toBeGreaterThan(least - 5)
  })

  it('waits long before it tries refused credentials again', async () => {
    const server = await replay({ credentials: { scheme: 'digest', username: 'u', password: 'p' } })
    const { stream } = watch(server.url.replace('//', '//u:geheim@'))
    await until(() => stream.snapshot().lastError?.code === 'ERR_RTSP_AUTH')
    await sleep(300)
    expect(stream.snapshot()).toMatchObject({ state: 'waiting', reconnects: 0 })
    expect(JSON.stringify(stream.snapshot())).not.toContain('geheim')
  })

  it('hands over the bytes of keyframes when asked', async () => {
    const server = await replay({ fps: 100 })
    const { units } = watch(server.url, { keep: 'keyframes' })
    await until(() => units.length >= 30)
    expect(units.map(({ keyframe, nals }) => keyframe === (nals !== null)).every(Boolean)).toBe(true)
    expect(units[0]?.nals?.map((nal) => (nal[0] ?? 0) & 31)).toEqual([7, 8, 5])
  })

  it('goes on when its listener throws', async () => {
    const server = await replay()
    const { stream } = watch(server.url, {
      onAccessUnit() {
        throw new Error('a bug of the caller')
      },
    })
    await until(() => stream.snapshot().framesTotal > 5)
    expect(stream.snapshot().reconnects).toBe(0)
  })

  it.each(['playing', 'waiting'] as const)('closes at once while %s, and by its signal', async (state) => {
    const server = await replay()
    const { url } = server
    if (state === 'waiting') await server.close()
    const controller = new AbortController()
    const { stream } = watch(url, { signal: controller.signal, backoff: { minMs: 60_000, maxMs: 60_000 } })
    await until(() => stream.snapshot().state === state)
    const begun = performance.now()
    controller.abort()
    await stream.close()
    expect(performance.now() - begun).toBeLessThan(2_000)
    expect(stream.snapshot().state).toBe('stopped')
  })

  it('refuses an address that is none at once', () => {
    expect(() => watchStream('http://cam/')).toThrow(expect.objectContaining({ code: 'ERR_RTSP_URL' }))
  })
})
