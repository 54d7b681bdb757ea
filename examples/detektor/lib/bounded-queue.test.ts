import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { BoundedQueue } from './bounded-queue.ts'

describe('BoundedQueue', () => {
  it('drops the oldest when it is full, and counts them', () => {
    const queue = new BoundedQueue<number>(3)
    expect(queue.push([1, 2])).toBe(0)
    expect(queue.push([3, 4, 5])).toBe(2)
    expect(queue.take(10)).toEqual([3, 4, 5])
    expect(queue.dropped).toBe(2)
  })

  it('takes back at its front what was not used', () => {
    const queue = new BoundedQueue<number>(3)
    queue.push([1, 2, 3])
    const taken = queue.take(2)
    expect(queue.putBack(taken)).toBe(0)
    expect(queue.peek(3)).toEqual([1, 2, 3])
    expect(queue.putBack([0])).toBe(1)
    expect(queue.peek(3)).toEqual([1, 2, 3])
  })

  it('never holds more than fits, and accounts for every item', () => {
    const step = fc.oneof(
      fc.record({ push: fc.integer({ min: 0, max: 7 }) }),
      fc.record({ take: fc.integer({ min: 0, max: 7 }) }),
    )
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 10 }), fc.array(step), (capacity, steps) => {
        const queue = new BoundedQueue<number>(capacity)
        const taken: number[] = []
        let next = 0
        for (const one of steps) {
          if ('push' in one) queue.push(Array.from({ length: one.push }, () => next++))
          else taken.push(...queue.take(one.take))
          expect(queue.size).toBeLessThanOrEqual(capacity)
        }
        expect(taken.length + queue.size + queue.dropped).toBe(next)
        expect(taken).toEqual(taken.toSorted((a, b) => a - b))
      }),
    )
  })
})
