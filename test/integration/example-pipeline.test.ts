import { DatabaseSync } from 'node:sqlite'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Pipeline, services, type Running, type ServiceName } from '../support/pipeline.ts'

let pipeline: Pipeline
const running = new Map<ServiceName, Running>()

beforeAll(async () => {
  pipeline = await Pipeline.create()
  for (const name of services) {
    running.set(name, pipeline.start(name))
    // One after the other, so that the times below are those of a service whose dependencies run.
    const ms = await pipeline.ready(name, running.get(name) as Running)
    console.info(`${name}: ready ${ms} ms after its start`)
  }
})
afterAll(() => pipeline[Symbol.asyncDispose]())

const storedFrames = async () => {
  const { code, body } = await pipeline.ask('metadata-storage', '/stats')
  return code === 200 ? (body as { frames: number }).frames : -1
}

async function metric(name: ServiceName, metricName: string): Promise<number> {
  const { body } = await pipeline.ask(name, '/metrics')
  const line = String(body)
    .split('\n')
    .find((text) => text.startsWith(`${metricName} `))
  return Number(line?.split(' ')[1] ?? Number.NaN)
}

/** What storage holds, read from the file itself. */
function storedNumbers(): Map<string, number[]> {
  const db = new DatabaseSync(join(pipeline.directory, 'data', 'metadata.sqlite'), { readOnly: true })
  const sessions = new Map<string, number[]>()
  for (const row of db.prepare('SELECT session, number FROM frames ORDER BY session, number').all()) {
    const { session, number } = row as { session: string; number: number }
    sessions.set(session, [...(sessions.get(session) ?? []), number])
  }
  db.close()
  return sessions
}

async function restart(name: ServiceName, env: Record<string, string> = {}): Promise<Running> {
  const started = pipeline.start(name, env)
  running.set(name, started)
  return started
}

