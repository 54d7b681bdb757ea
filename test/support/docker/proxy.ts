import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { at } from '../../../scripts/lib/paths.mjs'
import { locate } from '../../../scripts/lib/test-requirements.mjs'
import { until } from '../example.ts'

export interface SocketProxy extends AsyncDisposable {
  /** As DOCKER_HOST has it. */
  readonly host: string
  start(): Promise<void>
  /** Cuts every connection. */
  stop(): Promise<void>
}

const ACTIONS = 'start|stop|restart|unpause'

/** The proxy that deploy/ has before Docker's socket; `without`: with one action fewer. */
export async function startProxy(dockerSocket: string, without?: string): Promise<SocketProxy> {
  const directory = mkdtempSync(join(tmpdir(), 'medyk-proxy-'))
  const socket = join(directory, 'proxy.sock')
  const config = join(directory, 'haproxy.cfg')
  const shipped = readFileSync(at('deploy', 'haproxy.cfg'), 'utf8')
  const left = ACTIONS.split('|').filter((action) => action !== without)
  if (!shipped.includes(`(${ACTIONS})`)) throw new Error(`deploy/haproxy.cfg no longer lets through ${ACTIONS}`)
  writeFileSync(config, shipped.replace(`(${ACTIONS})`, `(${left.join('|')})`))
  const env = { PATH: process.env['PATH'], DOCKER_SOCKET: dockerSocket, PROXY_SOCKET: socket }
  let stop = async () => {}
  const proxy: SocketProxy = {
    host: `unix://${socket}`,
    async start() {
      const child = spawn(locate('haproxy') ?? 'haproxy', ['-db', '-f', config], { stdio: 'ignore', env })
      const ended = once(child, 'exit')
      stop = async () => {
        child.kill('SIGKILL')
        await ended
        rmSync(socket, { force: true })
      }
      await until(() => existsSync(socket), 30_000, 'the socket proxy listens')
    },
    stop: () => stop(),
    async [Symbol.asyncDispose]() {
      await stop()
      rmSync(directory, { recursive: true, force: true })
    },
  }
  await proxy.start()
  return proxy
}
