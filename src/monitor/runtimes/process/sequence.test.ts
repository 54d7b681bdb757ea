import { systemClock } from '@medyk/health/internal'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import type { RuntimeEvent } from '../../model/index.ts'
import { openProcessFixture, type ProcessFixture } from './fixture.testing.ts'
import { findHolders } from './proc.ts'

type Step = 'start' | 'stop' | 'restart' | 'kill' | 'freeze' | 'next daemon'

const steps = fc.array(
  fc.oneof(
    ...(['start', 'stop', 'restart', 'kill', 'freeze', 'next daemon'] as const).map((step) => fc.constant<Step>(step)),
  ),
  { minLength: 1, maxLength: 8 },
)
const byText = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0)
const call = () => ({ signal: AbortSignal.timeout(30_000) })

/** Each inner list is done at once, the lists one after the other. */
async function live(fixture: ProcessFixture, rounds: readonly (readonly Step[])[], mark: string): Promise<void> {
  const spec = fixture.spec('any', { command: ['sleep', '600'], env: { MEDYK_TEST_MARK: mark } })
  let events: RuntimeEvent[] = []
  const open = async () => {
    const runtime = await fixture.open()
    events = []
    runtime.watch((event) => events.push(event))
    const [found] = await runtime.adopt([spec], call())
    return { runtime, found }
  }
  let { runtime, found } = await open()
  const times: string[] = []
  for (const round of rounds) {
    await Promise.all(
      round.map(async (step) => {
        const latest = await runtime.inspect('any-1', call())
        if (step === 'start') await runtime.start('any-1', call())
        if (step === 'stop') await runtime.stop('any-1', 10_000, call())
        if (step === 'restart') await runtime.restart('any-1', 10_000, call())
        if (step === 'kill' && latest.pid) await fixture.kill(latest)
        if (step === 'freeze' && latest.pid) await fixture.freeze(latest)
      }),
    )
    const holders = (await findHolders('MEDYK_TEST_MARK', systemClock)).filter(({ value }) => value === mark)
    expect(holders.length).toBeLessThanOrEqual(1)
    const before = await runtime.inspect('any-1', call())
    if (before.state === 'running') expect(holders.length === 0 || holders[0]?.stat.pid === before.pid).toBe(true)
    if (before.startedAt) times.push(before.startedAt)
    const runs = events
      .filter(({ type }) => type === 'instance.started')
      .map(({ instance }) => instance.startedAt ?? '')
    expect(runs).toEqual([...new Set(runs)].sort(byText))
    // After a start comes an end, after an end comes a start.
    const turns = events.map(({ type }) => type).filter((type) => /started|exited/.test(type))
    expect(turns.every((type, at) => at === 0 || type !== turns[at - 1])).toBe(true)
    if (round.includes('next daemon')) {
      await runtime[Symbol.asyncDispose]()
      ;({ runtime, found } = await open())
      expect(found?.restarts).toBe(before.restarts)
      if (found?.startedAt) expect(found.startedAt).toBe(before.startedAt)
    }
  }
  expect(times).toEqual([...times].sort(byText))
}

it('keeps at most one process, in whatever order it is started, stopped, killed and adopted', async () => {
  let n = 0
  await fc.assert(
    fc.asyncProperty(fc.array(steps, { minLength: 1, maxLength: 5 }), async (rounds) => {
      const fixture = await openProcessFixture()
      try {
        await live(fixture, rounds, `${process.pid}-${n++}`)
      } finally {
        await fixture[Symbol.asyncDispose]()
      }
    }),
    { numRuns: 40, endOnFailure: true },
  )
}, 120_000)
