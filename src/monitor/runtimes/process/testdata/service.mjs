// A service that behaves as its first argument says; the second names a file where it writes { pid, port } once it answers.
import { spawn } from 'node:child_process'
import { appendFileSync, renameSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'

const [behaviour, file] = process.argv.slice(2)

function serve() {
  const server = createServer((_, response) => response.end(String(process.pid)))
  server.listen(0, '127.0.0.1', () => {
    appendFileSync(`${file}.runs`, `${process.pid}\n`)
    writeFileSync(`${file}.new`, JSON.stringify({ pid: process.pid, port: server.address().port }))
    renameSync(`${file}.new`, file)
  })
}

switch (behaviour) {
  case 'answers':
    process.on('SIGTERM', () => process.exit(0))
    serve()
    break
  case 'ignores-sigterm':
    process.on('SIGTERM', () => {})
    serve()
    break
  case 'exits-with-3':
    process.exit(3)
    break
  case 'floods': {
    const line = `a line of some length, password=hunter2, ${'x'.repeat(150)}\n`
    setInterval(() => process.stdout.write(line.repeat(1_000)), 10)
    break
  }
  case 'has-a-child':
    // The one that serves is a child in the same group; this one only waits.
    spawn(process.execPath, [process.argv[1], 'ignores-sigterm', file], { stdio: 'inherit' })
    setInterval(() => {}, 1_000)
    break
  case 'prints-environment':
    console.log(JSON.stringify(Object.keys(process.env).sort()))
    serve()
    break
}
