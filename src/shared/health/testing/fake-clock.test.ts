import { describe, expect, it } from 'vitest'
import { FakeClock } from './index.ts'

describe('FakeClock', () => {
  it('stands still until it is moved, both scales together', async () => {
    const clock = new FakeClock()
    expect([clock.mono(), new Date(clock.wall()).toISOString()]).toEqual([0, '2024-01-20T10:00:00.000Z'])
    await clock.advance(1_500)
    expect([clock.mono(), new Date(clock.wall()).toISOString()]).toEqual([1_500, '2024-01-20T10:00:01.500Z'])
    expect(new FakeClock(5).wall()).toBe(5)
  })

  it('runs timers by their time and, at the same time, in the order in which they were set', async () => {
    const clock = new FakeClock()
    const fired: string[] = []
    const set = (name: string, ms: number) => clock.timer(ms, () => fired.push(`${name}@${clock.mono()}`))
    set('b', 20)
    set('a', 10)
    set('c', 20)
    set('later', 31)
    await clock.advance(30)
    expect(fired).toEqual(['a@10', 'b@20', 'c@20'])
    expect([clock.mono(), clock.pending]).toEqual([30, 1])
  })

  it('runs what timers set, and what follows from promises, within the same move', async () => {
    const clock = new FakeClock()
    const at: number[] = []
    const loop = async () => {
      for (let round = 0; round < 3; round += 1) {
        await clock.sleep(10)
        await Promise.resolve().then(() => Promise.resolve())
        at.push(clock.mono())
      }
    }
    const done = loop()
    await clock.advance(100)
    await done
    expect(at).toEqual([10, 20, 30])
  })

  it('does not run what was disposed, not even by a timer of the same time', async () => {
    const clock = new FakeClock()
    const fired: string[] = []
    clock.timer(10, () => {
      fired.push('first')
      second[Symbol.dispose]()
    })
    const second = clock.timer(10, () => fired.push('second'))
    await clock.advance(100)
    expect(fired).toEqual(['first'])
  })

  it('ends a sleep with the reason of its signal, and leaves no timer', async () => {
    const clock = new FakeClock()
    const controller = new AbortController()
    const sleep = clock.sleep(1_000, controller.signal)
    controller.abort(new Error('up'))
    await expect(sleep).rejects.toThrow('up')
    expect(clock.pending).toBe(0)
  })

  it('lets the wall clock jump without moving what is measured', async () => {
    const clock = new FakeClock(0)
    clock.jumpWall(-3_600_000)
    await clock.advance(1_000)
    expect([clock.mono(), clock.wall()]).toEqual([1_000, -3_599_000])
  })
})
