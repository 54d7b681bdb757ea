// A service that keeps book of its own lives: `boot`, whether another one lives at that moment, and a port that is taken.
import { appendFileSync, readFileSync } from 'node:fs'
import { createServer } from 'node:http'

const [log, port] = process.argv.slice(2)
const note = (what, pid = process.pid) => appendFileSync(log, `${what} ${pid} ${Date.now()}\n`)

function lives(pid) {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    const isZombie = stat.slice(stat.lastIndexOf(')') + 2).startsWith('Z')
    return !isZombie && readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(log)
  } catch {
    return false
  }
}

note('boot')
for (const line of readFileSync(log, 'utf8').split('\n')) {
  const [what, pid] = line.split(' ')
  if (what === 'boot' && Number(pid) !== process.pid && lives(pid)) note('overlap', pid)
}
const server = createServer((_request, response) => response.end('fine'))
server.on('error', (error) => {
  note(error.code)
  process.exit(1)
})
// Takes its time to end, so that a second Ctrl-C comes while the first is being obeyed.
process.on('SIGTERM', () => setTimeout(() => process.exit(0), 400))
server.listen(Number(port), '127.0.0.1')
