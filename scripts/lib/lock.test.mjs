import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterEach, beforeEach, expect, it } from 'vitest'

let folder
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'medyk-bootstrap-lock-'))))
afterEach(() => rmSync(folder, { recursive: true, force: true }))

/** A process that holds the lock for `ms` and writes when it got it and when it let go. */
function holder(ms) {
  const script = `
    import { appendFileSync } from 'node:fs'
    import { withLock } from ${JSON.stringify(pathToFileURL(join(import.meta.dirname, 'lock.mjs')).href)}
    const note = (text) => appendFileSync(process.argv[1] + '/notes', text + '\\n')
    await withLock(process.argv[1] + '/lock', note, async () => {
      note('in')
      await new Promise((resolve) => setTimeout(resolve, ${ms}))
      note('out')
    })`
  const child = spawn(process.execPath, ['--input-type=module', '-e', script, folder], { stdio: 'inherit' })
  return { child, ended: new Promise((resolve) => child.once('exit', resolve)) }
}

const notes = () => readFileSync(join(folder, 'notes'), 'utf8').trim().split('\n')

it('lets a second process in only when the first has gone', async () => {
  await Promise.all([holder(700).ended, holder(700).ended])
  expect(notes().filter((note) => note === 'in' || note === 'out')).toEqual(['in', 'out', 'in', 'out'])
  expect(existsSync(join(folder, 'lock'))).toBe(false)
}, 30_000)

it('takes over from a process that was killed', async () => {
  const first = holder(60_000)
  await expect.poll(() => existsSync(join(folder, 'notes')), { timeout: 20_000 }).toBe(true)
  first.child.kill('SIGKILL')
  await first.ended
  await holder(0).ended
  expect(notes()).toEqual(['in', 'in', 'out'])
}, 30_000)

it('takes over a lock whose number belongs to another program by now', async () => {
  writeFileSync(join(folder, 'lock'), '1')
  await holder(0).ended
  expect(notes()).toEqual(['in', 'out'])
}, 30_000)
