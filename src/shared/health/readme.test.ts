import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { errorCodes, metricsTable, registrationDefaults, type MetricRow, type Report } from './index.ts'

const readme = readFileSync(join(import.meta.dirname, 'README.md'), 'utf8')
const blocks = [...readme.matchAll(/^```(\w+)\n([\s\S]*?)^```$/gm)].map(([, language, code]) => ({
  language,
  code: code ?? '',
}))

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}

describe('the README', () => {
  it('has an example that runs, answers as shown, and leaves on SIGTERM', async () => {
    const [example, shown] = [blocks[0]?.code ?? '', JSON.parse(blocks[1]?.code ?? '') as Report]
    const [port, other] = [await freePort(), await freePort()]
    const code = example
      .replace('port: 8006', `port: ${port}`)
      .replace('127.0.0.1:8002', `127.0.0.1:${other}`)
      .replace('5_000', '50')
    const child = spawn(
      process.execPath,
      ['--conditions=medyk-source', '--input-type=module-typescript', '--eval', code],
      {
        cwd: import.meta.dirname,
        stdio: ['ignore', 'pipe', 'pipe'],
      },
    )
    let said = ''
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (said += chunk.toString()))
    const exited = new Promise((resolve) => child.on('exit', (exit, signal) => resolve(exit ?? signal)))
    const ask = async () => (await (await fetch(`http://127.0.0.1:${port}/health`)).json()) as Report
    try {
      await expect
        .poll(() => ask().then(({ checks }) => checks, String), { timeout: 30_000, interval: 100 })
        .toEqual(shown.checks)
      const report = await ask()
      expect(Object.keys(report)).toEqual(Object.keys(shown))
      expect(Object.keys(report.metadata)).toEqual(Object.keys(shown.metadata))
      expect(report).toMatchObject({ status: shown.status, service: shown.service, version: shown.version })
      expect(report.metadata.last_error).toBe(shown.metadata.last_error?.replace('8002', String(other)))
      child.kill('SIGTERM')
      expect(await exited).toBe(0)
    } catch (error) {
      throw new Error(`the example said: ${said}`, { cause: error })
    } finally {
      child.kill('SIGKILL')
    }
  }, 90_000)

  it('gives every default as it is', () => {
    for (const [name, value] of Object.entries(registrationDefaults)) {
      const shown = Array.isArray(value) ? `[${value.map((one) => `'${one}'`).join()}]` : String(value)
      const rows = readme.split('\n').filter((line) => line.startsWith(`| \`${name}\` | `))
      expect(rows.map((row) => row.split(' | ')[1]?.replaceAll('`', ''))).toEqual([shown])
    }
  })

  it('has the table of metrics as it is', () => {
    const rows: readonly MetricRow[] = metricsTable
    const lines = rows.map(
      ({ name, type, labels, meaning }) => `| \`${name}\` | ${type} | ${labels.join(', ') || '–'} | ${meaning} |`,
    )
    expect(readme).toContain(['| metric | type | labels | meaning |', '|---|---|---|---|', ...lines].join('\n'))
  })

  it('has the table of error codes as it is', () => {
    const lines = Object.entries(errorCodes).map(([code, meaning]) => `| \`${code}\` | ${meaning} |`)
    expect(readme).toContain(['| code | meaning |', '|---|---|', ...lines].join('\n'))
  })
})
