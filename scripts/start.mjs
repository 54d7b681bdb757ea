// npm start: the example pipeline and the daemon, until Ctrl-C. Everything is set up already (prestart).
import { spawn } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { createConnection } from 'node:net'
import { resolve } from 'node:path'
import { styleText } from 'node:util'
import { defaultPorts, exampleConfig, portsFrom, portVariable } from '../examples/detektor/config.mjs'
import { healthyWithin, livingRecords, paint, storyLines, table } from './lib/example-view.mjs'
import { at, root } from './lib/paths.mjs'

const { findPortHolder } = await import('../src/monitor/dist/server/port-holder.js')

const ports = portsFrom(process.env)
const api = `http://127.0.0.1:${ports.medyk}`
const stateDir = process.env.MEDYK_STATE ? resolve(process.env.MEDYK_STATE) : at('.medyk')
const logFile = resolve(stateDir, 'daemon.log')
// Nobody may be reading any more, as with `| head` or a closed terminal: what was started is still ours to stop.
process.stdout.on('error', () => {})
const say = (text = '') => process.stdout.write(`${text}\n`)

/** Where ports or the state were moved by the environment, the config has to move with them. */
function configFile() {
  const stays =
    stateDir === at('.medyk') && Object.keys(defaultPorts).every((name) => ports[name] === defaultPorts[name])
  if (stays) return at('examples', 'detektor', 'medyk.yaml')
  const file = resolve(stateDir, 'example.yaml')
  const data = process.env.MEDYK_STATE ? resolve(stateDir, 'data') : 'data'
  const yaml = exampleConfig({ ports, root: at('examples', 'detektor'), state: stateDir, data })
  writeFileSync(file, yaml, { mode: 0o600 })
  return file
}

/** What another terminal has to be told first where ports were moved. */
function elsewhere() {
  const moved = Object.keys(defaultPorts).filter((name) => ports[name] !== defaultPorts[name])
  return moved.length === 0
    ? ''
    : `\n  export ${moved.map((name) => `${portVariable(name)}=${ports[name]}`).join(' ')}\n`
}

const isOpen = (port) =>
  new Promise((settle) => {
    const socket = createConnection({ port, host: '127.0.0.1', timeout: 1_000 })
    const done = (open) => () => {
      socket.destroy()
      settle(open)
    }
    socket.once('connect', done(true)).once('error', done(false)).once('timeout', done(true))
  })

/** Ports held by services of a former life of the daemon are no problem: it takes those services over. */
async function takenPorts() {
  const ours = livingRecords(stateDir)
  const rows = []
  for (const [name, port] of Object.entries(ports)) {
    if (!(await isOpen(port))) continue
    const holder = await findPortHolder(port).catch(() => null)
    if (holder && ours.has(holder.pid)) continue
    rows.push({ name, port, holder })
  }
  return rows
}

function explainTaken(rows, heading) {
  say(heading)
  for (const { name, port, holder } of rows) {
    const who = holder
      ? `pid ${holder.pid}${holder.command ? ` (${holder.command})` : ''}`
      : 'a process that cannot be named'
    say(`  ${port} (${name}) by ${who}`)
    say(
      `    → stop it${holder ? `, for example: kill ${holder.pid}` : ''}, or move the port: ${portVariable(name)}=${port + 1000} npm start`,
    )
  }
  if (rows.some(({ name }) => name === 'medyk')) say('  If that is Medyk itself, it runs already: npx medyk status')
}

mkdirSync(stateDir, { recursive: true, mode: 0o700 })
const taken = await takenPorts()
// Services of a daemon that was killed run on unwatched: one stranger among their ports is no reason to leave them so.
const takesOver = livingRecords(stateDir).size > 0 && taken.every(({ name }) => name !== 'medyk')
if (taken.length > 0 && takesOver)
  explainTaken(taken, paint('yellow', 'A port is taken; its service cannot start for now.'))
else if (taken.length > 0) {
  explainTaken(taken, paint('red', 'Medyk cannot start: ports are taken.'))
  process.exit(1)
}

const began = performance.now()
const daemon = spawn(
  process.execPath,
  [at('src', 'monitor', 'bin', 'medyk.mjs'), 'serve', '--config', configFile(), '--log-file', logFile],
  { cwd: root, stdio: ['ignore', 'ignore', 'inherit'] },
)
const ended = new Promise((settle) => daemon.once('exit', (code, signal) => settle({ code, signal })))
let stopping = false
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.on(signal, () => {
    if (!stopping) say(`\nStopping the services and the daemon …`)
    stopping = true
    // A terminal has told the daemon already; it takes what comes within a second as one.
    daemon.kill(signal)
  })
}

const watching = new AbortController()
void ended.then(() => watching.abort())

const ready = await healthyWithin(api, 60_000, watching.signal)
if (ready.services && !watching.signal.aborted) {
  const seconds = ((performance.now() - began) / 1000).toFixed(1)
  say(
    ready.ok
      ? paint('green', `All ${ready.services.length} services are healthy after ${seconds} s.`)
      : paint('yellow', 'Not all services are healthy yet; Medyk is at it.'),
  )
  say()
  say(table(ready.services))
  const storage = ports['metadata-storage']
  const frames = await fetch(`http://127.0.0.1:${storage}/stats`, { signal: AbortSignal.timeout(2_000) })
    .then((response) => response.json())
    .catch(() => null)
  if (frames) say(`\nFrames that have reached metadata-storage: ${paint('bold', String(frames.frames))}`)
  say(`
  Dashboard  ${styleText(['bold', 'underline'], `${api}/`, { stream: process.stdout })}
  Terminal   npx medyk status --watch
  Log        ${logFile}

Now, in another terminal, try one of these and look at the page:
${elsewhere()}
  npm run try kill frame-tracking      ${paint('dim', 'a process dies: it is started again')}
  npm run try hang rtsp-capture        ${paint('dim', 'a process hangs: found by silence, killed, started')}
  npm run try stop-database            ${paint('dim', 'the root is found, its dependants are left alone')}

${paint('dim', 'Ctrl-C stops the services and the daemon, and nothing else.')}
`)
  void storyLines(api, watching.signal, (line) => say(line))
}

const { code, signal } = await ended
if (stopping && code === 0) say('Stopped.')
else if (stopping) say(paint('red', 'The daemon was cut short: services may still run. `npm start` takes them over.'))
else if (signal) {
  say(paint('red', `\nThe daemon was ended by ${signal}.`))
  say('The services run on. `npm start` takes them over; after that, Ctrl-C stops them.')
} else if (code !== 0) say(`The log is ${logFile}`)
process.exitCode = code ?? 1
