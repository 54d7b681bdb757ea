import { once } from 'node:events'
import { mkdirSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Pipeline, type Running } from '../support/pipeline.ts'

let pipeline: Pipeline
beforeEach(async () => {
  pipeline = await Pipeline.create()
})
afterEach(() => pipeline[Symbol.asyncDispose]())

const frame = (number: number) => ({
  camera: 'a',
  session: 's',
  number,
  rtpTimestamp: 0,
  bytes: 1,
  keyframe: false,
  capturedAt: 1,
})
const frames = (from: number, to: number) => ({
  frames: Array.from({ length: to - from + 1 }, (_, i) => frame(from + i)),
})

/** The one line that a service leaves when it cannot start. */
async function refusal({ exited, output }: Running): Promise<Record<string, string>> {
  expect(await exited, output()).toBe(1)
  const lines = output().trim().split('\n')
  expect(lines).toHaveLength(1)
  return JSON.parse(lines[0] ?? '') as Record<string, string>
}

describe('frame-buffer', () => {
  it('drops the oldest when full, is well while nobody takes, and degraded when it outruns who does', async () => {
    const started = pipeline.start('frame-buffer', { CAPACITY_FRAMES: '10' })
    await pipeline.ready('frame-buffer', started)
    expect((await pipeline.post('frame-buffer', '/frames', frames(1, 15))).body).toEqual({
      accepted: 15,
      dropped: 5,
      depth: 10,
    })
    // Four runs of the check, twice what it takes to be believed.
    await sleep(2_000)
    expect(await pipeline.report('frame-buffer', '/ready')).toMatchObject({ code: 200, status: 'healthy' })
    expect((await pipeline.ask('frame-buffer', '/stats')).body).toMatchObject({ depth: 10, dropped: 5 })
    const taken = (await pipeline.ask('frame-buffer', '/frames?max=5')).body as { frames: { number: number }[] }
    expect(taken.frames.map(({ number }) => number)).toEqual([6, 7, 8, 9, 10])
    await pipeline.post('frame-buffer', '/frames', frames(16, 25))
    await pipeline.until(
      'it is degraded',
      async () => (await pipeline.report('frame-buffer', '/ready')).checks['depth'] === 'degraded',
    )
    expect(await pipeline.report('frame-buffer', '/ready')).toMatchObject({ code: 200, status: 'degraded' })
    await pipeline.until(
      'it is healthy',
      async () => (await pipeline.report('frame-buffer', '/ready')).status === 'healthy',
    )
  })

  it('wakes who waits, and keeps the frames of one who left', async () => {
    const started = pipeline.start('frame-buffer')
    await pipeline.ready('frame-buffer', started)
    const left = new AbortController()
    const leaving = pipeline.ask('frame-buffer', '/frames?max=5&waitMs=10000', { signal: left.signal })
    await sleep(300)
    left.abort()
    expect(await leaving).toMatchObject({ code: 0 })
    await sleep(100)
    const waiting = pipeline.ask('frame-buffer', '/frames?max=5&waitMs=10000')
    await sleep(300)
    const at = performance.now()
    await pipeline.post('frame-buffer', '/frames', frames(1, 2))
    expect((await waiting).body).toMatchObject({ frames: [{ number: 1 }, { number: 2 }], depth: 0 })
    expect(performance.now() - at).toBeLessThan(5_000)
  })

  it('answers who waits when it leaves, and is not ready meanwhile', async () => {
    const started = pipeline.start('frame-buffer')
    await pipeline.ready('frame-buffer', started)
    const waiting = pipeline.ask('frame-buffer', '/frames?waitMs=10000')
    await sleep(300)
    started.child.kill('SIGTERM')
    await pipeline.until('it is stopping', () => started.output().includes('"msg":"stopping"'))
    // 0 where this test was too slow to see it go.
    expect([503, 0]).toContain((await pipeline.ask('frame-buffer', '/ready')).code)
    expect(await waiting).toMatchObject({ code: 200, body: { frames: [] } })
    expect(await started.exited).toBe(0)
  })

  it('leaves at once on a second SIGTERM', async () => {
    const started = pipeline.start('frame-buffer')
    await pipeline.ready('frame-buffer', started)
    started.child.kill('SIGTERM')
    await pipeline.until('it is stopping', () => started.output().includes('"msg":"stopping"'))
    started.child.kill('SIGTERM')
    expect([143, 0]).toContain(await started.exited)
    expect(started.output()).not.toContain('"msg":"stopped"')
  })
})

