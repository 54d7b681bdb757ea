import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { silentLogger, systemClock, type Logger } from '@medyk/health/internal'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { Instance, RuntimeEvent, ServiceSpec } from '../../model/index.ts'
import { openProcessFixture, type ProcessFixture } from './fixture.testing.ts'
import { create } from './index.ts'
import { MAX_OUTPUT_BYTES } from './output.ts'
import { readStat } from './proc.ts'

const OWNER = fileURLToPath(new URL('testdata/owner.mjs', import.meta.url))
const call = () => ({ signal: AbortSignal.timeout(30_000) })
const until = <T>(check: () => T | Promise<T>) => vi.waitFor(check, { timeout: 30_000, interval: 20 })

let fixture: ProcessFixture
beforeEach(async () => {
  fixture = await openProcessFixture()
})
afterEach(() => fixture[Symbol.asyncDispose]())

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 })

const pidOf = ({ pid }: Instance) => pid ?? 0
const isAlive = (pid: number) => readStat(pid)?.dead === false
const stateFile = (id: string) => join(fixture.stateDir, 'process', id, 'state.json')
const readState = (id: string) => JSON.parse(readFileSync(stateFile(id), 'utf8')) as { run: Record<string, unknown> }

function editState(id: string, run: Record<string, unknown>): void {
  const record = readState(id)
  writeFileSync(stateFile(id), JSON.stringify({ ...record, run: { ...record.run, ...run } }))
}

async function answering(service: ServiceSpec): Promise<string> {
  return await until(async () => {
    const answer = await fixture.ask(service)
    expect(answer).not.toBeNull()
    return answer ?? ''
  })
}

async function adopted(...services: ServiceSpec[]) {
  const runtime = await fixture.open()
  const events: RuntimeEvent[] = []
  runtime.watch((event) => events.push(event))
  const found = await runtime.adopt(services, call())
  return { runtime, events, found, id: found[0]?.id ?? '' }
}

