import { spawn, type ChildProcess } from 'node:child_process'
import { mkdtemp, rm, writeFile, readFile, chmod } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
// The config is plain JS, so that `npm start` can render it before anything is built.
import { defaultPorts, exampleConfig } from '../../examples/detektor/config.mjs'
import type { IncidentRow, ServiceRow } from '../../src/monitor/server/api.ts'

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..')

export type PortName = keyof typeof defaultPorts

/** As many free ports as there are names, all different. Another process may take one meanwhile: start again then. */
export async function freePorts(names: readonly string[]): Promise<Record<string, number>> {
  const servers = await Promise.all(
    names.map(async () => {
      const server = createServer()
      await new Promise<void>((resolve, reject) => server.once('error', reject).listen(0, '127.0.0.1', resolve))
      return server
    }),
  )
  const ports = servers.map((server) => (server.address() as { port: number }).port)
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))))
  return Object.fromEntries(names.map((name, i) => [name, ports[i] ?? 0]))
}

/** The example pipeline under a daemon of its own, in a folder of its own, on free ports. */
export class Example implements AsyncDisposable {
  readonly ports: Record<string, number>
  readonly directory: string
  readonly api: string
  daemon: ChildProcess | null = null

  private constructor(directory: string, ports: Record<string, number>) {
    this.directory = directory
    this.ports = ports
    this.api = `http://127.0.0.1:${ports['medyk']}`
  }

  /** Renders the config; `edit` may change its text before it is written. */
  static async create(
    edit: (yaml: string, ports: Record<string, number>) => string = (yaml) => yaml,
  ): Promise<Example> {
    const ports = await freePorts(Object.keys(defaultPorts))
    const directory = await mkdtemp(path.join(tmpdir(), 'medyk-example-'))
    await chmod(directory, 0o700)
    const yaml = exampleConfig({
      ports,
      root: path.join(root, 'examples/detektor'),
      state: path.join(directory, 'state'),
    })
    const own = yaml.replace('DATA_DIR: "data"', `DATA_DIR: ${JSON.stringify(path.join(directory, 'data'))}`)
    await writeFile(path.join(directory, 'medyk.yaml'), edit(own, ports), { mode: 0o600 })
    return new Example(directory, ports)
  }

  /** Spawns the daemon as a user would, from the build. */
  serve(...flags: string[]): ChildProcess {
    const bin = path.join(root, 'src/monitor/bin/medyk.mjs')
    const config = path.join(this.directory, 'medyk.yaml')
    const log = path.join(this.directory, 'daemon.log')
    this.daemon = spawn(process.execPath, [bin, 'serve', '--config', config, '--log-file', log, ...flags], {
      stdio: ['ignore', 'ignore', 'inherit'],
      env: { PATH: process.env['PATH'], HOME: process.env['HOME'] },
    })
    return this.daemon
  }

  async services(): Promise<readonly ServiceRow[]> {
    return (await this.#get<{ services: ServiceRow[] }>('/api/v1/services')).services
  }

  async service(name: string): Promise<ServiceRow> {
    return await this.#get<ServiceRow>(`/api/v1/services/${name}`)
  }

  async incidents(): Promise<readonly IncidentRow[]> {
    return (await this.#get<{ incidents: IncidentRow[] }>('/api/v1/incidents?limit=200')).incidents
  }

  async pid(name: string): Promise<number> {
    const pid = (await this.service(name)).instances[0]?.pid
    if (!pid) throw new Error(`${name} has no process`)
    return pid
  }

  url(name: string, at = ''): string {
    return `http://127.0.0.1:${this.ports[name]}${at}`
  }

  async frames(): Promise<number> {
    const response = await fetch(this.url('metadata-storage', '/stats'), { signal: AbortSignal.timeout(2_000) })
    return ((await response.json()) as { frames: number }).frames
  }

  async allHealthy(withinMs = 60_000): Promise<void> {
    await until(
      async () => {
        const services = await this.services()
        return services.length > 0 && services.every((row) => row.status === 'healthy')
      },
      withinMs,
      'all services healthy',
    )
  }

  log(): Promise<string> {
    return readFile(path.join(this.directory, 'daemon.log'), 'utf8')
  }

  async #get<T>(at: string): Promise<T> {
    const response = await fetch(this.api + at, { signal: AbortSignal.timeout(2_000) })
    if (!response.ok) throw new Error(`${at} answered ${response.status}`)
    return (await response.json()) as T
  }

  /** Ends the daemon as Ctrl-C does, and with it the services. */
  async stop(): Promise<void> {
    const { daemon } = this
    if (!daemon || daemon.exitCode !== null || daemon.signalCode !== null) return
    const gone = new Promise((resolve) => daemon.once('exit', resolve))
    daemon.kill('SIGTERM')
    await gone
  }

  /** Also when the daemon was killed: a last one takes the services over and stops them. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
    if (this.daemon?.signalCode !== null && this.daemon !== null) {
      this.serve()
      await until(async () => (await this.services()).length > 0, 30_000, 'the daemon that cleans up').catch(() => {})
      await this.stop()
    }
    await rm(this.directory, { recursive: true, force: true })
  }
}

/** Polls until `look` is true. Errors of `look` count as not yet; the last one is told on time-out. */
export async function until(
  look: () => Promise<boolean> | boolean,
  withinMs: number,
  what: string,
  everyMs = 25,
): Promise<number> {
  const start = performance.now()
  let last: unknown = null
  while (performance.now() - start < withinMs) {
    try {
      if (await look()) return performance.now() - start
      last = null
    } catch (error) {
      last = error
    }
    await sleep(everyMs)
  }
  throw new Error(`not within ${withinMs} ms: ${what}${last instanceof Error ? ` (${last.message})` : ''}`)
}
