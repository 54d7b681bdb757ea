// npm run doctor: what this machine has and lacks for running Medyk and its tests. --json prints the same as one object.
import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { styleText } from 'node:util'
import { buildFingerprint, countOutputs, installFingerprint } from './lib/fingerprint.mjs'
import { fromSource } from './lib/from-source.mjs'
import { projectNode, root } from './lib/paths.mjs'
import { isFree, ports } from './lib/ports.mjs'
import { readStamp } from './lib/stamp.mjs'
import { canInstall, locate, requirements } from './lib/test-requirements.mjs'

if (!existsSync(projectNode)) {
  console.error(
    `Nothing is installed yet, ${process.version} runs this. Run npm start or npm test once: they set everything up.`,
  )
  process.exit(1)
}
fromSource(process.argv[1])

/** @typedef {{ name: string, state: 'ok' | 'missing' | 'held' | 'stale', detail: string }} Row */

/** The Node that the user's shell finds, where npm tells: it puts the project's own before it. */
function machineNode() {
  const outer = process.env['npm_node_execpath']
  try {
    const version = outer && execFileSync(outer, ['--version'], { encoding: 'utf8', timeout: 10_000 }).trim()
    return version ? `; the machine's own is ${version}` : ''
  } catch {
    return ''
  }
}

function setup() {
  const stamp = readStamp()
  const installed = stamp.install === installFingerprint(root)
  const built = stamp.build === buildFingerprint(root) && countOutputs(root) >= stamp.outputs
  const later = 'npm start and npm test bring it up to date'
  return [
    {
      name: 'Node',
      state: process.version.startsWith('v24.') ? 'ok' : 'missing',
      detail: `${process.version} for Medyk${machineNode()}`,
    },
    { name: 'packages', state: installed ? 'ok' : 'stale', detail: installed ? 'as the manifests say' : later },
    { name: 'build', state: built ? 'ok' : 'stale', detail: built ? 'newer than the sources' : later },
  ]
}

const tools = () =>
  requirements.map(({ name, debian, suites }) => {
    const path = locate(name)
    const remedy = canInstall() ? 'npm test installs it' : `install the Debian package ${debian.join(' ')}`
    return { name, state: path ? 'ok' : 'missing', detail: path ?? `skipped without it: ${suites}; ${remedy}` }
  })

async function portRows() {
  const { findPortHolder } = await import('../src/monitor/server/port-holder.ts')
  return Promise.all(
    ports.map(async ({ port, use }) => {
      const name = `${port} ${use}`
      if (await isFree(port)) return { name, state: 'ok', detail: 'free' }
      const holder = await findPortHolder(port)
      return {
        name,
        state: 'held',
        detail: holder ? `held by process ${holder.pid}: ${holder.command}` : 'held by a process of another user',
      }
    }),
  )
}

/** @type {Record<string, Row[]>} */
const report = { setup: setup(), tools: tools(), ports: await portRows() }

if (process.argv.includes('--json')) console.log(JSON.stringify(report))
else {
  const colours = { ok: 'green', missing: 'red', held: 'yellow', stale: 'yellow' }
  const width = Math.max(...Object.values(report).flatMap((rows) => rows.map(({ name }) => name.length)))
  for (const [title, rows] of Object.entries(report)) {
    console.log(`\n${styleText('bold', title)}`)
    for (const { name, state, detail } of rows) {
      console.log(`  ${name.padEnd(width)}  ${styleText(colours[state], state.padEnd(7))}  ${detail}`)
    }
  }
}
