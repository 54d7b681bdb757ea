import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import type { AttemptOutcome } from '../../src/monitor/model/index.ts'
import { probers } from '../../src/monitor/probing/probers/index.ts'
import { freePorts } from '../support/example.ts'
import { Postgres, postgresBin } from '../support/postgres.ts'

const redisServer = ['/usr/bin/redis-server', '/usr/local/bin/redis-server'].find((path) => existsSync(path)) ?? null
const patience = { timeout: 60_000, interval: 100 }

async function ask(kind: string, options: object): Promise<AttemptOutcome> {
  const prober = await (await probers[kind]?.())?.create({ userAgent: 'medyk/test' })
  if (!prober) throw new Error(`no prober ${kind}`)
  return await prober.probe(options, { timeoutMs: 1_300, signal: AbortSignal.timeout(60_000) })
}

describe.skipIf(redisServer === null)('a real Redis', () => {
  const running: ChildProcess[] = []
  const folders: string[] = []
  afterEach(async () => {
    for (const child of running.splice(0)) {
      const gone = child.exitCode === null && child.signalCode === null ? once(child, 'exit') : null
      child.kill('SIGKILL')
      await gone
    }
    for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true })
  })

  async function start(...more: readonly string[]): Promise<{ port: number; child: ChildProcess }> {
    const { redis: port = 0 } = await freePorts(['redis'])
    const folder = mkdtempSync(join(tmpdir(), 'redis-'))
    folders.push(folder)
    const args = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--dir', folder, ...more]
    const child = spawn(redisServer ?? '', args, { stdio: 'ignore' })
    running.push(child)
    await expect.poll(() => ask('tcp', { port }), patience).toMatchObject({ class: 'ok' })
    return { port, child }
  }

  test('lives, with a password that nobody told us too', async () => {
    const open = await start()
    expect(await ask('redis', { port: open.port })).toMatchObject({ class: 'ok', report: null })
    const closed = await start('--requirepass', 'unguessable')
    expect(await ask('redis', { port: closed.port })).toMatchObject({ class: 'ok', report: null })
  })

  test('that takes no more clients is degraded and no more', async () => {
    const { port } = await start('--maxclients', '1')
    const holder = connect(port, '127.0.0.1')
    await once(holder, 'connect')
    await expect
      .poll(() => ask('redis', { port }), patience)
      .toMatchObject({ class: 'ok', report: { status: 'degraded' } })
    holder.destroy()
  })

  test('that hangs is silent, that is gone refuses', async () => {
    const { port, child } = await start()
    child.kill('SIGSTOP')
    expect(await ask('redis', { port })).toMatchObject({ class: 'silence' })
    child.kill('SIGCONT')
    await expect.poll(() => ask('redis', { port }), patience).toMatchObject({ class: 'ok' })
    child.kill('SIGKILL')
    await once(child, 'exit')
    expect(await ask('redis', { port })).toMatchObject({ class: 'explicit', reason: 'connection refused' })
  })

  test('is no PostgreSQL, and no HTTP server', async () => {
    const { port } = await start()
    expect(await ask('postgres', { port })).not.toMatchObject({ class: 'ok' })
    expect(await ask('http', { url: `http://127.0.0.1:${port}/` })).not.toMatchObject({ class: 'ok' })
  })
})

const bin = postgresBin()

describe.skipIf(bin === null)('a real PostgreSQL', () => {
  test('lives for a role that exists, for one that does not, and for a database that does not', async () => {
    await using postgres = await Postgres.create(bin ?? '')
    const port = Number(new URL(postgres.url).port)
    for (const options of [{}, { user: 'kim' }, { user: 'kim', database: 'nothing-of-the-kind' }]) {
      await expect
        .poll(() => ask('postgres', { port, ...options }), patience)
        .toMatchObject({ class: 'ok', report: null })
    }
  })

  test('that has no connection left is degraded and no more', async () => {
    await using postgres = await Postgres.create(bin ?? '')
    const port = Number(new URL(postgres.url).port)
    const held = Array.from({ length: 130 }, () => connect(port, '127.0.0.1').on('error', () => {}))
    // A session that has begun holds its place; a startup message begins one.
    const hello = Buffer.from('\0\0\0\u001d\0\u0003\0\0user\0kim\0database\0postgres\0\0', 'latin1')
    hello.writeInt32BE(hello.byteLength, 0)
    for (const socket of held) socket.write(hello)
    await expect
      .poll(() => ask('postgres', { port, user: 'kim' }), patience)
      .toMatchObject({
        class: 'ok',
        report: { status: 'degraded', failing: [expect.stringMatching(/too many|remaining/)] },
      })
    for (const socket of held) socket.destroy()
  })
})
