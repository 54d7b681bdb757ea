import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { EventQueue } from './queue.ts'

describe('EventQueue', () => {
  it('yields what was added by time, and in the order of adding within one moment', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 20 }), { maxLength: 200 }), (times) => {
        const queue = new EventQueue()
        const seen: string[] = []
        times.forEach((at, index) => queue.add(at, () => seen.push(`${at}#${index}`)))
        for (let next = queue.take(); next; next = queue.take()) next.run?.()
        const expected = times
          .map((at, index) => ({ at, index }))
          .sort((a, b) => a.at - b.at || a.index - b.index)
          .map(({ at, index }) => `${at}#${index}`)
        expect(seen).toEqual(expected)
      }),
    )
  })

  it('keeps the order when adding and taking mix', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(fc.nat(50), fc.constant(null)), { maxLength: 300 }), (steps) => {
        const queue = new EventQueue()
        const model: number[] = []
        for (const step of steps) {
          if (step !== null) {
            queue.add(step, () => {})
            model.push(step)
            continue
          }
          model.sort((a, b) => a - b)
          expect(queue.take()?.at).toBe(model.shift())
        }
        expect(queue.size).toBe(model.length)
      }),
    )
  })

  it('postpones an entry behind what is already there, and whoever holds it can still cancel it', () => {
    const queue = new EventQueue()
    const seen: string[] = []
    const held = queue.add(1, () => seen.push('held'))
    queue.add(5, () => seen.push('five'))
    queue.postpone(queue.take()!, 5)
    expect(queue.peek()).not.toBe(held)
    queue.take()?.run?.()
    expect(queue.peek()).toBe(held)
    held.run = null
    queue.take()?.run?.()
    expect(seen).toEqual(['five'])
  })
})
