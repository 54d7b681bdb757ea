import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { takeLock } from '../support/docker/lock.ts'
import { until } from '../support/example.ts'

let folder: string
let file: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'medyk-lock-'))
  file = join(folder, 'data.lock')
})
afterEach(() => rmSync(folder, { recursive: true }))

it('lets one in at a time, and the next one when that has gone', async () => {
  const first = await takeLock(file)
  let entered = false
  const second = takeLock(file).then((lock) => {
    entered = true
    return lock
  })
  await expect(takeLock(file, 0)).rejects.toThrow(`still held by process ${process.pid}`)
  expect(entered).toBe(false)
  first[Symbol.dispose]()
  using _ = await second
  expect(entered).toBe(true)
})

it('takes over what a process held that was killed, and what another one has whose number was given anew', async () => {
  const lock = new URL('../support/docker/lock.ts', import.meta.url).href
  const code = `await (await import('${lock}')).takeLock('${file}'); setInterval(() => {}, 1_000)`
  const child = spawn(process.execPath, ['--input-type=module', '--eval', code], { stdio: 'inherit' })
  const gone = new Promise((resolve) => child.once('exit', resolve))
  await until(() => existsSync(file), 20_000, 'the child holds it')
  await expect(takeLock(file, 0)).rejects.toThrow(`still held by process ${child.pid}`)
  child.kill('SIGKILL')
  await gone
  const second = await takeLock(file, 10_000)
  second[Symbol.dispose]()
  writeFileSync(file, `${process.pid} 1`)
  using _ = await takeLock(file, 10_000)
})