function owner(service: ServiceSpec, dieWhenStarted = false) {
  const argument = JSON.stringify({ stateDir: fixture.stateDir, service, dieWhenStarted })
  return spawn(process.execPath, ['--conditions=medyk-source', OWNER, argument], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
}

describe('when the daemon is killed', () => {
  it('its services go on, and the next daemon adopts them with the very time of start', async () => {
    const service = fixture.service('survivor', 'answers')
    const daemon = owner(service)
    const ended = once(daemon, 'exit')
    const [line] = await once(daemon.stdout, 'data')
    const started = JSON.parse(String(line)) as Instance
    const answer = await answering(service)
    daemon.kill('SIGKILL')
    await ended
    expect(await fixture.ask(service)).toBe(answer)

    const { runtime, found, id } = await adopted(service)
    expect(found).toEqual([started])
    expect((await runtime.start(id, call())).startedAt).toBe(started.startedAt)
    const next = await runtime.restart(id, 20_000, call())
    expect(next.restarts).toBe(1)
    expect(isAlive(Number(answer))).toBe(false)
    expect(await answering(service)).not.toBe(answer)
  })

  it('between the spawn and the note of the pid, the process is still found, and only it', async () => {
    const service = fixture.service('orphan', 'answers')
    await once(owner(service, true), 'exit')
    expect(readState('orphan-1').run).toMatchObject({ pid: null, startTicks: null })
    const answer = await answering(service)

    const { runtime, found, id } = await adopted(service)
    expect(found).toMatchObject([{ state: 'running', pid: Number(answer), restarts: 0 }])
    expect(found[0]?.startedAt).toBe(readState(id).run.startedAt)
    expect(readState(id).run.pid).toBe(Number(answer))
    await runtime.restart(id, 20_000, call())
    expect(await answering(service)).not.toBe(answer)
    expect(isAlive(Number(answer))).toBe(false)
  })

  it('and its state file destroyed, the process is found by its token', async () => {
    const service = fixture.service('lost', 'answers')
    const former = await adopted(service)
    const run = await former.runtime.start(former.id, call())
    await former.runtime[Symbol.asyncDispose]()
    writeFileSync(stateFile(former.id), '{"version":')
    const { found } = await adopted(service)
    expect(found).toMatchObject([{ state: 'running', pid: run.pid, startedAt: run.startedAt }])
    expect(existsSync(`${stateFile(former.id)}.corrupt`)).toBe(true)
  })

  it('and a service with it, what that left in its group is gone before the next run', async () => {
    const service = fixture.service('parent', 'has-a-child')
    const former = await adopted(service)
    const run = await former.runtime.start(former.id, call())
    const grandchild = Number(await answering(service))
    await former.runtime[Symbol.asyncDispose]()
    process.kill(pidOf(run), 'SIGKILL')
    await until(() => expect(isAlive(pidOf(run))).toBe(false))

    const { runtime, found, id } = await adopted(service)
    expect(found[0]?.state).toBe('exited')
    expect(isAlive(grandchild)).toBe(true)
    await runtime.start(id, call())
    expect(isAlive(grandchild)).toBe(false)
  })

  it('a service that it had stopped on purpose is not taken for one that has ended', async () => {
    const service = fixture.service('resting', 'answers')
    const former = await adopted(service)
    await former.runtime.start(former.id, call())
    await former.runtime.stop(former.id, 20_000, call())
    await former.runtime[Symbol.asyncDispose]()
    expect((await adopted(service)).found).toMatchObject([{ state: 'created', restarts: 0 }])
  })
})

describe('a process that has got the pid of a former run', () => {
  it.each([
    ['another start', { startTicks: 1 }],
    ['another boot', { bootId: '00000000-0000-0000-0000-000000000000' }],
  ])('is never touched: %s', async (_, difference) => {
    const stranger = spawn('sleep', ['600'], { detached: true, stdio: 'ignore' })
    const strangerPid = stranger.pid ?? 0
    const strangerEnded = once(stranger, 'exit')
    try {
      const service = fixture.service('recycled', 'answers')
      const former = await adopted(service)
      const run = await former.runtime.start(former.id, call())
      await answering(service)
      await former.runtime[Symbol.asyncDispose]()
      process.kill(pidOf(run), 'SIGKILL')
      await until(() => expect(isAlive(pidOf(run))).toBe(false))
      const startTicks = readStat(strangerPid)?.startTicks
      editState(former.id, { pid: strangerPid, startTicks, ...difference })

      const { runtime, found, id } = await adopted(service)
      expect(found).toMatchObject([{ state: 'exited', pid: null, exit: { code: null, signal: null } }])
      await runtime.stop(id, 0, call())
      const next = await runtime.start(id, call())
      expect(next.pid).not.toBe(strangerPid)
      expect(isAlive(strangerPid)).toBe(true)
    } finally {
      stranger.kill('SIGKILL')
      await strangerEnded
    }
  })
})

describe('what a service leaves in its process group', () => {
  it('is killed when it is stopped', async () => {
    const service = fixture.service('parent', 'has-a-child')
    const { runtime, id } = await adopted(service)
    const run = await runtime.start(id, call())
    const grandchild = Number(await answering(service))
    expect(grandchild).not.toBe(run.pid)
    await runtime.stop(id, 20_000, call())
    expect(isAlive(pidOf(run))).toBe(false)
    expect(isAlive(grandchild)).toBe(false)
  })

  it('is killed when it dies by itself', async () => {
    const service = fixture.service('parent', 'has-a-child')
    const { runtime, id } = await adopted(service)
    const run = await runtime.start(id, call())
    const grandchild = Number(await answering(service))
    process.kill(pidOf(run), 'SIGKILL')
    await until(() => expect(isAlive(grandchild)).toBe(false))
  })
})

it('makes exactly one process of many concurrent starts and restarts of one', async () => {
  const service = fixture.service('wanted', 'answers')
  const { runtime, id } = await adopted(service)
  await Promise.all(Array.from({ length: 10 }, () => runtime.start(id, call())))
  await answering(service)
  expect(await fixture.runs(service)).toHaveLength(1)
})

it('gives every run a later time of start, also when the clock goes back', async () => {
  let wall = Date.parse('2026-03-29T03:00:00.000Z')
  const runtime = await fixture.open(silentLogger, { ...systemClock, wall: () => wall })
  const [{ id } = { id: '' }] = await runtime.adopt([fixture.spec('timely', { command: ['sleep', '600'] })], call())
  const times = [(await runtime.start(id, call())).startedAt]
  times.push((await runtime.restart(id, 0, call())).startedAt)
  wall -= 3_600_000
  times.push((await runtime.restart(id, 0, call())).startedAt)
  expect(times).toEqual(['2026-03-29T03:00:00.000Z', '2026-03-29T03:00:00.001Z', '2026-03-29T03:00:00.002Z'])
})

it('kills at once what is stopped while it should end', async () => {
  const service = fixture.service('late', 'ignores-sigterm')
  const { runtime, id } = await adopted(service)
  const run = await runtime.start(id, call())
  await answering(service)
  const began = systemClock.mono()
  const stopping = runtime.stop(id, 25_000, call())
  await systemClock.sleep(300)
  process.kill(pidOf(run), 'SIGSTOP')
  expect((await stopping).exit?.signal).toBe('SIGKILL')
  expect(systemClock.mono() - began).toBeLessThan(15_000)
})

it('bounds a flood of output while it comes', async () => {
  const { runtime, id } = await adopted(fixture.service('flood', 'floods'))
  await runtime.start(id, call())
  const directory = join(fixture.stateDir, 'process', id)
  const size = () => readdirSync(directory).reduce((sum, name) => sum + statSync(join(directory, name)).size, 0)
  await until(() => expect(existsSync(join(directory, 'output.1.log'))).toBe(true))
  let largest = 0
  const end = systemClock.mono() + 3_000
  while (systemClock.mono() < end) {
    largest = Math.max(largest, size())
    await systemClock.sleep(50)
  }
  // Some 20 MB come in each second; looks may be late on a busy machine.
  expect(largest).toBeLessThan(40 * MAX_OUTPUT_BYTES)
  await runtime.stop(id, 0, call())
  await until(() => expect(size()).toBeLessThan(2 * MAX_OUTPUT_BYTES))
  expect(await runtime.logs(id, 100_000, call())).not.toContain('hunter2')
})

it('gives a service few variables, and never shows a value of one', async () => {
  const service = fixture.service('modest', 'prints-environment')
  const spec = { ...service, runtimeOptions: { ...service.runtimeOptions, env: { GREETING: 'hello' } } }
  const { runtime, id } = await adopted(spec)
  await runtime.start(id, call())
  await answering(service)
  const names = JSON.parse(await runtime.logs(id, 10_000, call())) as string[]
  expect(names).toEqual(expect.arrayContaining(['GREETING', 'MEDYK_INSTANCE_TOKEN', 'PATH']))
  expect(names.filter((name) => /^(?:VITEST|NODE_OPTIONS|npm_)/.test(name))).toEqual([])
  expect(JSON.stringify(await runtime.list(call()))).not.toContain('hello')
})

it('refuses wrong options of all services in one error, with their places', async () => {
  const runtime = await fixture.open()
  const valid = fixture.spec('good', { command: ['true'] })
  const wrong = [
    valid,
    { ...valid, name: 'shell', runtimeOptions: { command: 'true' } },
    { ...valid, name: 'extra', runtimeOptions: { command: ['true'], restart: 'always' } },
    { ...valid, name: '../escape' },
    valid,
  ]
  const adopting = runtime.adopt(wrong, call())
  await expect(adopting).rejects.toMatchObject({ code: 'ERR_RUNTIME' })
  await expect(adopting).rejects.toThrow(
    /"shell": runtimeOptions\.command: .*\n.*"extra": runtimeOptions: .*restart.*\n.*"\.\.\/escape": .*\n.*"good" is there twice/,
  )
})

it('tells that a service was removed, leaves its process alone, and finds it again later', async () => {
  const service = fixture.service('dropped', 'answers')
  const { runtime, id, events } = await adopted(service)
  const run = await runtime.start(id, call())
  const answer = await answering(service)
  expect(await runtime.adopt([], call())).toEqual([])
  expect(events.at(-1)).toMatchObject({ type: 'instance.removed', instance: { id, pid: run.pid } })
  await expect(runtime.inspect(id, call())).rejects.toMatchObject({ code: 'ERR_NO_INSTANCE' })
  expect(await fixture.ask(service)).toBe(answer)
  expect(await runtime.adopt([service], call())).toEqual([run])
})

it('adopts a run whose command has changed since, and says so', async () => {
  const service = fixture.service('changed', 'answers')
  const { runtime, id } = await adopted(service)
  const run = await runtime.start(id, call())
  await runtime[Symbol.asyncDispose]()
  const said: string[] = []
  const logger: Logger = { ...silentLogger, warn: (_, message) => said.push(message) }
  const next = await fixture.open(logger)
  const changed = { ...service, runtimeOptions: { ...service.runtimeOptions, env: { NEW: '1' } } }
  expect(await next.adopt([changed], call())).toEqual([run])
  expect(said).toEqual([expect.stringContaining('former command')])
})

it('starts a service whose program has come into being since', async () => {
  const program = join(fixture.stateDir, 'late.sh')
  const { runtime, id, events } = await adopted(fixture.spec('late', { command: [program] }))
  await expect(runtime.start(id, call())).rejects.toMatchObject({ code: 'ERR_START_IMPOSSIBLE' })
  writeFileSync(program, '#!/bin/sh\nexec sleep 600\n')
  chmodSync(program, 0o755)
  expect(await runtime.start(id, call())).toMatchObject({ state: 'running', failure: null, restarts: 0 })
  expect(events.map(({ type }) => type)).toEqual(['instance.failed', 'instance.started'])
})

it('starts services although their state cannot be written, and says so', async () => {
  const service = fixture.service('stateless', 'answers')
  const errors: string[] = []
  const logger: Logger = { ...silentLogger, error: (_, message) => errors.push(message) }
  const runtime = await fixture.open(logger)
  const [{ id } = { id: '' }] = await runtime.adopt([service], call())
  // A directory in the way of the temporary file: fails for root too.
  mkdirSync(`${stateFile(id)}.new`, { recursive: true })
  const run = await runtime.start(id, call())
  expect(run.state).toBe('running')
  expect(errors).toContain('cannot write the state file')
  // Known by its token all the same.
  expect((await adopted(service)).found).toMatchObject([{ pid: run.pid, startedAt: run.startedAt }])
})

it('keeps its state where nobody else can write, and refuses a place that it cannot use', async () => {
  const { id, runtime } = await adopted(fixture.service('private', 'answers'))
  await runtime.start(id, call())
  const modeOf = (...path: string[]) => statSync(join(fixture.stateDir, 'process', ...path)).mode & 0o777
  expect([modeOf(), modeOf('owner'), modeOf(id), modeOf(id, 'state.json')]).toEqual([0o700, 0o600, 0o700, 0o600])
  const blocked = create({ stateDir: stateFile(id), logger: silentLogger, clock: systemClock })
  await expect(blocked).rejects.toMatchObject({ code: 'ERR_RUNTIME', hint: expect.any(String) })
})

it('lets calls go that still run when it is closed', async () => {
  const service = fixture.service('stubborn', 'ignores-sigterm')
  const { runtime, id } = await adopted(service)
  await runtime.start(id, call())
  await answering(service)
  const stopping = runtime.stop(id, 25_000, call())
  const rejected = expect(stopping).rejects.toMatchObject({ code: 'ERR_RUNTIME' })
  await systemClock.sleep(50)
  const began = systemClock.mono()
  await runtime[Symbol.asyncDispose]()
  await rejected
  expect(systemClock.mono() - began).toBeLessThan(10_000)
  await expect(runtime.list(call())).rejects.toMatchObject({ code: 'ERR_RUNTIME' })
  expect(await fixture.ask(service)).not.toBeNull()
})
