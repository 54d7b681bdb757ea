// npm run dev: the daemon from source on the example's configuration, started anew on every change of a source.
//   npm run dev -- --web               the dashboard with hot reload as well
//   npm run dev -- --config my.yaml    what follows goes to `medyk serve`
import { spawn } from 'node:child_process'
import { at, bin, projectNode, root } from './lib/paths.mjs'
import { run } from './lib/run.mjs'

const web = process.argv.includes('--web')
const given = process.argv.slice(2).filter((argument) => argument !== '--web')
const config = given.some((argument) => /^(-c|--config)/.test(argument))
  ? []
  : ['--config', 'examples/detektor/medyk.yaml']
const daemon = [
  projectNode,
  '--watch',
  '--conditions=medyk-source',
  at('src/monitor/bin/medyk.mjs'),
  'serve',
  ...config,
  ...given,
]
const commands = [daemon, ...(web ? [bin('vite', '--config', 'src/monitor/web/vite.config.ts')] : [])]

// The example's services run as built, like anybody's.
const built = await run(bin('tsc', '-b'))
if (!built.ok) console.error(`The build has errors; the services run as they were built last.\n${built.output}`)

const children = commands.map(([program, ...args]) => spawn(program, args, { cwd: root, stdio: 'inherit' }))
// A terminal sends Ctrl-C to the children too: here it only must not end this process before them.
process.on('SIGINT', () => {})
process.on('SIGTERM', () => {
  for (const child of children) child.kill('SIGTERM')
})
const codes = await Promise.all(children.map((child) => new Promise((resolve) => child.once('exit', resolve))))
process.exitCode = codes.find((code) => code !== 0) ?? 0
