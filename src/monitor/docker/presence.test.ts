import { FakeClock } from '@medyk/health/testing'
import { describe, expect, it } from 'vitest'
import { Presence } from './presence.ts'

function world() {
  const clock = new FakeClock()
  const told: string[] = []
  return { clock, told, presence: new Presence(clock, (reason) => told.push(reason)) }
}

const fails = (presence: Presence, reason: string) =>
  presence.during(() => Promise.reject(new Error(reason))).catch(() => {})

describe('whether Docker answers', () => {
  it('is not put in doubt by an answer within two seconds', async () => {
    const { clock, told, presence } = world()
    const answer = Promise.withResolvers<string>()
    const asking = presence.during(() => answer.promise)
    await clock.advance(1_999)
    answer.resolve('yes')
    expect(await asking).toBe('yes')
    await clock.advance(10_000)
    expect([told, presence.lost, clock.pending]).toEqual([[], null, 0])
  })

  it('is denied once after two seconds without one, and believed again when it is found', async () => {
    const { clock, told, presence } = world()
    const answer = Promise.withResolvers<void>()
    const asking = presence.during(() => answer.promise)
    await clock.advance(2_000)
    expect(presence.lost).toEqual({ since: 2_000, reason: 'no answer for 2 s' })
    answer.resolve()
    await asking
    expect(presence.lost).not.toBeNull()
    presence.found()
    expect([presence.lost, told.length]).toEqual([null, 1])
  })

  it('is denied when it has failed for two seconds, however quickly each time', async () => {
    const { clock, told, presence } = world()
    for (let n = 0; n < 4; n++) {
      await fails(presence, 'refused')
      expect(told).toEqual([])
      await clock.advance(500)
    }
    await fails(presence, 'refused')
    await fails(presence, 'refused')
    expect(told).toEqual(['refused'])
  })

  it('is not denied for failures with an answer between', async () => {
    const { clock, told, presence } = world()
    for (let n = 0; n < 5; n++) {
      await fails(presence, 'refused')
      await clock.advance(1_500)
      await presence.during(() => Promise.resolve())
      await clock.advance(1_500)
    }
    expect(told).toEqual([])
  })
})
