import { silentLogger, systemClock } from '@medyk/health/internal'
import { expect, onTestFinished, test } from 'vitest'
import type { Journal } from '../journal/index.ts'
import { freshDir, open } from '../journal/journal.testing.ts'
import type { Action, ActionOutcome, InputEvent, Instance, Runtime } from '../model/index.ts'
import { Commands } from './commands.ts'
import { instance, spec } from './shard.testing.ts'

/** This machine may be busy. */
const soon = { timeout: 20_000 }

/** A runtime of instances in memory whose restarts wait until they are let go. */
class Yard {
  readonly instances = new Map<string, Instance>()
  readonly restarted: string[] = []
  gate: Promise<void> = Promise.resolve()
  #runs = 0

  add(service: string, n: number, more: Partial<Instance> = {}): void {
    const id = `${service}-${n}`
    this.instances.set(id, instance(service, { id, startedAt: '2026-05-01T10:00:00.000Z', ...more }))
  }

  readonly runtime = {
    kind: 'test',
    abilities: new Set(['restart']),
    inspect: async (id: string) => this.#get(id),
    restart: async (id: string) => {
      await this.gate
      this.restarted.push(id)
      const next = { ...this.#get(id), startedAt: new Date(Date.now() + ++this.#runs).toISOString() }
      this.instances.set(id, next)
      return next
    },
  } as unknown as Runtime

  #get(id: string): Instance {
    const found = this.instances.get(id)
    if (!found) throw new Error(`no ${id}`)
    return found
  }
}

interface Bench {
  readonly commands: Commands
  readonly yard: Yard
  readonly journal: Journal
  /** Services that the core was told to leave alone, each time. */
  readonly alone: string[][]
  readonly finished: { action: Action; outcome: ActionOutcome }[]
}

async function setUp({ dir = freshDir(), yard = new Yard() } = {}): Promise<Bench> {
  const journal = await open(dir)
  const alone: string[][] = []
  const finished: Bench['finished'] = []
  const specs = new Map(
    [spec('camera', 1, { runtime: 'test' }), spec('watched', 2)].map((each) => [each.name, each] as const),
  )
  const commands = new Commands({
    journal,
    clock: systemClock,
    logger: silentLogger,
    send: (event: InputEvent) => {
      if (event.type === 'maintenance.changed') alone.push(event.maintenance.map(({ service }) => service))
    },
    spec: (name) => specs.get(name),
    instances: () => yard.instances.values(),
    runtimeOf: (id) => (yard.instances.has(id) ? yard.runtime : undefined),
    onFinished: (action, outcome) => void finished.push({ action, outcome }),
    signal: new AbortController().signal,
  })
  onTestFinished(() => commands[Symbol.dispose]())
  return { commands, yard, journal, alone, finished }
}

const restart = (key: string | null, more: Partial<{ service: string; reason: string }> = {}) => ({
  service: 'camera',
  reason: 'new lens',
  by: 'operator',
  key,
  ...more,
})

test('a restart takes each running instance in turn, in maintenance, with intent and outcome in the journal', async () => {
  const bench = await setUp()
  bench.yard.add('camera', 1)
  bench.yard.add('camera', 2)
  bench.yard.add('camera', 3, { state: 'exited', startedAt: null })
  bench.yard.add('other', 1)
  const accepted = await bench.commands.restart(restart(null))
  expect(accepted.actions.map((action) => action.instance)).toEqual(['camera-1', 'camera-2'])
  await expect.poll(() => bench.finished.length, soon).toBe(2)
  await expect.poll(() => bench.alone.at(-1), soon).toEqual([])
  // Anew for each instance, so that a long row of them is not without it in the end.
  expect(bench.alone).toEqual([['camera'], ['camera'], []])
  expect(bench.yard.restarted).toEqual(['camera-1', 'camera-2'])
  expect(bench.finished.map(({ action, outcome }) => [action.id, action.incident, outcome.result])).toEqual(
    accepted.actions.map(({ id }) => [id, accepted.id, 'done']),
  )
  for (const { id } of accepted.actions) {
    expect(await bench.commands.action(id)).toMatchObject({ id, result: 'done', reason: 'operator: new lens' })
    expect((await bench.journal.action(id))?.outcome?.result).toBe('done')
  }
  expect((await bench.journal.readBack()).attempts).toEqual([])
})

test.each([
  ['a name that nobody has', 'nobody', 'ERR_UNKNOWN_SERVICE'],
  ['one that is only watched', 'watched', 'ERR_NO_RUNTIME'],
  ['one of which nothing runs', 'camera', 'ERR_NOT_RUNNING'],
])('a restart of %s is refused, and the key may be used again', async (_what, service, code) => {
  const bench = await setUp()
  bench.yard.add('camera', 1, { state: 'exited', startedAt: null })
  await expect(bench.commands.restart(restart('k', { service }))).rejects.toMatchObject({ code })
  expect(await bench.journal.claimed('k')).toBeNull()
  expect(bench.alone).toEqual([])
})

