import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { ApiEvent } from './api.ts'
import { createEventLog, type EventBody } from './event-log.ts'

const observer = (reason: string): EventBody => ({ type: 'observer', data: { unwell: true, reason, since: null } })
const make = (capacity = 4, epoch = 'e1') => createEventLog({ epoch, version: '1', wall: () => 0, capacity })

function listen(log: ReturnType<typeof make>, since?: string) {
  const seen: ApiEvent[] = []
  const subscription = log.subscribe((event) => seen.push(event), since)
  return { seen, stop: () => subscription[Symbol.dispose]() }
}

const resumedOf = (events: readonly ApiEvent[]) => (events[0]?.type === 'hello' ? events[0].data.resumed : undefined)

describe('the event log', () => {
  it('greets a newcomer without a replay and with the observer as it is now', () => {
    const log = make()
    log.publish(observer('late'))
    const { seen } = listen(log)
    expect(seen).toEqual([
      {
        id: 'e1-1',
        type: 'hello',
        data: {
          resumed: false,
          at: '1970-01-01T00:00:00.000Z',
          version: '1',
          observer: { unwell: true, reason: 'late', since: null },
        },
      },
    ])
  })

  it.each([
    { title: 'an id of a former life', since: 'e0-1' },
    { title: 'an id from the future', since: 'e1-99' },
    { title: 'an id whose successors are gone', since: 'e1-1' },
    { title: 'an id that is no number', since: 'e1-1x' },
    { title: 'a negative id', since: 'e1--1' },
    { title: 'an empty id', since: '' },
  ])('does not pretend to resume from $title', ({ since }) => {
    const log = make(4)
    for (let n = 0; n < 8; n++) log.publish(observer(String(n)))
    expect(resumedOf(listen(log, since).seen)).toBe(false)
  })

  it('cannot be resumed across a reset, and tells those who listen', () => {
    const log = make()
    log.publish(observer('a'))
    const { seen } = listen(log)
    log.reset()
    expect(seen.map((event) => event.type)).toEqual(['hello', 'hello'])
    expect(resumedOf(listen(log, 'e1-1').seen)).toBe(false)
    expect(resumedOf(listen(log, seen[1]?.id).seen)).toBe(true)
  })

  it('drops a listener that throws and serves the others', () => {
    const log = make()
    let calls = 0
    log.subscribe((event) => {
      if (event.type !== 'hello') {
        calls++
        throw new Error('broken')
      }
    })
    const { seen } = listen(log)
    log.publish(observer('a'))
    log.publish(observer('b'))
    expect(calls).toBe(1)
    expect(seen).toHaveLength(3)
  })

  it('lets a client that comes and goes miss nothing without being told', () => {
    const steps = fc.array(fc.constantFrom('publish', 'leave', 'come', 'reset'), { maxLength: 60 })
    fc.assert(
      fc.property(steps, fc.integer({ min: 1, max: 6 }), (script, capacity) => {
        const log = make(capacity)
        let published = 0
        // What a client that fetches anew on "not resumed" knows: the number of the newest event it has seen.
        let known = 0
        let lastId: string | undefined
        let stop: (() => void) | undefined
        const come = () => {
          const subscription = log.subscribe((event) => {
            lastId = event.id
            if (event.type === 'hello') {
              if (!event.data.resumed) known = published
            } else if (event.type === 'observer') {
              expect(Number(event.data.reason)).toBe(known + 1)
              known++
            }
          }, lastId)
          stop = () => subscription[Symbol.dispose]()
        }
        for (const step of script) {
          if (step === 'publish') log.publish(observer(String(++published)))
          if (step === 'reset') log.reset()
          if (step === 'leave') [stop] = [undefined, stop?.()]
          if (step === 'come' && !stop) come()
        }
        stop?.()
        come()
        expect(known).toBe(published)
      }),
    )
  })
})
