import { describe, expect, it } from 'vitest'
import type { TokenHolder } from './proc.ts'
import { recall, tokenFor, type Sight } from './recall.ts'
import { newRecord, type InstanceRecord } from './record.ts'

const startedAt = '2026-01-02T03:04:05.678Z'
const wall = Date.parse(startedAt)
const token = tokenFor('mine.', wall, 'r')
const run = { token, startedAt, bootId: 'boot', commandHash: 'h', pid: 100, startTicks: 5 }
const known: InstanceRecord = { ...newRecord('a-1'), desired: 'running', starts: 2, lastStartedAt: startedAt, run }
const announced: InstanceRecord = { ...known, run: { ...run, pid: null, startTicks: null } }
const unknownExit = { code: null, signal: null, oomKilled: false, at: '2026-01-02T04:00:00.000Z' }

function sight(changes: Partial<Sight> = {}): Sight {
  return { bootId: 'boot', holders: [], tokenPrefix: 'mine.', isAlive: () => false, unknownExit, ...changes }
}

function holder(value: string, pid: number, { session = pid, startTicks = 50 } = {}): TokenHolder {
  return { value, stat: { pid, state: 'S', group: session, session, startTicks, dead: false, stopped: false } }
}

describe('a recorded run', () => {
  it('is alive when its pid and start are, with the very time of start', () => {
    const seen: object[] = []
    const { record, alive } = recall(known, sight({ isAlive: (name) => seen.push(name) > 0 }))
    expect(record).toBe(known)
    expect(alive).toEqual({ run, name: { pid: 100, startTicks: 5 }, orphan: false })
    expect(seen).toEqual([{ pid: 100, startTicks: 5 }])
  })

  it('is not looked for after another boot', () => {
    const { record, alive } = recall(known, sight({ bootId: 'later', isAlive: () => true }))
    expect(alive).toBeNull()
    expect(record).toMatchObject({ run: null, lastExit: unknownExit, starts: 2 })
  })

  it('has ended in an unknown way when it is not there, and may have left something behind', () => {
    expect(recall(known, sight())).toEqual({
      record: { ...known, run: null, lastExit: unknownExit },
      alive: null,
      leftBehind: { token, pid: 100 },
    })
  })

  it('keeps its exit code where the former daemon still saw it', () => {
    const lastExit = { code: 3, signal: null, oomKilled: false, at: '2026-01-02T03:10:00.000Z' }
    expect(recall({ ...known, lastExit }, sight()).record.lastExit).toEqual(lastExit)
    const older = { ...lastExit, at: '2026-01-02T03:00:00.000Z' }
    expect(recall({ ...known, lastExit: older }, sight()).record.lastExit).toEqual(unknownExit)
  })

  it('is not mistaken for a helper that it has detached itself', () => {
    expect(recall(known, sight({ holders: [holder(token, 200)] })).alive).toBeNull()
  })
})

describe('an announced run', () => {
  it('is found by its token, with the announced time of start', () => {
    const { record, alive } = recall(announced, sight({ holders: [holder(token, 300)] }))
    expect(alive).toMatchObject({ name: { pid: 300, startTicks: 50 }, orphan: true })
    expect(record).toMatchObject({ starts: 2, run: { startedAt, pid: 300, startTicks: 50, commandHash: 'h' } })
  })

  it.each([
    ['a member that is no leader', [holder(token, 301, { session: 300 })]],
    ["another instance's", [holder(tokenFor('other.', wall, 'r'), 300)]],
    ['an older run', [holder(tokenFor('mine.', wall - 1, 'r'), 300)]],
    ['garbage behind the prefix', [holder('mine.x', 300), holder('mine.', 301), holder('mine.1e400.r', 302)]],
  ])('is not taken for %s; it was no start then', (_, holders) => {
    const { record, alive, leftBehind } = recall(announced, sight({ holders }))
    expect(alive).toBeNull()
    expect(record).toMatchObject({ run: null, starts: 1, lastExit: null })
    expect(leftBehind).toEqual({ token, pid: null })
  })

  it('is the leader that is older where one of its children leads a session too', () => {
    const holders = [holder(token, 400, { startTicks: 60 }), holder(token, 300)]
    expect(recall(announced, sight({ holders })).alive?.name.pid).toBe(300)
  })
})

it('finds a newer run than the record knows, as when the record could not be written', () => {
  const later = tokenFor('mine.', wall + 5_000, 'r')
  const { record, alive } = recall(known, sight({ holders: [holder(token, 200), holder(later, 300)] }))
  expect(alive?.name.pid).toBe(300)
  expect(record.lastStartedAt).toBe('2026-01-02T03:04:10.678Z')
})

it('finds a run whose record was lost', () => {
  const { record, alive } = recall(newRecord('a-1'), sight({ holders: [holder(token, 300)] }))
  expect(alive).toMatchObject({ name: { pid: 300 }, run: { startedAt } })
  expect(record).toMatchObject({ desired: 'running', lastStartedAt: startedAt })
})

it('has nothing to say of an instance that has never run', () => {
  expect(recall(newRecord('a-1'), sight())).toEqual({ record: newRecord('a-1'), alive: null, leftBehind: null })
})