test('the same key gives the same answer and one action, while it goes on and afterwards; another body is refused', async () => {
  const bench = await setUp()
  bench.yard.add('camera', 1)
  const gate = Promise.withResolvers<void>()
  bench.yard.gate = gate.promise
  const answers = await Promise.all(Array.from({ length: 10 }, () => bench.commands.restart(restart('k'))))
  expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1)
  await expect(bench.commands.restart(restart('k2'))).rejects.toMatchObject({ code: 'ERR_BUSY' })
  await expect(bench.commands.restart(restart('k', { reason: 'x' }))).rejects.toMatchObject({ code: 'ERR_KEY_REUSED' })
  gate.resolve()
  await expect.poll(() => bench.finished.length, soon).toBe(1)
  await expect.poll(() => bench.alone.at(-1), soon).toEqual([])
  expect(await bench.commands.restart(restart('k'))).toEqual(answers[0])
  // Another key is another restart.
  expect((await bench.commands.restart(restart('k3'))).id).not.toBe(answers[0]?.id)
  await expect.poll(() => bench.yard.restarted.length, soon).toBe(2)
})

test('over the death of the daemon a key is known; what was promised and not begun is done once, when asked for again', async () => {
  const dir = freshDir()
  const yard = new Yard()
  yard.add('camera', 1)
  const before = await setUp({ dir, yard })
  const first = await before.commands.restart(restart('begun'))
  await expect.poll(() => before.finished.length, soon).toBe(1)
  // Killed between the promise and the intent: only the claim is on the disk.
  const promised = { ...first, id: 'operator-2', actions: [{ id: 'operator-2-1', instance: 'camera-1' }] }
  const { fingerprint } = (await before.journal.claimed('begun')) ?? { fingerprint: '' }
  await before.journal.claimKey('promised', fingerprint, promised)
  await before.journal.close()

  const after = await setUp({ dir, yard })
  expect(await after.commands.restart(restart('begun'))).toEqual(first)
  expect(yard.restarted).toHaveLength(1)
  for (let n = 0; n < 3; n++) expect(await after.commands.restart(restart('promised'))).toEqual(promised)
  await expect.poll(() => after.finished.length, soon).toBe(1)
  await after.commands.restart(restart('promised'))
  expect(yard.restarted).toHaveLength(2)
})

test('an instance that is another run by now is left as it is', async () => {
  const bench = await setUp()
  bench.yard.add('camera', 1)
  bench.yard.add('camera', 2)
  const gate = Promise.withResolvers<void>()
  bench.yard.gate = gate.promise
  await bench.commands.restart(restart(null))
  bench.yard.add('camera', 2, { startedAt: '2026-05-01T11:00:00.000Z' })
  gate.resolve()
  await expect.poll(() => bench.finished.map(({ outcome }) => outcome.result), soon).toEqual(['done', 'aborted'])
  expect(bench.yard.restarted).toEqual(['camera-1'])
})

test('maintenance is on the disk before it holds, and a journal that takes nothing leaves all as it was', async () => {
  const bench = await setUp()
  const until = new Date(Date.now() + 600_000).toISOString()
  const asked = { service: 'camera', by: 'operator', reason: 'repair', until }
  const held = await bench.commands.maintain(asked)
  expect(await bench.journal.maintenance()).toEqual([held])
  expect([bench.commands.maintenance(), bench.alone]).toEqual([[held], [['camera']]])
  await expect(bench.commands.maintain({ ...asked, service: 'nobody' })).rejects.toMatchObject({
    code: 'ERR_UNKNOWN_SERVICE',
  })
  await bench.journal.close()
  await expect(bench.commands.endMaintenance({ service: 'camera' })).rejects.toMatchObject({
    code: 'ERR_JOURNAL_CLOSED',
  })
  await expect(bench.commands.restart(restart('k'))).rejects.toMatchObject({ code: 'ERR_JOURNAL_CLOSED' })
  expect(bench.alone).toEqual([['camera']])
})

test('a maintenance that is restored holds and ends; what is declared stays when the one asked for ends', async () => {
  const bench = await setUp()
  const entry = (service: string) => ({
    service,
    by: 'operator',
    reason: 'repair',
    since: new Date().toISOString(),
    until: new Date(Date.now() + 600_000).toISOString(),
  })
  bench.commands.restore([entry('camera'), entry('gone')])
  bench.commands.setDeclared([{ ...entry('camera'), by: 'label' }])
  expect(await bench.commands.endMaintenance({ service: 'gone' })).toBeNull()
  expect(await bench.commands.endMaintenance({ service: 'camera' })).toMatchObject({ by: 'label' })
  await expect(bench.commands.endMaintenance({ service: 'gone' })).rejects.toMatchObject({
    code: 'ERR_UNKNOWN_SERVICE',
  })
})
