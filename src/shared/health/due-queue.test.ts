import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { DueQueue, type Due } from './due-queue.ts'

type Step =
  | { readonly kind: 'push' | 'remove'; readonly item: number; readonly dueAt: number }
  | { readonly kind: 'pop' }

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({
    kind: fc.constantFrom('push' as const, 'push' as const, 'remove' as const),
    item: fc.nat({ max: 20 }),
    dueAt: fc.nat({ max: 50 }),
  }),
  fc.constant({ kind: 'pop' as const }),
)

describe('DueQueue', () => {
  it('behaves like a stable sorted list, whatever is pushed, moved, removed and popped', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const items: Due[] = Array.from({ length: 21 }, () => ({ dueAt: 0, slot: -1, order: 0 }))
        const queue = new DueQueue<Due>()
        let model: { readonly item: Due; readonly dueAt: number }[] = []
        for (const one of steps) {
          if (one.kind === 'pop') {
            const first = model.shift()
            expect(queue.pop()).toBe(first?.item)
          } else {
            const item = items.at(one.item) as Due
            model = model.filter((other) => other.item !== item)
            if (one.kind === 'push') {
              queue.push(item, one.dueAt)
              const place = model.findLastIndex((other) => other.dueAt <= one.dueAt) + 1
              model.splice(place, 0, { item, dueAt: one.dueAt })
            } else queue.remove(item)
          }
          expect(queue.size).toBe(model.length)
          expect(queue.peek()).toBe(model[0]?.item)
        }
        expect(Array.from({ length: queue.size }, () => queue.pop())).toEqual(model.map(({ item }) => item))
        expect(items.every(({ slot }) => slot === -1)).toBe(true)
      }),
    )
  })
})
