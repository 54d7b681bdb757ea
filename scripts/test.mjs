// npm test: everything that CI runs. The checks count as tests too, one each. The last line is the sum.
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { runParts } from './lib/check-parts.mjs'
import { at, bin } from './lib/paths.mjs'
import { run } from './lib/run.mjs'
import { summarize, summaryLine, total } from './lib/summary.mjs'
import { missing } from './lib/test-requirements.mjs'

// CI stops a run at 25 minutes; ending before that leaves a result instead of nothing. In seconds since 1970.
const deadline = Number(process.env['MEDYK_TEST_DEADLINE'] ?? Date.now() / 1000 + 22 * 60) * 1000
const results = at('test-results')
const heading = (text) => process.stdout.write(`\n${text}\n`)

function readReport(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'))
  } catch {
    return null
  }
}

async function vitest(project) {
  heading(`Tests: ${project}`)
  const file = at('test-results', `${project}.json`)
  const command = bin(
    'vitest',
    'run',
    '--project',
    project,
    '--reporter=default',
    '--reporter=json',
    `--outputFile.json=${file}`,
  )
  const { ok, timedOut } = await run(command, { show: true, timeoutMs: Math.max(1_000, deadline - Date.now()) })
  if (timedOut) process.stdout.write(`✗ stopped: the tests did not finish in the time that is left for them\n`)
  return summarize(readReport(file), ok)
}

/** On a developer's machine the suites skip what is missing; in CI that would be a hole that nobody sees. */
function requirements() {
  const absent = missing()
  for (const { name, debian, suites } of absent) {
    process.stdout.write(`✗ ${name} is missing (Debian package ${debian.join(' ')}): ${suites}\n`)
  }
  return { failed: process.env['CI'] === 'true' ? absent.length : 0 }
}

rmSync(results, { recursive: true, force: true })
mkdirSync(results)
heading('Checks')
const summary = total([await runParts(), requirements(), await vitest('unit'), await vitest('integration')])
writeFileSync(at('test-results', 'summary.txt'), `${summaryLine(summary)}\n`)
process.exitCode = summary.failed === 0 ? 0 : 1
heading(summaryLine(summary))
