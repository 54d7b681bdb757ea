import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import type { RunReport } from '../../src/monitor/simulation/index.ts'
import { bin, medyk } from '../support/cli.ts'
import { freePorts } from '../support/example.ts'

const directory = mkdtempSync(path.join(tmpdir(), 'medyk-cli-'))
afterAll(() => rmSync(directory, { recursive: true, force: true }))

function write(name: string, text: string): string {
  const file = path.join(directory, name)
  writeFileSync(file, text, { mode: 0o600 })
  return file
}

const nonsense = `version: 1
services:
  a:
    runtime: process
    process: { command: node, cwd: . }
    dependsOn: [b, zz]
    probs: {}
  b:
    dependsOn: [a]
    startupGrace: -5s
`

describe('medyk config validate', () => {
  it('lists every problem of a file with its place, and what to do', async () => {
    const file = write('bad.yaml', nonsense)
    const { code, stdout, stderr } = await medyk(['config', 'validate', file])
    expect(code).toBe(1)
    expect(stdout).toBe('')
    const lines = stderr.trimEnd().split('\n')
    expect(lines.at(-1)).toMatch(/^ {2}→ /)
    expect(lines.slice(0, -1)).toEqual([
      expect.stringMatching(`^${file}:5:25: services\\.a\\.process\\.command: .*expected a list`),
      expect.stringMatching(`^${file}:6:17: .*cycle: a → b → a`),
      expect.stringMatching(`^${file}:6:20: .*no service "zz"`),
      expect.stringMatching(`^${file}:7:5: .*"probs"; did you mean "probes"`),
      expect.stringMatching(`^${file}:10:19: .*"-5s" is negative`),
    ])
  })

  it.each([
    ['that is not there', () => path.join(directory, 'none.yaml'), 'there is no such file'],
    ['that is a directory', () => directory, directory],
    ['of bytes that are no text', () => write('bytes.yaml', '\u0000\u0001\u001b[31m'), 'bytes.yaml'],
  ])('refuses a file %s', async (_what, file, says) => {
    const { code, stderr } = await medyk(['config', 'validate', file()])
    expect(code).toBe(1)
    expect(stderr).toContain(says)
    expect(stderr).not.toMatch(/\p{Cc}(?<!\n)|\n\s+at /u)
  })

  it('accepts the example', async () => {
    const { code, stdout } = await medyk(['config', 'validate', 'examples/detektor/medyk.yaml'])
    expect(stdout).toContain('is valid: 5 services (camera, ')
    expect(code).toBe(0)
  })

  it('is what the daemon says too, before it touches anything', async () => {
    const file = write('refused.yaml', nonsense)
    const { code, stderr } = await medyk(['serve', '--config', file, '--state', path.join(directory, 'state')])
    expect(code).toBe(1)
    expect(stderr).toContain(`${file}:7:5: `)
    expect(existsSync(path.join(directory, 'state'))).toBe(false)
  })
})

describe('a reading command without a daemon', () => {
  it.each([['status'], ['incidents']])('%s says where it looked and what to do', async (command) => {
    const { port = 0 } = await freePorts(['port'])
    const { code, stdout, stderr } = await medyk([command], { MEDYK_PORT: String(port) })
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
    expect(stderr).toContain(`no Medyk daemon answers at http://127.0.0.1:${port}`)
    expect(stderr).toMatch(/\n {2}→ start one with `npm start` or `medyk serve`/)
  })
})

describe('medyk simulate', () => {
  it('lists its scenarios', async () => {
    const { code, stdout } = await medyk(['simulate', '--list'])
    const names = stdout.split('\n').map((line) => line.split(' ')[0])
    expect(names).toEqual(expect.arrayContaining(['crash', 'hang', 'slow', 'loss', 'blackout', 'database']))
    expect(code).toBe(0)
  })

  it('gives the same run for the same seed', async () => {
    const [first, again] = await Promise.all(
      [1, 2].map(async () => {
        const { code, stdout } = await medyk(['simulate', '--scenario', 'crash', '--seed', '1', '--json'])
        expect(code).toBe(0)
        return JSON.parse(stdout) as RunReport
      }),
    )
    expect(first).toMatchObject({ seed: 1, runs: 1, failed: 0, figures: { incidents: 1, actions: 1, falseCount: 0 } })
    expect(again?.digest).toBe(first?.digest)
  })

  it('names the scenarios when it is asked for one that is not there', async () => {
    const { code, stderr } = await medyk(['simulate', '--scenario', 'nope'])
    expect(code).toBe(1)
    expect(stderr).toMatch(/no scenario "nope"\n {2}→ one of: crash, /)
  })
})

describe('medyk', () => {
  it('says what there is', async () => {
    const { code, stdout } = await medyk(['--help'])
    for (const command of ['serve', 'status', 'incidents', 'config', 'simulate', 'replay'])
      expect(stdout).toMatch(new RegExp(`^  ${command}\\b`, 'm'))
    expect(code).toBe(0)
  })

  it('ends quietly when its reader has had enough', async () => {
    const child = spawn(process.execPath, [bin, 'simulate', '--list'], { stdio: ['ignore', 'pipe', 'pipe'] })
    let said = ''
    child.stderr.setEncoding('utf8').on('data', (text: string) => (said += text))
    child.stdout.destroy()
    const [code] = (await once(child, 'close')) as [number]
    expect({ code, said }).toEqual({ code: 0, said: '' })
  })

  it('refuses a command that it does not know and points at the help', async () => {
    const { code, stderr } = await medyk(['bogus'])
    expect(code).toBe(1)
    expect(stderr).toContain("unknown command 'bogus'")
    expect(stderr).toContain('medyk --help')
  })
})
