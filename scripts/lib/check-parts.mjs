import { existsSync } from 'node:fs'
import { at, bin, projectNode } from './paths.mjs'
import { elapsed } from './progress.mjs'
import { run } from './run.mjs'

const MINUTE = 60_000

/** What `npm run check` looks at; a part that has nothing to look at yet is left out. */
export const parts = () =>
  [
    { name: 'types: sources', command: bin('tsc', '-b') },
    { name: 'types: tests', command: bin('tsc', '-p', 'tsconfig.tests.json') },
    {
      name: 'types: dashboard',
      command: bin('tsc', '-p', 'src/monitor/web/tsconfig.json', '--noEmit'),
      needs: 'src/monitor/web/tsconfig.json',
    },
    { name: 'lint', command: bin('oxlint') },
    { name: 'format', command: bin('oxfmt', '--check', '.') },
    { name: 'generated files', command: [projectNode, at('scripts', 'generate.mjs'), '--check'] },
  ].filter(({ needs }) => !needs || existsSync(at(needs)))

/**
 * Runs every part, whatever becomes of the others, and prints a line for each; the output of a failed one follows it.
 *
 * @returns {Promise<{ passed: number, failed: number }>}
 */
export async function runParts() {
  const result = { passed: 0, failed: 0 }
  for (const { name, command } of parts()) {
    const since = performance.now()
    const { ok, timedOut, output } = await run(command, { timeoutMs: 5 * MINUTE })
    result[ok ? 'passed' : 'failed'] += 1
    process.stdout.write(`${ok ? '✓' : '✗'} ${name.padEnd(18)} ${ok ? 'ok' : 'failed'}  ${elapsed(since)}\n`)
    if (!ok) process.stdout.write(`${timedOut ? 'It did not finish within 5 minutes.\n' : ''}${output.trimEnd()}\n\n`)
  }
  return result
}
