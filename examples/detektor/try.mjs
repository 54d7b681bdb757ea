// npm run try: three things that go wrong in real life, done to the running example.
import { createServer } from 'node:net'
import { portsFrom } from './config.mjs'

const ports = portsFrom(process.env)
const api = `http://127.0.0.1:${ports.medyk}`
const usage = `usage: npm run try kill SERVICE | hang SERVICE | stop-database
  kill SERVICE    SIGKILL: the process is gone
  hang SERVICE    SIGSTOP: the process is there and answers nothing
  stop-database   metadata-storage is killed and its port kept, so that it cannot start, until Ctrl-C`

async function pidOf(name) {
  const response = await fetch(`${api}/api/v1/services/${encodeURIComponent(name)}`, {
    signal: AbortSignal.timeout(3_000),
  }).catch(() => null)
  if (!response) throw new Error(`no daemon answers at ${api}: is npm start running?`)
  if (!response.ok) throw new Error(`there is no service "${name}"`)
  const { instances } = await response.json()
  const pid = instances[0]?.pid
  if (!pid) throw new Error(`${name} has no process right now`)
  return pid
}

async function signal(name, what, word) {
  const pid = await pidOf(name)
  process.kill(pid, what)
  console.log(`${name} (pid ${pid}) was ${word}. Look: npx medyk status, or ${api}/`)
}

/** Takes the port the moment it is free: whoever starts there next finds it taken. */
function keepPort(port) {
  return new Promise((resolve) => {
    const attempt = () => {
      const server = createServer((socket) => socket.destroy())
      server.once('error', () => setTimeout(attempt, 1))
      server.listen(port, '127.0.0.1', () => resolve(server))
    }
    attempt()
  })
}

const [command, name] = process.argv.slice(2)
try {
  if (command === 'kill' && name) await signal(name, 'SIGKILL', 'killed')
  else if (command === 'hang' && name) await signal(name, 'SIGSTOP', 'stopped in its tracks')
  else if (command === 'stop-database') {
    const port = ports['metadata-storage']
    await signal('metadata-storage', 'SIGKILL', 'killed')
    const server = await keepPort(port)
    console.log(`Its port ${port} is kept, so it cannot start. Ctrl-C gives it back; Medyk tries again once a minute.`)
    for (const ending of ['SIGINT', 'SIGTERM']) {
      process.once(ending, () => {
        console.log(`\nPort ${port} is free again: metadata-storage comes back with the next attempt.`)
        server.close(() => process.exit(0))
      })
    }
  } else {
    console.error(usage)
    process.exitCode = 2
  }
} catch (error) {
  console.error(error.message)
  process.exitCode = 1
}
