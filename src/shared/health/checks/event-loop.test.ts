import { afterEach, describe, expect, it } from 'vitest'
import type { CheckResult } from '../check.ts'
import { eventLoop, type EventLoopOptions } from './event-loop.ts'

const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms))

function block(ms: number): void {
  for (const end = performance.now() + ms; performance.now() < end;);
}

const made: Disposable[] = []
afterEach(() => {
  for (const one of made.splice(0)) one[Symbol.dispose]()
})

function setUp(options?: EventLoopOptions) {
  const check = eventLoop(options)
  made.push(check)
  return () => check(new AbortController().signal) as CheckResult
}

/** Above what a busy machine does to an idle process. */
const lenient: EventLoopOptions = {
  delayMs: { degraded: 1_000, unhealthy: 2_000 },
  utilization: { degraded: 0.98, unhealthy: 0.995 },
}

describe('eventLoop', () => {
  it('judges an idle process healthy, with the figures', async () => {
    const run = setUp(lenient)
    expect(run()).toEqual({ status: 'healthy' })
    await pause(1_500)
    const { status, data } = run()
    expect(status).toBe('healthy')
    // An idle loop is on time: the sampling interval itself is not counted as delay.
    expect(data?.['delayP99Ms']).toBeLessThan(500)
    expect(data?.['utilization']).toBeLessThan(0.98)
  }, 30_000)

  it('sees stalls between its runs', async () => {
    const run = setUp({ delayMs: { degraded: 100, unhealthy: 250 } })
    run()
    for (let round = 0; round < 4; round += 1) {
      block(500)
      await pause(300)
    }
    expect(run()).toMatchObject({
      status: 'unhealthy',
      message: expect.stringMatching(/^the event loop is late by \d+ ms \(p99\)/),
    })
  }, 30_000)

  it('sees a loop that is busy without long stalls', async () => {
    const run = setUp({ ...lenient, utilization: { degraded: 0.5, unhealthy: 2 } })
    run()
    for (const end = performance.now() + 1_600; performance.now() < end;) {
      block(20)
      await new Promise((resolve) => setImmediate(resolve))
    }
    expect(run()).toMatchObject({
      status: 'degraded',
      message: expect.stringMatching(/^the event loop is busy \d+ % of the time$/),
    })
  }, 30_000)

  it('does not judge by less than a second of evidence, but keeps to what it last judged', async () => {
    const run = setUp({ delayMs: { degraded: 50, unhealthy: 100 } })
    run()
    block(300)
    await pause(100)
    expect(run()).toEqual({ status: 'healthy' })
    for (let round = 0; round < 4; round += 1) {
      block(300)
      await pause(400)
    }
    const judged = run()
    expect(judged.status).toBe('unhealthy')
    expect(run()).toBe(judged)
  }, 30_000)

  it('forgets when it is released, and begins anew', async () => {
    const check = eventLoop({ ...lenient, utilization: { degraded: 0, unhealthy: 2 } })
    made.push(check)
    const { signal } = new AbortController()
    void check(signal)
    await pause(1_500)
    expect(check(signal)).toMatchObject({ status: 'degraded' })
    check[Symbol.dispose]()
    expect(check(signal)).toEqual({ status: 'healthy' })
  }, 30_000)
})
