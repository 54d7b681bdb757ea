import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import path from 'node:path'
import { silentLogger, systemClock } from '@medyk/health/internal'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { instance, shard, sleep, spec, targetElsewhere } from '../../src/monitor/app/shard.testing.ts'
import { startShard } from '../../src/monitor/app/shard-thread.ts'
import type { Verdict } from '../../src/monitor/model/index.ts'

/** The gates are 2.0 s and 3.6 s; a crowded machine may be late with everything, so the limits here are wider. */
const slackMs = 1_500

let stack: AsyncDisposableStack

beforeEach(() => {
  stack = new AsyncDisposableStack()
})

afterEach(() => stack.disposeAsync())

/** A service in a process of its own, which answers /health. */
async function service(): Promise<{ port: number; child: ChildProcess }> {
  const source = `require('node:http').createServer((_, response) => response.end('fine'))
    .listen(0, '127.0.0.1', function () { console.log(this.address().port) })`
  const child = spawn(process.execPath, ['-e', source], { stdio: ['ignore', 'pipe', 'inherit'] })
  stack.defer(() => void child.kill('SIGKILL'))
  const [line] = (await once(child.stdout, 'data')) as [Buffer]
  return { port: Number(String(line)), child }
}

/** The probing thread as the daemon runs it. */
async function thread() {
  const verdicts: { at: number; verdict: Verdict }[] = []
  const host = stack.use(
    await startShard(
      {
        onVerdict: (verdict) => verdicts.push({ at: performance.now(), verdict }),
        onEvent() {},
        onSummary() {},
        onRecord() {},
        onLost(reason) {
          throw new Error(reason)
        },
      },
      { settings: {}, clock: systemClock, logger: silentLogger },
    ),
  )
  const last = (name: string) => verdicts.findLast(({ verdict }) => verdict.service === name)
  return {
    host,
    verdicts,
    last,
    /** Milliseconds from `since` until `name` was last found to be as it is now. */
    when: async (name: string, status: Verdict['status'], since: number): Promise<number> => {
      await expect.poll(() => last(name)?.verdict.status, { timeout: 15_000, interval: 10 }).toBe(status)
      return (last(name)?.at ?? Infinity) - since
    },
  }
}

describe('the probing thread', () => {
  test('row 4: a killed service is found by its port within two seconds', async () => {
    const { port, child } = await service()
    const { host, when, last } = await thread()
    host.setTargets([spec('a', port)], [instance('a')], [])
    await when('a', 'healthy', 0)
    await sleep(411)
    const since = performance.now()
    child.kill('SIGKILL')
    expect(await when('a', 'unhealthy', since)).toBeLessThan(2_000 + slackMs)
    expect(last('a')?.verdict).toMatchObject({ symptom: 'failing', evidence: 'explicit' })
  })

  test('row 6: a stopped service is found within 3.6 s and well again soon after it goes on', async () => {
    const { port, child } = await service()
    const { host, when, last } = await thread()
    host.setTargets([spec('a', port)], [instance('a')], [])
    await when('a', 'healthy', 0)
    await sleep(1_234)
    const stoppedAt = performance.now()
    child.kill('SIGSTOP')
    expect(await when('a', 'unhealthy', stoppedAt)).toBeLessThan(3_600 + slackMs)
    expect(last('a')?.verdict).toMatchObject({ symptom: 'hung', evidence: 'silence' })
    const since = performance.now()
    child.kill('SIGCONT')
    expect(await when('a', 'healthy', since)).toBeLessThan(3_000 + slackMs)
  })

  test('row 6: a stopped service whose runtime says so is found within 2.9 s', async () => {
    const { port, child } = await service()
    const { host, when, last } = await thread()
    host.setTargets([spec('a', port)], [instance('a')], [])
    await when('a', 'healthy', 0)
    await sleep(700)
    const since = performance.now()
    child.kill('SIGSTOP')
    host.instanceEvent({ type: 'instance.suspended', instance: instance('a', { state: 'suspended' }) })
    expect(await when('a', 'unhealthy', since)).toBeLessThan(2_900 + slackMs)
    expect(last('a')?.verdict.reason).toMatch(/^stopped process \(state T\): no answer to \d+ attempts/)
  })

  test('says nothing for twenty seconds about forty services that are well', async () => {
    const { port } = await service()
    const { host, verdicts, when } = await thread()
    const names = Array.from({ length: 40 }, (_, i) => `s${i}`)
    host.setTargets(
      names.map((name) => spec(name, port)),
      names.map((name) => instance(name)),
      [],
    )
    for (const name of names) await when(name, 'healthy', 0)
    const before = verdicts.length
    await sleep(20_000)
    expect(
      verdicts.slice(before).filter(({ verdict }) => verdict.status !== 'unknown' && verdict.status !== 'healthy'),
    ).toEqual([])
  })
})

describe('a monitor in trouble accuses nobody', () => {
  async function monitor(port: number, shell: string) {
    const script = path.resolve(import.meta.dirname, '../support/watch-one.ts')
    const command = `${shell} exec "$0" --conditions=medyk-source "$1" "$2"`
    const child = spawn('/bin/sh', ['-c', command, process.execPath, script, String(port)], {
      stdio: ['pipe', 'pipe', 'inherit'],
    })
    stack.defer(() => void child.kill('SIGKILL'))
    let said = ''
    child.stdout.on('data', (chunk: Buffer) => (said += String(chunk)))
    const statuses = () => said.split('\n').filter(Boolean)
    const becomes = (status: string) =>
      expect.poll(() => statuses().at(-1), { timeout: 30_000, interval: 50 }).toBe(status)
    return { child, statuses, becomes }
  }

  test('row 34: stopped for five seconds', async () => {
    const port = await targetElsewhere(stack)
    const { child, statuses, becomes } = await monitor(port, '')
    await becomes('healthy')
    child.kill('SIGSTOP')
    await sleep(5_000)
    child.kill('SIGCONT')
    await becomes('unknown')
    await becomes('healthy')
    await sleep(3_000)
    expect(statuses()).toEqual(['starting', 'healthy', 'unknown', 'healthy'])
  })

  test('row 34: busy for three seconds', async () => {
    const port = await targetElsewhere(stack)
    const one = await shard(stack)
    const many = Array.from({ length: 50 }, (_, i) => spec(`s${i}`, port))
    const all = (status: string) =>
      expect
        .poll(() => many.every(({ name }) => one.last(name) === status), { timeout: 30_000, interval: 20 })
        .toBe(true)
    one.watch(many)
    await all('healthy')
    const until = performance.now() + 3_000
    while (performance.now() < until) {
      // Nothing else gets a turn.
    }
    await all('unknown')
    await all('healthy')
    const seen = new Set(many.flatMap(({ name }) => one.verdicts(name).map(({ status }) => status)))
    expect([...seen].sort()).toEqual(['healthy', 'starting', 'unknown'])
  })

  test('row 41: out of descriptors', async () => {
    const port = await targetElsewhere(stack)
    const { child, statuses, becomes } = await monitor(port, 'ulimit -n 80;')
    await becomes('healthy')
    child.stdin?.write('\n')
    await becomes('unknown')
    await sleep(5_000)
    expect(statuses()).toEqual(['starting', 'healthy', 'unknown'])
  })
})
