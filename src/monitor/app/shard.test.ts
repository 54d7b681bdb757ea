import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { detect, initialDetection, type DetectionState } from '../detection/index.ts'
import type { Verdict } from '../model/index.ts'
import type { DetectionRecord } from './shard-protocol.ts'
import { instance, shard, sleep, soon, spec, target } from './shard.testing.ts'

let stack: AsyncDisposableStack

beforeEach(() => {
  stack = new AsyncDisposableStack()
})

afterEach(() => stack.disposeAsync())

describe('a shard', { timeout: 30_000 }, () => {
  test('says starting, then healthy, and no more while all is well', async () => {
    const one = await shard(stack)
    const { port, asked } = await target(stack)
    one.watch([spec('a', port)])
    await expect.poll(() => one.last(), soon).toBe('healthy')
    await sleep(3_000)
    expect(one.verdicts().map(({ status }) => status)).toEqual(['starting', 'healthy'])
    expect(asked()).toBeGreaterThanOrEqual(3)
    expect(asked()).toBeLessThanOrEqual(8)
  })

  test('tells of a target that refuses, and of an exit at once', async () => {
    const one = await shard(stack)
    const { port, server } = await target(stack)
    one.watch([spec('a', port), spec('b', port)])
    await expect.poll(() => `${one.last('a')} ${one.last('b')}`, soon).toBe('healthy healthy')
    one.send({ type: 'instance', event: { type: 'instance.exited', instance: instance('b', { state: 'exited' }) } })
    await expect.poll(() => one.verdicts('b').at(-1), { timeout: 300 }).toMatchObject({ evidence: 'certain' })
    server.close()
    server.closeAllConnections()
    await expect.poll(() => one.verdicts('a').at(-1), soon).toMatchObject({ status: 'unhealthy', symptom: 'failing' })
  })

  test('stops asking what is no longer named, and goes on undisturbed with the rest', async () => {
    const one = await shard(stack)
    const [gone, kept] = [await target(stack), await target(stack)]
    one.watch([spec('a', gone.port), spec('b', kept.port)])
    await expect.poll(() => `${one.last('a')} ${one.last('b')}`, soon).toBe('healthy healthy')
    one.watch([spec('b', kept.port)])
    await sleep(200)
    const before = gone.asked()
    await sleep(1_500)
    expect(gone.asked()).toBe(before)
    expect(kept.asked()).toBeGreaterThanOrEqual(2)
    expect(one.verdicts('b').map(({ status }) => status)).toEqual(['starting', 'healthy'])
  })

  test('begins anew with a target whose spec has changed', async () => {
    const one = await shard(stack)
    const [before, after] = [await target(stack), await target(stack)]
    one.watch([spec('a', before.port)])
    await expect.poll(() => one.last(), soon).toBe('healthy')
    one.watch([spec('a', after.port)])
    await expect.poll(() => after.asked(), soon).toBeGreaterThan(0)
  })

  test('watches an instance that it first hears of by an event', async () => {
    const one = await shard(stack)
    const { port } = await target(stack)
    one.watch([spec('a', port)], [])
    one.send({ type: 'instance', event: { type: 'instance.started', instance: instance('a') } })
    await expect.poll(() => one.last(), soon).toBe('healthy')
    one.send({ type: 'instance', event: { type: 'instance.removed', instance: instance('a') } })
    await sleep(500)
    expect(one.running).toBeDefined()
    expect(one.last()).toBe('healthy')
  })

  test('confirms by a fresh look: who is sound and who is not, unknown ones included, within the time', async () => {
    const one = await shard(stack)
    const [well, silent] = [await target(stack), createServer(() => {})]
    silent.listen(0, '127.0.0.1')
    await once(silent, 'listening')
    stack.defer(() => {
      silent.closeAllConnections()
      silent.close()
    })
    one.watch([spec('a', well.port), spec('b', (silent.address() as AddressInfo).port)])
    await expect.poll(() => one.last(), soon).toBe('healthy')
    const startedAt = performance.now()
    one.send({ type: 'confirm', token: 't', services: ['a', 'b', 'c'], withinMs: 300 })
    await expect
      .poll(() => one.events(), soon)
      .toEqual([{ type: 'confirmed', token: 't', sound: ['a'], doubtful: ['b', 'c'] }])
    expect(performance.now() - startedAt).toBeLessThan(1_500)
  })

  test('confirms what ran once and ended well: nobody who comes after it waits for it', async () => {
    const one = await shard(stack)
    const exit = { code: 0, signal: null, oomKilled: false, at: '', endedBy: 'itself' as const }
    const job = { ...spec('job', 1), probes: [], job: true as const }
    one.watch([job], [instance('job', { state: 'exited', exit })])
    one.send({ type: 'confirm', token: 't', services: ['job'], withinMs: 300 })
    await expect.poll(() => one.events(), soon).toMatchObject([{ type: 'confirmed', sound: ['job'], doubtful: [] }])
  })

  test('tells about each second: attempts, latency, lateness', async () => {
    const one = await shard(stack)
    const { port } = await target(stack)
    one.watch([spec('a', port)])
    await expect.poll(() => one.seconds().length, soon).toBeGreaterThanOrEqual(3)
    const [first] = one.seconds()
    expect(first).toMatchObject({ attempts: expect.any(Number), latencyP50Ms: expect.any(Number) })
    expect(first?.probes).toEqual([
      {
        instance: 'a-1',
        probe: 'live',
        lastOutcome: 'ok',
        lastLatencyMs: expect.any(Number),
        lastAt: expect.any(Number),
      },
    ])
    expect(first?.latenessP99Ms).toBeGreaterThanOrEqual(0)
  })

  test('records what replays to the same verdicts', async () => {
    const one = await shard(stack, { record: true })
    const { port, server } = await target(stack)
    one.watch([spec('a', port)])
    await expect.poll(() => one.last(), soon).toBe('healthy')
    server.close()
    server.closeAllConnections()
    await expect.poll(() => one.last(), soon).toBe('unhealthy')
    await sleep(200)
    const states = new Map<string, DetectionState>()
    const verdicts: Verdict[] = []
    for (const record of JSON.parse(JSON.stringify(one.records())) as DetectionRecord[]) {
      if (record.t === 'watch') {
        const { service, instance: watched, now, options } = record
        states.set(watched.id, initialDetection(service, watched, now, options))
      } else if (record.t === 'detect') {
        const state = states.get(record.instance)
        const verdict = state && detect(state, record.input, record.now).verdict
        if (verdict) verdicts.push(verdict)
      }
    }
    expect(verdicts).toEqual(one.verdicts())
  })

  test('row 41: one that cannot open a socket makes its targets unknown, not ill', async () => {
    const one = await shard(stack, { maxInFlight: 0 })
    const { port } = await target(stack)
    one.watch([spec('a', port)])
    await expect.poll(() => one.events()[0], soon).toMatchObject({ type: 'observer.changed', unwell: true })
    expect(one.verdicts().map(({ status }) => status)).toEqual(['starting', 'unknown'])
  })
})
