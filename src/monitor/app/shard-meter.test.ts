import { describe, expect, test } from 'vitest'
import { Percentiles } from './percentiles.ts'
import { openSentinel } from './sentinel.ts'
import { ShardMeter } from './shard-meter.ts'

const ok = (latencyMs: number) => ({ class: 'ok', latencyMs, report: null }) as const
const nothing = { class: 'void', reason: 'EMFILE' } as const

describe('the meter', () => {
  test('tells of a second what was finished in it, and begins anew', () => {
    const meter = new ShardMeter()
    for (let ms = 1; ms <= 100; ms++) meter.finished('a', 'live', ok(ms), ms)
    meter.finished('b', 'live', nothing, 101)
    meter.woke(3)
    expect(meter.take(7)).toEqual({
      type: 'summary',
      probes: [
        { instance: 'a', probe: 'live', lastOutcome: 'ok', lastLatencyMs: 100, lastAt: 100 },
        { instance: 'b', probe: 'live', lastOutcome: 'void', lastLatencyMs: null, lastAt: 101 },
      ],
      attempts: 101,
      latencyP50Ms: 51,
      latencyP99Ms: 100,
      latenessP99Ms: 3,
      inFlight: 7,
    })
    expect(meter.take(0)).toMatchObject({ probes: [], attempts: 0, latencyP50Ms: null, latenessP99Ms: 0 })
  })

  test('tells the version that a target reports of itself, whether or not it is well', () => {
    const meter = new ShardMeter()
    const report = { status: null, failing: [], version: '2.3.4' }
    meter.finished('a', 'live', { class: 'ok', latencyMs: 1, report }, 1)
    meter.finished('b', 'live', { class: 'explicit', reason: '503', latencyMs: 1, report }, 1)
    meter.finished('c', 'live', ok(1), 1)
    expect(meter.take(0).probes.map(({ version }) => version)).toEqual(['2.3.4', '2.3.4', undefined])
  })

  test.each([
    [0, 0, false],
    [9, 1, false],
    [5, 5, true],
    [0, 1, true],
  ])('%i good attempts and %i void ones: starved is %s', (good, voids, isStarved) => {
    const meter = new ShardMeter()
    for (let i = 0; i < good; i++) meter.finished('a', 'live', ok(1), 0)
    for (let i = 0; i < voids; i++) meter.finished('a', 'live', nothing, 0)
    expect(meter.isStarved).toBe(isStarved)
  })

  test('keeps a bounded number of samples, the newest', () => {
    const percentiles = new Percentiles()
    for (let i = 0; i < 10_000; i++) percentiles.add(i)
    expect(percentiles.take(0, 1)).toEqual([10_000 - 4_096, 9_999])
  })
})

describe('the sentinel', () => {
  test('hears itself, and has nothing to say when it is stopped', async () => {
    const sentinel = await openSentinel()
    expect(await sentinel.check()).toBe(true)
    const asked = sentinel.check()
    sentinel[Symbol.dispose]()
    expect(await asked).toBeNull()
  })
})
