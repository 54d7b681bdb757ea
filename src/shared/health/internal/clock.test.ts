import { getEventListeners } from 'node:events'
import { describe, expect, it } from 'vitest'
import { systemClock } from './clock.ts'

describe('systemClock', () => {
  it('measures on a scale that goes on while it waits', async () => {
    const before = systemClock.mono()
    await systemClock.sleep(30)
    expect(systemClock.mono() - before).toBeGreaterThanOrEqual(28)
  })

  it('does not fire at once for what is further away than a timer can count', async () => {
    let fired = false
    using endless = systemClock.timer(Infinity, () => (fired = true))
    using distant = systemClock.timer(2 ** 40, () => (fired = true))
    await systemClock.sleep(30)
    expect([fired, endless, distant]).toEqual([false, expect.anything(), expect.anything()])
  })

  it('does not fire what was disposed', async () => {
    let fired = false
    systemClock.timer(5, () => (fired = true))[Symbol.dispose]()
    await systemClock.sleep(30)
    expect(fired).toBe(false)
  })

  it('ends a sleep with the reason of its signal, and leaves no listener', async () => {
    const controller = new AbortController()
    const reason = new Error('up')
    const sleep = systemClock.sleep(60_000, controller.signal)
    controller.abort(reason)
    await expect(sleep).rejects.toBe(reason)
    await expect(systemClock.sleep(60_000, controller.signal)).rejects.toBe(reason)
    const { signal } = new AbortController()
    await systemClock.sleep(1, signal)
    expect(getEventListeners(signal, 'abort')).toHaveLength(0)
  })
})
