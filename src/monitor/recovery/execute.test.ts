import { MedykError, silentLogger } from '@medyk/health/internal'
import { FakeClock } from '@medyk/health/testing'
import { expect, test } from 'vitest'
import type { Action, Instance, Runtime } from '../model/index.ts'
import { execute } from './execute.ts'

const action: Action = {
  id: 'a1',
  incident: 'i1',
  service: 'camera',
  instance: 'camera-1',
  kind: 'start',
  graceMs: 0,
  attempt: 1,
  precondition: { startedAt: null },
  reason: '',
}
const dead = { id: 'camera-1', startedAt: null } as Instance
const alive = { id: 'camera-1', startedAt: '2026-05-01T10:00:04.000Z' } as Instance

function stage(refusals: readonly string[]) {
  const clock = new FakeClock()
  const abort = new AbortController()
  const tries: string[] = []
  let starts = 0
  const runtime = {
    inspect: async () => dead,
    start: async () => {
      starts++
      return alive
    },
  } as unknown as Runtime
  const context = {
    runtime,
    clock,
    logger: silentLogger,
    signal: abort.signal,
    intents: {
      commitIntent: async () => {},
      async commitOutcome(_id: string, outcome: { result: string }, finishedAt: string) {
        tries.push(`${outcome.result} ${finishedAt}`)
        const code = refusals[tries.length - 1]
        if (code) throw new MedykError(code, 'refused')
      },
    },
  }
  return {
    abort,
    tries,
    advance: (ms: number) => clock.advance(ms),
    starts: () => starts,
    run: () => execute(action, '2026-05-01T10:00:00.000Z', context),
  }
}

const full = 'ERR_JOURNAL_WRITE'

test('an outcome that the journal refuses is offered again until it is taken, as it was, and nothing is done twice', async () => {
  const { run, advance, tries, starts } = stage([full, full])
  expect(await run()).toMatchObject({ result: 'done' })
  expect(tries).toHaveLength(1)
  await advance(1_000)
  await advance(4_999)
  expect(tries).toHaveLength(2)
  await advance(1)
  expect(tries).toHaveLength(3)
  await advance(10_000_000)
  expect(tries).toHaveLength(3)
  expect(new Set(tries).size).toBe(1)
  expect(starts()).toBe(1)
})

test('not for ever', async () => {
  const { run, advance, tries } = stage(Array.from({ length: 100 }, () => full))
  await run()
  for (let i = 0; i < 20; i++) await advance(900_000)
  expect(tries).toHaveLength(7)
})

test.each(['ERR_JOURNAL_DUPLICATE', 'ERR_JOURNAL_UNKNOWN'])('not after %s: there is nothing to write', async (code) => {
  const { run, advance, tries } = stage(['ERR_DEADLINE', code])
  await run()
  for (let i = 0; i < 5; i++) await advance(900_000)
  expect(tries).toHaveLength(2)
})

test('a daemon that ends tries once more, at once', async () => {
  const { run, abort, advance, tries } = stage(Array.from({ length: 100 }, () => full))
  await run()
  abort.abort()
  await advance(0)
  expect(tries).toHaveLength(2)
  for (let i = 0; i < 5; i++) await advance(900_000)
  expect(tries).toHaveLength(2)
})
