import { Worker } from 'node:worker_threads'
import { silentLogger, systemClock } from '@medyk/health/internal'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Verdict } from '../model/index.ts'
import { keepShard, type KeptShardListener } from './shard-keeper.ts'
import type { ShardSettings } from './shard-protocol.ts'
import { instance, soon, spec, target } from './shard.testing.ts'

let stack: AsyncDisposableStack

beforeEach(() => {
  stack = new AsyncDisposableStack()
})

afterEach(() => stack.disposeAsync())

const shardFile = () => new URL(import.meta.resolve('#shard'))
const dying = () => new Worker('throw new Error("no room")', { eval: true })

async function kept(
  settings: Partial<ShardSettings> = {},
  start = (workerData: ShardSettings, _life: number) => new Worker(shardFile(), { workerData }),
) {
  const workers: Worker[] = []
  const said: string[] = []
  const verdicts: Verdict[] = []
  let records = 0
  const listener: KeptShardListener = {
    onVerdict(verdict) {
      verdicts.push(verdict)
      said.push(`${verdict.instance} ${verdict.status}`)
    },
    onEvent() {},
    onSummary() {},
    onRecord: () => void records++,
    onLost: () => void said.push('lost'),
    onBack: () => void said.push('back'),
  }
  const spawn = (data: ShardSettings) => {
    const worker = start(data, workers.length)
    workers.push(worker)
    return worker
  }
  const host = await keepShard(listener, { settings, clock: systemClock, logger: silentLogger, spawn })
  stack.use(host)
  return { host, workers, said, verdicts, records: () => records }
}

describe('a kept shard', { timeout: 60_000 }, () => {
  test('whose worker dies is unknown meanwhile, comes back and sees everything again', async () => {
    const [well, gone] = [await target(stack), await target(stack)]
    const { host, workers, said, verdicts } = await kept()
    host.setTargets([spec('a', well.port), spec('b', gone.port)], [instance('a'), instance('b')], [])
    await expect.poll(() => said.filter((line) => line.endsWith('healthy')).length, soon).toBe(2)
    host.instanceEvent({ type: 'instance.exited', instance: instance('b', { state: 'exited' }) })
    await expect.poll(() => said.at(-1), soon).toBe('b-1 unhealthy')
    const before = said.length
    await workers[0]?.terminate()
    await expect.poll(() => said[before], soon).toBe('lost')
    // What the runtime saw stays certain; of the other nothing is known any more.
    expect(said.slice(before)).toEqual(['lost', 'a-1 unknown'])
    expect(verdicts.at(-1)).toMatchObject({ symptom: 'observer', previous: 'healthy', evidence: null })

    await expect.poll(() => said.at(-1), { timeout: 20_000 }).toBe('a-1 healthy')
    expect(said.slice(before + 2).sort()).toEqual(['a-1 healthy', 'a-1 starting', 'b-1 unhealthy', 'back'])
    expect(workers).toHaveLength(2)
  })

  test('believes after its return that one hangs which it had seen healthy before', async () => {
    const { port, server } = await target(stack)
    const { host, workers, said } = await kept()
    host.setTargets([spec('a', port, { startupGraceMs: 3_000 })], [instance('a')], [])
    await expect.poll(() => said.at(-1), soon).toBe('a-1 healthy')
    await workers[0]?.terminate()
    server.removeAllListeners('request')
    server.on('request', () => {})
    stack.defer(() => server.closeAllConnections())
    await expect.poll(() => said.at(-1), { timeout: 30_000 }).toBe('a-1 unhealthy')
  })

  test('tries again and again when its successors die as well, with growing pauses', async () => {
    const at: number[] = []
    const { host, said, workers } = await kept({}, (workerData, life) => {
      at.push(performance.now())
      return life === 1 || life === 2 ? dying() : new Worker(shardFile(), { workerData })
    })
    const { port } = await target(stack)
    host.setTargets([spec('a', port)], [instance('a')], [])
    await workers[0]?.terminate()
    await expect.poll(() => said.at(-1), { timeout: 30_000 }).toBe('a-1 healthy')
    expect(said.filter((line) => line === 'lost' || line === 'back')).toEqual(['lost', 'lost', 'lost', 'back'])
    const pauses = at.slice(1).map((time, i) => time - (at[i] ?? 0))
    expect(pauses[1]).toBeGreaterThanOrEqual(1_000)
    expect(pauses[2]).toBeGreaterThanOrEqual(2_000)
  })

  test('is not tried again when not even the first comes up', async () => {
    let lives = 0
    await expect(
      kept({}, () => {
        lives++
        return dying()
      }),
    ).rejects.toMatchObject({ code: 'ERR_SHARD', message: 'the probing thread failed: no room' })
    await new Promise((resolve) => setTimeout(resolve, 1_200))
    expect(lives).toBe(1)
  })

  test('says its last recorded lines before it ends, and needs no more than half a second for it', async () => {
    const { port } = await target(stack)
    const { host, records } = await kept({ record: true })
    // What it is told comes in order: the watch is recorded before the stop, and flushed only by it.
    host.setTargets([spec('a', port)], [instance('a')], [])
    const startedAt = performance.now()
    await host[Symbol.asyncDispose]()
    expect(records()).toBeGreaterThanOrEqual(2)
    expect(performance.now() - startedAt).toBeLessThan(2_000)
  })

  test('one that hangs is ended none the less', async () => {
    const hanging = `
      const { parentPort } = require('node:worker_threads')
      parentPort.postMessage({ type: 'ready' })
      parentPort.on('message', () => { for (;;); })`
    const { host } = await kept({}, () => new Worker(hanging, { eval: true }))
    host.confirm('t', [], 1)
    const startedAt = performance.now()
    await host[Symbol.asyncDispose]()
    expect(performance.now() - startedAt).toBeGreaterThanOrEqual(490)
    expect(performance.now() - startedAt).toBeLessThan(5_000)
  })
})
