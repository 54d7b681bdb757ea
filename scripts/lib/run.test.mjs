import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { run } from './run.mjs'

const node = (script) => [process.execPath, '-e', script]

it('reports the exit code and keeps both outputs, in the log too', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'medyk-run-'))
  const log = join(folder, 'deep', 'x.log')
  const result = await run(node('console.log("out"); console.error("err"); process.exitCode = 3'), { log })
  expect(result).toMatchObject({ ok: false, code: 3, timedOut: false })
  for (const text of [result.output, readFileSync(log, 'utf8')]) expect(text).toMatch(/out[\s\S]*err|err[\s\S]*out/)
  rmSync(folder, { recursive: true })
})

it('ends a command that takes too long', async () => {
  expect(await run(node('setInterval(() => {}, 1000)'), { timeoutMs: 500 })).toMatchObject({
    ok: false,
    timedOut: true,
  })
})

it('reports a command that does not exist instead of throwing', async () => {
  const result = await run(['no-such-program-of-medyk'])
  expect(result.ok).toBe(false)
  expect(result.output).toContain('no-such-program-of-medyk')
})
