// npm run test:long [-- ROW …] [--fresh] [--minutes N] [--list]
// Rows that need many runs. Results are kept after every run, so that it goes on where it stopped.
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { execFileSync } from 'node:child_process'
import { cpus, totalmem } from 'node:os'
import { parseArgs } from 'node:util'
import { fromSource } from './lib/from-source.mjs'
import { at } from './lib/paths.mjs'

fromSource(process.argv[1])
const { rows } = await import('../test/long/rows.ts')

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { fresh: { type: 'boolean' }, list: { type: 'boolean' }, minutes: { type: 'string', default: '9' } },
})
const say = (line) => process.stdout.write(`${line}\n`)
const unknown = positionals.filter((name) => !Object.hasOwn(rows, name))
if (unknown.length > 0) {
  say(`There is no row ${unknown.join(', ')}. Rows: ${Object.keys(rows).join(', ')}`)
  process.exit(2)
}
if (values.list) {
  for (const [id, row] of Object.entries(rows)) say(`${id.padEnd(24)} ${row.runs} runs  ${row.title}`)
  process.exit(0)
}

const until = performance.now() + Number(values.minutes) * 60_000
const more = () => performance.now() < until
const fileOf = (id) => at('docs', 'figures', 'data', `${id}.json`)
mkdirSync(at('docs', 'figures', 'data'), { recursive: true })

const machine = () => ({
  cpu: cpus()[0]?.model ?? 'unknown',
  cores: cpus().length,
  memoryGiB: Math.round(totalmem() / 2 ** 30),
  node: process.version,
})

/** What was measured: the commit, and whether the tree had been changed since. */
function revision() {
  const git = (...words) =>
    execFileSync('git', words, { cwd: at(), encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim()
  try {
    return (
      git('rev-parse', '--short', 'HEAD') +
      (git('status', '--porcelain', '--untracked-files=no', '--', 'src', 'examples') ? '+' : '')
    )
  } catch {
    return 'unknown'
  }
}

function read(id) {
  try {
    return JSON.parse(readFileSync(fileOf(id), 'utf8')).runs
  } catch {
    return []
  }
}

function write(id, runs) {
  const { title, gates } = rows[id]
  const temporary = `${fileOf(id)}.tmp`
  writeFileSync(
    temporary,
    `${JSON.stringify({ id, title, gates, machine: machine(), revision: revision(), runs }, null, 2)}\n`,
  )
  renameSync(temporary, fileOf(id))
}

/** A gate that is passed over fails its run, whatever else went well. */
function judge(run, gates) {
  const over = Object.entries(gates).filter(([name, max]) => run.ok && !(run.figures[name] <= max))
  if (over.length === 0) return run
  const note = over.map(([name, max]) => `${name} ${Math.round(run.figures[name])} > ${max}`).join(', ')
  return { ...run, ok: false, note }
}

const shown = (figures) =>
  Object.entries(figures)
    .map(([name, value]) => `${name} ${Math.round(value)}`)
    .join('  ')

let passed = 0
let failed = 0
let open = 0
for (const id of positionals.length > 0 ? positionals : Object.keys(rows)) {
  const row = rows[id]
  if (values.fresh) rmSync(fileOf(id), { force: true })
  const runs = read(id)
  say(`${id}: ${row.title}`)
  if (runs.length > 0) say(`  ${runs.length} of ${row.runs} runs are there already`)
  if (runs.length < row.runs && row.minutes > Number(values.minutes)) {
    say(`  one run takes ${row.minutes} minutes: npm run test:long -- ${id} --minutes ${row.minutes}`)
  } else if (runs.length < row.runs && more()) {
    await row.run(row.runs - runs.length, more, async (run) => {
      const judged = judge(run, row.gates)
      runs.push(judged)
      write(id, runs)
      say(
        `  ${String(runs.length).padStart(2)}/${row.runs} ${judged.ok ? 'ok    ' : 'FAILED'} ${shown(run.figures)} ${judged.note}`,
      )
    })
  }
  const good = runs.filter((run) => run.ok).length
  if (runs.length < row.runs) open += 1
  else if (good === row.runs) passed += 1
  else failed += 1
  say(`  ${good} of ${runs.length} runs within the gates${runs.length < row.runs ? '; run again to go on' : ''}`)
}
say(`${passed} passed, ${failed} failed, ${open} unfinished`)
process.exitCode = failed > 0 ? 1 : 0
