import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import { createServer as createHttpServer } from 'node:http'
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { afterAll, describe, expect, it } from 'vitest'
import * as library from '../index.ts'
import { contractCases, type CheckContract, type Subject } from '../testing/index.ts'

const { eventLoop, http, ping, tcp } = library

async function listening(server: Server): Promise<{ port: number; release: () => Promise<void> }> {
  const sockets = new Set<Socket>()
  server.on('connection', (socket: Socket) => sockets.add(socket.on('close', () => sockets.delete(socket))))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const release = async () => {
    for (const socket of sockets) socket.destroy()
    await new Promise((resolve) => server.close(resolve))
  }
  return { port: (server.address() as AddressInfo).port, release }
}

/** A port that nobody listens on: one that was free a moment ago. */
async function freePort(): Promise<number> {
  const { port, release } = await listening(createServer())
  await release()
  return port
}

let deaf: { readonly child: ChildProcess; readonly sockets: readonly Socket[]; readonly port: number } | undefined
afterAll(() => {
  deaf?.child.kill('SIGKILL')
  for (const socket of deaf?.sockets ?? []) socket.destroy()
})

/** A port where connecting neither succeeds nor fails: its process is stopped and its backlog of one is full. */
async function deafPort(): Promise<number> {
  if (deaf) return deaf.port
  const code = `const server = require('node:net').createServer()
    server.listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => console.log(server.address().port))`
  const child = spawn(process.execPath, ['--eval', code], { stdio: ['ignore', 'pipe', 'inherit'] })
  const [line] = (await once(child.stdout, 'data')) as [Buffer]
  const port = Number(line.toString())
  child.kill('SIGSTOP')
  const sockets = Array.from({ length: 4 }, () => connect(port, '127.0.0.1').on('error', () => {}))
  deaf = { child, sockets, port }
  // Full as soon as one of those that fit is in; the rest of them never will be.
  await Promise.race(sockets.map((socket) => once(socket, 'connect')))
  return port
}

async function against(server: Server, check: (port: number) => Subject['check']): Promise<Subject> {
  const { port, release } = await listening(server)
  return { check: check(port), release }
}

/** Every check of this folder with the surroundings that the contract asks for. */
const contracts: Readonly<Record<string, CheckContract>> = {
  'event-loop': {
    healthy: () => ({
      check: eventLoop({ delayMs: { degraded: 9e9, unhealthy: 9e9 }, utilization: { degraded: 2, unhealthy: 2 } }),
    }),
    failing: null,
    hanging: null,
  },
  http: {
    healthy: () =>
      against(
        createHttpServer((_, response) => response.end('OK')),
        (port) => http({ url: `http://127.0.0.1:${port}/`, body: (text) => text === 'OK' }),
      ),
    failing: async (secret) => ({
      check: http({ url: `http://user:${secret}@127.0.0.1:${await freePort()}/?token=${secret}` }),
    }),
    hanging: () => against(createServer(), (port) => http({ url: `http://127.0.0.1:${port}/` })),
  },
  ping: {
    healthy: () => ({ check: ping(() => Promise.resolve('PONG')) }),
    failing: (secret) => ({
      check: ping(() => Promise.reject(new Error(`redis://:${secret}@cache: NOAUTH\n${'x'.repeat(10_000)}`))),
    }),
    hanging: () => ({ check: ping(() => new Promise(() => {})) }),
  },
  tcp: {
    healthy: () => against(createServer(), (port) => tcp({ host: '127.0.0.1', port })),
    failing: async () => ({ check: tcp({ host: '127.0.0.1', port: await freePort() }) }),
    hanging: async () => ({ check: tcp({ host: '127.0.0.1', port: await deafPort() }) }),
  },
}

describe.each(Object.entries(contracts))('%s', (_, contract) => {
  for (const { name, run } of contractCases(contract)) it(name, run, 30_000)
})

describe('the map of contracts', () => {
  const files = readdirSync(import.meta.dirname)
    .filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts'))
    .map((file) => file.slice(0, -'.ts'.length))
    .sort()

  it('has every check of the folder, and no other', () => {
    expect(Object.keys(contracts).sort()).toEqual(files)
  })

  it('has only what the package exports under the name of its file', () => {
    const camel = files.map((file) => file.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase()))
    for (const name of camel) expect(library).toHaveProperty(name, expect.any(Function))
  })
})
