import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { until } from '../support/example.ts'
import { Tiny } from '../support/tiny.ts'

let tiny: Tiny

beforeEach(async () => {
  tiny = await Tiny.create()
})

afterEach(() => tiny[Symbol.asyncDispose]())

/** As long as it takes, without a pause: some of the moments last a few milliseconds. */
async function moment(isThere: () => boolean): Promise<void> {
  const end = performance.now() + 20_000
  while (!isThere()) {
    if (performance.now() > end) throw new Error('the moment did not come')
    await sleep(1)
  }
}

const actions = () => tiny.journal('SELECT result FROM actions ORDER BY seq')
const incidents = () => tiny.journal('SELECT id, closed_at FROM incidents')
const stillOpen = () => incidents().filter(({ closed_at }) => closed_at === null)
const counted = () => actions().filter(({ result }) => result !== 'aborted').length

interface Before {
  readonly actions: number
  readonly boots: number
  readonly incidents: number
}

/** Well again, and not yet for long enough. */
const verifying = () =>
  tiny.journal(
    `SELECT id FROM incidents WHERE closed_at IS NULL AND json_extract(incident, '$.recoveredAt') IS NOT NULL`,
  )

const moments: readonly (readonly [string, (before: Before) => Promise<void>])[] = [
  ['at the same time', async () => {}],
  ['when the incident is journaled', (before) => moment(() => incidents().length > before.incidents)],
  ['when the intent is journaled', (before) => moment(() => actions().length > before.actions)],
  ['when the new process begins', (before) => moment(() => tiny.boots().length > before.boots)],
  ['when the outcome is journaled', (before) => moment(() => (actions()[before.actions]?.result ?? null) !== null)],
  ['while it is verified', () => moment(() => verifying().length > 0)],
  ...[5, 15, 30, 50, 80, 150, 400, 800].map((ms) => [`${ms} ms later`, () => sleep(ms).then(() => {})] as const),
]

describe('a daemon that is killed with -9 in the middle of a recovery', () => {
  it(
    'acts once all in all, counts every intent, and tells one incident, whatever the moment',
    { timeout: 300_000 },
    async () => {
      let daemon = tiny.serve()
      await tiny.healthy()
      const met: string[] = []
      for (const [name, comes] of moments) {
        const before: Before = { actions: actions().length, boots: tiny.boots().length, incidents: incidents().length }
        tiny.signal('SIGKILL')
        await comes(before)
        daemon.child.kill('SIGKILL')
        expect(await daemon.exited, name).toBe('SIGKILL')

        const pending = actions().filter(({ result }) => result === null).length
        const open = stillOpen()
        const booted = tiny.boots().length - before.boots
        met.push(`${name}: ${actions().length - before.actions} intents, ${pending} pending, ${booted} boots`)
        expect(pending, name).toBeLessThanOrEqual(1)

        daemon = tiny.serve()
        const { budget, instances } = await tiny.healthy()
        await until(() => incidents().length > before.incidents && stillOpen().length === 0, 20_000, 'it closes')
        // The service's own book and the kernel are the witnesses; the daemon's word counts for its counters only.
        expect(tiny.boots(), name).toHaveLength(before.boots + 1)
        expect(
          tiny.alive().map(({ pid }) => pid),
          name,
        ).toEqual([instances[0]?.pid])
        expect(tiny.complaints(), name).toEqual([])
        const intents = actions().length - before.actions
        expect(intents, name).toBeGreaterThanOrEqual(1)
        expect(intents, name).toBeLessThanOrEqual(1 + pending)
        expect(actions().filter(({ result }) => result === 'interrupted').length, name).toBeLessThanOrEqual(met.length)
        expect(
          actions().filter(({ result }) => result === null),
          name,
        ).toEqual([])
        expect(budget?.attemptsUsed, name).toBe(counted())

        const told = await tiny.incidents()
        expect(told, name).toHaveLength(before.incidents + 1)
        for (const { id } of open) expect(told[0]?.id, name).toBe(id)
        expect(
          told.filter((one) => one.closedAt === null),
          name,
        ).toEqual([])
      }
      console.info(met.join('\n'))
      // The kills have to have met each side of the act, or nothing is proven.
      expect(met.filter((line) => line.includes(' 0 intents'))).not.toEqual([])
      expect(met.filter((line) => line.includes(' 1 intents') && line.includes(' 1 boots'))).not.toEqual([])
      expect(met.filter((line) => line.includes(' 1 pending'))).not.toEqual([])
    },
  )

  it('believes after its return that a service hangs which it had seen healthy, and cures it', async () => {
    const first = tiny.serve()
    await tiny.healthy()
    await until(() => tiny.journal('SELECT * FROM proven').length === 1, 5_000, 'it is proven')
    first.child.kill('SIGKILL')
    await first.exited
    const hung = tiny.signal('SIGSTOP')
    tiny.serve()
    await until(() => tiny.boots().length === 2, 30_000, 'it is started again')
    const { instances } = await tiny.healthy()
    expect(tiny.alive().map(({ pid }) => pid)).toEqual([instances[0]?.pid])
    expect(instances[0]?.pid).not.toBe(hung)
    expect(tiny.complaints()).toEqual([])
  })
})

describe('a second daemon on the same state directory', () => {
  it.each([
    ['on the same port', () => []],
    ['on a port of its own', () => ['--port', String(tiny.otherPort)]],
  ])('%s is refused, names the first one, and touches nothing', async (_name, flags) => {
    const first = tiny.serve()
    const before = await tiny.healthy()
    const second = tiny.serve(...flags())
    expect(await second.exited).toBe(1)
    expect(second.stderr()).toContain(`medyk: the daemon with pid ${first.child.pid}, since `)
    expect(second.stderr()).toContain(`→ end it (kill ${first.child.pid}), or choose another directory with --state`)
    const after = await tiny.healthy()
    expect(after.instances).toEqual(before.instances)
    expect(tiny.boots()).toHaveLength(1)
    expect(tiny.alive()).toHaveLength(1)
    expect(await tiny.incidents()).toEqual([])
    expect(first.child.exitCode).toBeNull()
  })
})

describe('Ctrl-C', () => {
  it('twice within a second counts as one: the services are stopped, then the daemon ends well', async () => {
    const daemon = tiny.serve()
    await tiny.healthy()
    daemon.child.kill('SIGINT')
    await sleep(50)
    daemon.child.kill('SIGINT')
    expect(await daemon.exited).toBe(0)
    expect(daemon.stderr()).toBe('')
    expect(tiny.alive()).toEqual([])
    expect(tiny.boots()).toHaveLength(1)
  })
})
