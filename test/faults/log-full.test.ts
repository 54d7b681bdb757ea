import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, onTestFinished, test } from 'vitest'
import { until } from '../support/example.ts'
import { Tiny } from '../support/tiny.ts'

const bin = fileURLToPath(new URL('../../src/monitor/bin/medyk.mjs', import.meta.url))

/** It cures an ill service after the loss, writes more than one line meanwhile, and ends as it was told. */
async function curesAndEnds(tiny: Tiny, end: () => Promise<number | string | null>): Promise<void> {
  const before = tiny.boots().length
  tiny.signal('SIGKILL')
  await until(() => tiny.boots().length > before, 60_000, 'the service is started again')
  await tiny.healthy(60_000)
  expect(await end()).toBe(0)
}

test('a full disk under the log file costs lines, not the daemon', async () => {
  await using tiny = await Tiny.create()
  const daemon = tiny.serve('--log-file', '/dev/full')
  await tiny.healthy(60_000)
  await curesAndEnds(tiny, () => {
    daemon.child.kill('SIGTERM')
    return daemon.exited
  })
  expect(daemon.stderr()).toBe('')
})

test.each(['closed pipes', 'a full disk'])('%s under stdout and stderr cost lines, not the daemon', async (what) => {
  await using tiny = await Tiny.create()
  const full = openSync('/dev/full', 'w')
  onTestFinished(() => closeSync(full))
  const to = what === 'a full disk' ? full : ('pipe' as const)
  const args = ['--conditions=medyk-source', bin, 'serve', '--config', path.join(tiny.directory, 'medyk.yaml')]
  const child = spawn(process.execPath, args, { stdio: ['ignore', to, to], env: { PATH: process.env['PATH'] } })
  const exited = once(child, 'exit').then(([code, signal]) => (code ?? signal) as number | string)
  try {
    // Before the first line and the greeting: neither has a reader, ever.
    child.stdout?.destroy()
    child.stderr?.destroy()
    await tiny.healthy(60_000)
    await curesAndEnds(tiny, () => {
      child.kill('SIGTERM')
      return exited
    })
  } finally {
    child.kill('SIGKILL')
    await exited
  }
})

test('a log file that can be written holds whole lines of JSON', async () => {
  await using tiny = await Tiny.create()
  tiny.serve()
  await tiny.healthy(60_000)
  const lines = readFileSync(path.join(tiny.directory, 'daemon.log'), 'utf8').trim().split('\n')
  for (const line of lines) expect(JSON.parse(line)).toMatchObject({ service: 'medyk' })
})
