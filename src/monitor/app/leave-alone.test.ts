import { FakeClock } from '@medyk/health/testing'
import { expect, test } from 'vitest'
import { isoOf, type Maintenance } from '../model/index.ts'
import { LeaveAlone } from './leave-alone.ts'

function setUp() {
  const clock = new FakeClock()
  const told: string[][] = []
  const expired: string[] = []
  const alone = new LeaveAlone(
    clock,
    (all) => told.push(all.map(({ service, reason }) => `${service}: ${reason}`)),
    (service) => expired.push(service),
  )
  const entry = (service: string, reason: string, seconds: number): Maintenance => ({
    service,
    by: 'operator',
    reason,
    since: isoOf(clock.wall()),
    until: isoOf(clock.wall() + seconds * 1_000),
  })
  return { clock, told, expired, alone, entry }
}

test('each change is told once, with the whole list, and the end comes by itself', async () => {
  const { clock, told, expired, alone, entry } = setUp()
  alone.hold('asked', entry('b', 'lens', 90))
  alone.hold('asked', entry('a', 'disk', 600))
  alone.hold('declared', entry('c', 'label', 40))
  await clock.advance(39_000)
  expect(told).toEqual([['b: lens'], ['a: disk', 'b: lens'], ['a: disk', 'b: lens', 'c: label']])
  await clock.advance(2_000)
  expect(told.at(-1)).toEqual(['a: disk', 'b: lens'])
  await clock.advance(600_000)
  expect(told.slice(4)).toEqual([['a: disk'], []])
  expect(expired).toEqual(['b', 'a'])
  expect(clock.pending).toBe(0)
})

test('of several for one service the longest holds, and a shorter one takes nothing away', async () => {
  const { clock, told, alone, entry } = setUp()
  alone.hold('asked', entry('a', 'repair', 600))
  alone.hold('lease', entry('a', 'restart', 300))
  alone.release('lease', 'a')
  expect(told).toEqual([['a: repair']])
  alone.declare([entry('a', 'label', 3_600)])
  alone.release('asked', 'a')
  expect(alone.of('a')?.reason).toBe('label')
  alone.declare([])
  expect([alone.of('a'), told.at(-1)]).toEqual([null, []])
  alone.declare([])
  await clock.advance(10_000)
  expect(told).toHaveLength(3)
})

test('a wall clock that is set forward ends it soon, and one that is set back does not end it early', async () => {
  const { clock, alone, entry } = setUp()
  alone.hold('asked', entry('a', 'repair', 3_600))
  clock.jumpWall(-600_000)
  await clock.advance(3_600_000)
  expect(alone.of('a')).not.toBeNull()
  clock.jumpWall(600_000)
  expect(alone.of('a')).toBeNull()
})

test('nothing is told any more once it is disposed of', async () => {
  const { clock, told, alone, entry } = setUp()
  alone.hold('asked', entry('a', 'repair', 10))
  alone[Symbol.dispose]()
  await clock.advance(60_000)
  expect(told).toEqual([['a: repair']])
})