describe('the example pipeline', () => {
  it('carries frames from the camera to the database at the rate of the clip', async () => {
    await pipeline.until('50 frames are stored', async () => (await storedFrames()) >= 50)
    const before = { frames: await storedFrames(), at: performance.now() }
    await sleep(4_000)
    const rate = ((await storedFrames()) - before.frames) / ((performance.now() - before.at) / 1_000)
    expect(rate).toBeGreaterThan(15)
    expect(rate).toBeLessThan(35)
    const { body } = await pipeline.ask('metadata-storage', '/stats')
    const { lastFrameAt } = body as { lastFrameAt: string }
    expect(lastFrameAt).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/)
    expect(Date.now() - Date.parse(lastFrameAt)).toBeLessThan(5_000)
  })

  it('says what it does on /metrics', async () => {
    const names: [ServiceName, string][] = [
      ['camera', 'camera_clients'],
      ['rtsp-capture', 'frames_captured_total'],
      ['rtsp-capture', 'stream_fps'],
      ['frame-buffer', 'frames_delivered_total'],
      ['frame-tracking', 'frames_tracked_total'],
      ['metadata-storage', 'frames_stored_total'],
    ]
    for (const [service, name] of names) expect(await metric(service, name), `${service} ${name}`).toBeGreaterThan(0)
    expect(await metric('frame-buffer', 'frames_dropped_total')).toBe(0)
  })

  it('names each dependency check after the service that it depends on', async () => {
    const checks = async (name: ServiceName) => Object.keys((await pipeline.report(name, '/ready')).checks)
    expect(await checks('rtsp-capture')).toEqual(expect.arrayContaining(['camera', 'frame-buffer', 'stream']))
    expect(await checks('frame-tracking')).toEqual(expect.arrayContaining(['frame-buffer', 'metadata-storage']))
  })

  it.each(services)('has no debug endpoints in %s unless it is told to', async (name) => {
    for (const what of ['fail', 'hang', 'slow', 'leak', 'stall']) {
      expect(await pipeline.post(name, `/debug/${what}`)).toMatchObject({ code: 404 })
    }
    expect((await pipeline.report(name, '/health')).code).toBe(200)
  })

  it('refuses nonsense and says where it is', async () => {
    const bad = await pipeline.post('frame-buffer', '/frames', { frames: [{ camera: 'a' }] })
    expect(bad).toEqual({ code: 400, body: { error: 'frames[0].session is not a name' } })
    expect(await pipeline.post('metadata-storage', '/metadata', 'no json')).toMatchObject({ code: 400 })
    expect(await pipeline.post('metadata-storage', '/metadata', 'x'.repeat(2_000_000))).not.toMatchObject({ code: 200 })
    expect(await pipeline.ask('frame-buffer', '/frames?max=0')).toMatchObject({ code: 400 })
    expect(await pipeline.ask('frame-buffer', '/frames?waitMs=99999')).toMatchObject({ code: 400 })
    expect(await pipeline.ask('frame-buffer', '/constructor')).toMatchObject({ code: 404 })
  })

  it('says dependency, not death, while metadata-storage is away, and loses nothing', async () => {
    const storage = running.get('metadata-storage') as Running
    const killedAt = performance.now()
    storage.child.kill('SIGKILL')
    expect(await storage.exited).toBe('SIGKILL')
    const seenAt = await pipeline.until(
      'frame-tracking is not ready',
      async () => (await pipeline.report('frame-tracking', '/ready')).code === 503,
    )
    const ready = await pipeline.report('frame-tracking', '/ready')
    expect(ready.checks['metadata-storage']).toBe('unhealthy')
    expect(ready.checks['frame-buffer']).toBe('healthy')
    expect(await pipeline.report('frame-tracking', '/health')).toMatchObject({ code: 200, status: 'degraded' })
    for (let i = 0; i < 20; i += 1) {
      expect(await pipeline.report('rtsp-capture', '/ready')).toMatchObject({ code: 200 })
      expect(await pipeline.report('frame-buffer', '/ready')).toMatchObject({ code: 200 })
      await sleep(100)
    }

    const restartedAt = performance.now()
    const again = await restart('metadata-storage')
    await pipeline.ready('metadata-storage', again)
    const backAt = await pipeline.until(
      'frame-tracking is ready again',
      async () => (await pipeline.report('frame-tracking', '/ready')).code === 200,
    )
    const shown = Math.round(seenAt - killedAt)
    console.info(
      `frame-tracking: not ready ${shown} ms after the kill, ready ${Math.round(backAt - restartedAt)} ms after the restart`,
    )
    const captured = await metric('rtsp-capture', 'frames_captured_total')
    await pipeline.until('what was captured is stored', async () => (await storedFrames()) >= captured)
    for (const numbers of storedNumbers().values()) expect(numbers).toEqual(numbers.map((_, i) => i + 1))
  })

  it('comes back by itself when the camera was away', async () => {
    const camera = running.get('camera') as Running
    camera.child.kill('SIGKILL')
    await camera.exited
    await pipeline.until(
      'rtsp-capture is not ready',
      async () => (await pipeline.report('rtsp-capture', '/ready')).code === 503,
    )
    const { checks } = await pipeline.report('rtsp-capture', '/ready')
    expect(checks['frame-buffer']).toBe('healthy')
    expect(await pipeline.report('rtsp-capture', '/health')).toMatchObject({ code: 200, status: 'degraded' })
    expect(await pipeline.report('frame-tracking', '/ready')).toMatchObject({ code: 200 })
    await restart('camera', { MEDYK_DEBUG: '1' })
    await pipeline.until(
      'rtsp-capture is ready again',
      async () => (await pipeline.report('rtsp-capture', '/ready')).code === 200,
    )
  })

  it('sees a camera that answers and sends nothing', async () => {
    expect(await pipeline.post('camera', '/debug/stall')).toMatchObject({ code: 202 })
    await pipeline.until(
      'rtsp-capture is not ready',
      async () => (await pipeline.report('rtsp-capture', '/ready')).checks['stream'] === 'unhealthy',
    )
    expect(await pipeline.report('rtsp-capture', '/ready')).toMatchObject({ code: 503, checks: { camera: 'healthy' } })
  })

  it('leaves on SIGTERM with 0 within a second, not ready first', async () => {
    const stored = await storedFrames()
    for (const name of services.toReversed()) {
      const { child, exited, output } = running.get(name) as Running
      const at = performance.now()
      child.kill('SIGTERM')
      const code = await exited
      const ms = performance.now() - at
      expect(code, output()).toBe(0)
      expect(output()).toContain('"msg":"stopped"')
      // A second is what it takes on an idle machine at the very most; the test's machine may be busy.
      expect(ms).toBeLessThan(3_000)
    }
    expect(stored).toBeGreaterThan(0)
  })
})
