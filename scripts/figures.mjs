// npm run figures: draws docs/figures/ from the results that npm run test:long keeps in docs/figures/data/.
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { ecdf, quantile } from './lib/plot.mjs'
import { at } from './lib/paths.mjs'

const folder = at('docs', 'figures')
const data = at('docs', 'figures', 'data')
mkdirSync(data, { recursive: true })
const results = readdirSync(data)
  .filter((name) => name.endsWith('.json'))
  .sort()
  .map((name) => JSON.parse(readFileSync(`${data}/${name}`, 'utf8')))

const seconds = (ms) => `${(ms / 1000).toFixed(2)} s`
const shown = (name, value) => (name.endsWith('Ms') ? seconds(value) : String(Number(value.toPrecision(3))))
const label = (name) =>
  name
    .replace(/Ms$/, '')
    .replaceAll(/([A-Z])/g, ' $1')
    .toLowerCase()

function section(result) {
  const good = result.runs.filter((run) => run.ok)
  const names = [...new Set(good.flatMap((run) => Object.keys(run.figures)))]
  const lines = [`## ${result.title}`, '', `${good.length} of ${result.runs.length} runs within the gates.`, '']
  lines.push('| figure | min | median | p95 | max | gate |', '|---|---|---|---|---|---|')
  for (const name of names) {
    const values = good
      .map((run) => run.figures[name])
      .filter((value) => value !== undefined)
      .sort((a, b) => a - b)
    const cells = [0, 0.5, 0.95, 1].map((q) => shown(name, quantile(values, q)))
    const gate = result.gates[name]
    lines.push(`| ${label(name)} | ${cells.join(' | ')} | ${gate === undefined ? '' : `≤ ${shown(name, gate)}`} |`)
  }
  const series = names
    .filter((name) => name.endsWith('Ms'))
    .map((name) => ({ name: label(name), gate: result.gates[name], values: good.map((run) => run.figures[name]) }))
  if (series.length > 0 && good.length > 1) {
    writeFileSync(`${folder}/${result.id}.svg`, ecdf({ title: result.title, unit: 'ms', series }))
    lines.push('', `![${result.title}](${result.id}.svg)`)
  }
  for (const run of result.runs.filter((one) => !one.ok)) lines.push('', `Failed run of ${run.at}: ${run.note}`)
  const { cpu, cores, memoryGiB, node } = result.machine
  lines.push(
    '',
    `Machine: ${cores} cores (${cpu}), ${memoryGiB} GiB, Node ${node}; commit ${result.revision ?? 'unknown'}. Raw data: [data/${result.id}.json](data/${result.id}.json)`,
  )
  return lines.join('\n')
}

const page = [
  '# Figures',
  '',
  'Drawn by `npm run figures` from the results of `npm run test:long`. Each run is timed by the script that injects the fault,',
  'with its own clock, and seen from outside: by the service’s own answers and by the daemon’s API.',
  '',
  ...(results.length > 0 ? results.map((result) => `${section(result)}\n`) : ['There are no results yet.', '']),
].join('\n')
writeFileSync(`${folder}/README.md`, page)
process.stdout.write(
  `${results.length} results drawn in docs/figures/${existsSync(`${folder}/README.md`) ? '' : ' (nothing written)'}\n`,
)