describe('metadata-storage that cannot start', () => {
  it('names a port that is taken', async () => {
    const holder = createServer().listen(pipeline.ports['metadata-storage'], '127.0.0.1')
    await once(holder, 'listening')
    const said = await refusal(pipeline.start('metadata-storage'))
    expect(said).toMatchObject({ level: 'error', code: 'ERR_LISTEN' })
    expect(said['msg']).toContain(`port ${pipeline.ports['metadata-storage']} on 127.0.0.1 is taken`)
    holder.close()
  })

  it('names a database that another process holds', async () => {
    const data = join(pipeline.directory, 'data')
    mkdirSync(data)
    const other = new DatabaseSync(join(data, 'metadata.sqlite'))
    other.exec('BEGIN EXCLUSIVE')
    const said = await refusal(pipeline.start('metadata-storage'))
    expect(said).toMatchObject({ code: 'ERR_STORE' })
    expect(said['msg']).toMatch(/cannot open and write .*metadata\.sqlite: .*locked; set DATA_DIR/)
    other.close()
  })

  it('names a folder that cannot be written', async () => {
    writeFileSync(join(pipeline.directory, 'data'), '')
    expect((await refusal(pipeline.start('metadata-storage')))['msg']).toContain(join(pipeline.directory, 'data'))
  })

  it('names a database server that is not there, without its password', async () => {
    const url = `postgres://kim:geheim@127.0.0.1:${pipeline.ports.camera}/frames`
    const said = await refusal(pipeline.start('metadata-storage', { DATABASE_URL: url }))
    expect(said['msg']).toContain(`Postgres at 127.0.0.1:${pipeline.ports.camera}/frames`)
    expect(JSON.stringify(said)).not.toContain('geheim')
  })

  it('names a setting that is wrong', async () => {
    const said = await refusal(pipeline.start('metadata-storage', { PORT: 'eighty' }))
    expect(said['msg']).toContain('PORT=eighty is not a port from 0 to 65535')
  })
})

describe('the debug endpoints, when they are asked for', () => {
  async function ill(): Promise<Running> {
    const started = pipeline.start('frame-buffer', { MEDYK_DEBUG: '1' })
    await pipeline.ready('frame-buffer', started)
    return started
  }

  it('fail: /health is 503 until the process is started again', async () => {
    await ill()
    expect(await pipeline.post('frame-buffer', '/debug/fail')).toMatchObject({ code: 202 })
    await pipeline.until('/health is 503', async () => (await pipeline.report('frame-buffer', '/health')).code === 503)
    await sleep(500)
    expect((await pipeline.report('frame-buffer', '/health')).code).toBe(503)
  })

  it('slow: /health and /ready take as long as they are told, other answers do not', async () => {
    await ill()
    const took = async (path: string) => {
      const at = performance.now()
      await pipeline.ask('frame-buffer', path)
      return performance.now() - at
    }
    await pipeline.post('frame-buffer', '/debug/slow?ms=900')
    expect(await took('/health')).toBeGreaterThan(850)
    expect(await took('/ready')).toBeGreaterThan(850)
    expect(await took('/stats')).toBeLessThan(850)
    await pipeline.post('frame-buffer', '/debug/slow?ms=0')
    expect(await took('/health')).toBeLessThan(850)
  })

  it('hang: nothing is answered, and SIGTERM does not help', async () => {
    const { child, exited } = await ill()
    expect(await pipeline.post('frame-buffer', '/debug/hang')).toMatchObject({ code: 202 })
    await sleep(300)
    const signal = AbortSignal.timeout(1_500)
    expect(await pipeline.ask('frame-buffer', '/health', { signal })).toMatchObject({ code: 0 })
    child.kill('SIGTERM')
    expect(await Promise.race([exited, sleep(1_000, 'still there')])).toBe('still there')
    child.kill('SIGKILL')
    expect(await exited).toBe('SIGKILL')
  })

  it('leak: memory grows, up to a limit', async () => {
    await ill()
    const rss = async () => {
      const { body } = await pipeline.ask('frame-buffer', '/debug/leak', { method: 'POST' })
      return (body as { rssMib: number }).rssMib
    }
    const before = await rss()
    await pipeline.until('memory grew by 20 MiB', async () => (await rss()) > before + 20)
  })
})
