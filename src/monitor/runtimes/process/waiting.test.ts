import { systemClock } from '@medyk/health/internal'
import { describe, expect, it } from 'vitest'
import { CallQueue, cameWithin } from './waiting.ts'

const never = new Promise<void>(() => {})
const idle = new AbortController().signal

describe('cameWithin', () => {
  it('tells whether the event came in time', async () => {
    const waiting = { clock: systemClock, signal: idle }
    expect(await cameWithin(Promise.resolve(), 30_000, waiting)).toBe(true)
    expect(await cameWithin(never, 10, waiting)).toBe(false)
  })

  it('rejects with the reason of the signal, also when that has aborted before', async () => {
    const reason = new Error('enough')
    const controller = new AbortController()
    const waited = cameWithin(never, 30_000, { clock: systemClock, signal: controller.signal })
    controller.abort(reason)
    await expect(waited).rejects.toBe(reason)
    const late = cameWithin(Promise.resolve(), 1, { clock: systemClock, signal: AbortSignal.abort(reason) })
    await expect(late).rejects.toBe(reason)
  })
})

describe('a queue of calls', () => {
  it('carries them out one after the other, a failed one included', async () => {
    const queue = new CallQueue('a-1')
    const order: string[] = []
    const work = (name: string, ms: number, fails = false) =>
      queue.run(idle, async () => {
        order.push(`${name} begins`)
        await systemClock.sleep(ms)
        order.push(`${name} ends`)
        if (fails) throw new Error(name)
      })
    const results = await Promise.allSettled([work('slow', 30), work('broken', 10, true), work('quick', 0)])
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
    expect(order).toEqual(['slow begins', 'slow ends', 'broken begins', 'broken ends', 'quick begins', 'quick ends'])
  })

  it('lets a caller go whose signal aborts while it waits, and never begins its work', async () => {
    const queue = new CallQueue('a-1')
    const first = Promise.withResolvers<void>()
    const running = queue.run(idle, () => first.promise)
    const controller = new AbortController()
    let begun = false
    const waiting = queue.run(controller.signal, async () => {
      begun = true
    })
    controller.abort(new Error('enough'))
    await expect(waiting).rejects.toThrow('enough')
    first.resolve()
    await running
    await queue.idle()
    expect(begun).toBe(false)
  })

  it('refuses more callers than it may hold, and takes new ones once there is room', async () => {
    const queue = new CallQueue('a-1')
    const first = Promise.withResolvers<void>()
    const held = Array.from({ length: 32 }, () => queue.run(idle, () => first.promise))
    await expect(queue.run(idle, async () => {})).rejects.toMatchObject({ code: 'ERR_RUNTIME' })
    first.resolve()
    await Promise.all(held)
    await expect(queue.run(idle, async () => 'served')).resolves.toBe('served')
  })
})
