import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { systemClock } from '@medyk/health/internal'
import { describe, expect, it } from 'vitest'
import { findHolders, groupMembers, parseStat, readBootId, readStat } from './proc.ts'

function line(name: string, state: string, threads = 1): string {
  return `4711 (${name}) ${state} 1 4700 4600 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 ${threads} 0 123456789 1000 2000 18446744073709551615`
}

describe('parseStat', () => {
  it.each(['node', 'a b', 'x) S 9 9 9', '((', '', 'emoji \u{1f600}'])(
    'is not misled by the program name %j',
    (name) => {
      expect(parseStat(line(name, 'S'))).toEqual({
        pid: 4711,
        state: 'S',
        group: 4700,
        session: 4600,
        startTicks: 123_456_789,
        dead: false,
        stopped: false,
      })
    },
  )

  it.each([
    ['S', 1, false, false],
    ['R', 3, false, false],
    ['D', 1, false, false],
    ['T', 1, false, true],
    ['t', 1, false, false],
    ['Z', 1, true, false],
    ['Z', 4, false, false],
    ['X', 1, true, false],
  ])('takes state %s with %i threads as dead: %s, stopped: %s', (state, threads, dead, stopped) => {
    expect(parseStat(line('a', state, threads))).toMatchObject({ dead, stopped })
  })

  it.each(['', 'nonsense', '4711 (a', '4711 (a) S 1', line('a', 'S').replace('123456789', 'x')])(
    'refuses %j',
    (text) => {
      expect(parseStat(text)).toBeNull()
    },
  )
})

it('reads the very process that asks, and null for one that cannot exist', () => {
  expect(readStat(process.pid)).toMatchObject({ pid: process.pid, dead: false, stopped: false })
  expect(readStat(2 ** 30)).toBeNull()
  expect(readBootId()).toMatch(/^[0-9a-f-]{36}$/)
})

it('finds the members of a group and who carries a variable', async () => {
  const value = `${process.pid}-${systemClock.mono()}`
  const child = spawn('sleep', ['60'], {
    detached: true,
    stdio: 'ignore',
    env: { ...process.env, MEDYK_TEST_MARK: value },
  })
  const ended = once(child, 'exit')
  const pid = child.pid ?? 0
  try {
    await once(child, 'spawn')
    expect(groupMembers(pid).map((member) => member.pid)).toEqual([pid])
    const holders = await findHolders('MEDYK_TEST_MARK', systemClock)
    expect(holders.filter((holder) => holder.value === value).map(({ stat }) => stat.pid)).toEqual([pid])
  } finally {
    child.kill('SIGKILL')
    await ended
  }
  expect(groupMembers(pid)).toEqual([])
})
