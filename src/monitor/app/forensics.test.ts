import { systemClock } from '@medyk/health/internal'
import { FakeClock } from '@medyk/health/testing'
import { expect, test } from 'vitest'
import { incident } from '../journal/journal.testing.ts'
import type { Incident, Instance, Runtime } from '../model/index.ts'
import { forensics as schema } from '../server/schemas.ts'
import { ForensicsDesk, snapshot, type ForensicsSources } from './forensics.ts'
import { instance } from './shard.testing.ts'

const known = instance('frame-buffer', {
  id: 'frame-buffer',
  startedAt: '2026-05-01T09:00:00.000Z',
  name: 'project-frame-buffer-1',
  health: { status: 'unhealthy', broken: false, detail: 'connection refused' },
})

const runtime = (over: Partial<Record<'inspect' | 'logs', unknown>> = {}, abilities = ['logs']) =>
  ({
    abilities: new Set(abilities),
    inspect: async () => known,
    logs: async () => 'one\ntwo',
    ...over,
  }) as unknown as Runtime

function sources(over: Partial<ForensicsSources> = {}): ForensicsSources {
  const row = (name: string) => ({
    name,
    status: name === 'database' ? ('unhealthy' as const) : ('healthy' as const),
    cause: null,
    reason: name === 'database' ? 'it refuses' : null,
    since: null,
    dependsOn: name === 'frame-buffer' ? ['database', 'gone'] : [],
    instances: [],
  })
  return {
    runtimeOf: () => runtime(),
    instanceOf: () => known,
    services: (name) => (name === 'gone' ? null : row(name)),
    clock: systemClock,
    signal: new AbortController().signal,
    ...over,
  }
}

test('shows the instance, what it said last, and how what it depends on is', async () => {
  const taken = schema.parse(await snapshot(incident('i1'), sources()))
  expect(taken).toMatchObject({
    instance: {
      id: 'frame-buffer',
      name: 'project-frame-buffer-1',
      state: 'running',
      startedAt: known.startedAt,
      health: 'unhealthy: connection refused',
    },
    logs: 'one\ntwo',
    dependencies: [
      { service: 'database', status: 'unhealthy', reason: 'it refuses' },
      { service: 'gone', status: 'unknown', reason: null },
    ],
    missing: [],
  })
})

test('keeps secrets and control characters out of the last output, and its length within bounds', async () => {
  const logs = async () => `password=hunter2\n\u001b[31mred\n${'x'.repeat(9_000)}\n`.repeat(3)
  const { logs: text } = await snapshot(incident('i1'), sources({ runtimeOf: () => runtime({ logs }) }))
  expect(text).toContain('password=[redacted]\n\\u001b[31mred\n')
  expect(text).not.toContain('hunter2')
  expect(text).not.toContain('\u001b')
  expect(text?.length).toBeLessThanOrEqual(8_192)
})

test('shows the run that fell ill, not the one that a quick cure has brought', async () => {
  const cured: Instance = { ...known, startedAt: '2026-05-01T10:00:05.000Z', health: null }
  const taken = await snapshot(incident('i1'), sources({ runtimeOf: () => runtime({ inspect: async () => cured }) }))
  expect(taken.instance?.startedAt).toBe(known.startedAt)
})

test('waits for nobody longer than two seconds, and says what could not be had', async () => {
  const clock = new FakeClock()
  const hung = () => new Promise(() => {})
  const taking = snapshot(incident('i1'), sources({ clock, runtimeOf: () => runtime({ inspect: hung, logs: hung }) }))
  await clock.advance(2_000)
  expect(await taking).toMatchObject({
    instance: { id: 'frame-buffer' },
    logs: null,
    missing: ['the state: not within 2 s', 'the last output: not within 2 s'],
  })
})

test.each([
  ['that may not give its output', { runtimeOf: () => runtime({}, []) }, /the last output: its runtime may not/],
  [
    'that fails',
    { runtimeOf: () => runtime({ logs: () => Promise.reject(new Error('gone')) }) },
    /the last output: gone/,
  ],
  ['that is not there', { runtimeOf: () => undefined }, /the state: no runtime runs it/],
])('of a runtime %s the rest is taken all the same', async (_what, over, says) => {
  const taken = await snapshot(incident('i1'), sources(over))
  expect(taken.missing.join('\n')).toMatch(says)
  expect(taken.dependencies).toHaveLength(2)
})

test('when everything falls ill at once some are taken at a time, some wait, and the rest is let be', async () => {
  const gate = Promise.withResolvers<void>()
  const begun: string[] = []
  let [now, most] = [0, 0]
  const desk = new ForensicsDesk(async ({ id }: Incident) => {
    begun.push(id)
    most = Math.max(most, ++now)
    await gate.promise
    now--
  })
  const taken = Array.from({ length: 300 }, (_, n) => desk.request(incident(`i${n}`)))
  expect(taken.filter(Boolean)).toHaveLength(104)
  gate.resolve()
  await expect.poll(() => begun.length, { timeout: 20_000 }).toBe(104)
  expect(most).toBe(4)
  await expect.poll(() => now, { timeout: 20_000 }).toBe(0)
  expect(desk.request(incident('later'))).toBe(true)
  expect(begun.at(-1)).toBe('later')
})
