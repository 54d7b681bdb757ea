import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Pipeline, type Running } from '../support/pipeline.ts'
import { Postgres, postgresBin } from '../support/postgres.ts'

const bin = postgresBin()

const row = (number: number) => ({
  camera: 'a',
  session: 's',
  number,
  rtpTimestamp: 4_000_000_000,
  bytes: 1_000,
  keyframe: number === 1,
  capturedAt: 1_700_000_000_000 + number,
  gapFrames: 0,
  keyframeIntervalMs: null,
  bitrateBps: 1.5,
})

it('has a Postgres server to be tested with', (context) => {
  if (bin !== null) return
  const reason =
    'no Postgres server is installed: metadata-storage ran on SQLite only (Debian: apt-get install postgresql)'
  if (process.env['CI']) throw new Error(reason)
  console.warn(`SKIPPED: ${reason}`)
  context.skip(reason)
})

describe.skipIf(bin === null)('metadata-storage on Postgres', () => {
  let pipeline: Pipeline
  let postgres: Postgres
  let storage: Running

  beforeAll(async () => {
    pipeline = await Pipeline.create()
    postgres = await Postgres.create(bin ?? '')
    // The server takes connections a moment before it takes queries.
    await pipeline.until('it started on the database', async () => {
      storage = pipeline.start('metadata-storage', { DATABASE_URL: postgres.url })
      const up = pipeline.ready('metadata-storage', storage).then(() => true)
      return await Promise.race([up, storage.exited.then(() => false)])
    })
  })
  afterAll(async () => {
    await pipeline?.[Symbol.asyncDispose]()
    await postgres?.[Symbol.asyncDispose]()
  })

  it('counts each row once, however often it comes', async () => {
    const first = await pipeline.post('metadata-storage', '/metadata', { rows: [row(1), row(2), row(2)] })
    expect(first).toEqual({ code: 200, body: { stored: 2, repeated: 1 } })
    const second = await pipeline.post('metadata-storage', '/metadata', { rows: [row(2), row(3)] })
    expect(second).toEqual({ code: 200, body: { stored: 1, repeated: 1 } })
    expect((await pipeline.ask('metadata-storage', '/stats')).body).toEqual({
      frames: 3,
      lastFrameAt: new Date(1_700_000_000_003).toISOString(),
    })
  })

  it('is not ready, but alive, while the database is away, and comes back by itself', async () => {
    const ready = () => pipeline.report('metadata-storage', '/ready')
    await postgres.stop()
    await pipeline.until('it is not ready', async () => (await ready()).code === 503)
    expect((await ready()).checks['postgres']).toBe('unhealthy')
    expect(await pipeline.report('metadata-storage', '/health')).toMatchObject({ code: 200, status: 'degraded' })
    expect(await pipeline.post('metadata-storage', '/metadata', { rows: [row(4)] })).toMatchObject({ code: 500 })
    await postgres.start()
    await pipeline.until('it is ready again', async () => (await ready()).code === 200)
    expect(await pipeline.post('metadata-storage', '/metadata', { rows: [row(4)] })).toMatchObject({ code: 200 })
    expect(storage.output()).not.toContain('unused@')
  })

  it('leaves on SIGTERM with 0', async () => {
    storage.child.kill('SIGTERM')
    expect(await storage.exited).toBe(0)
  })
})
