import { at } from '../../../scripts/lib/paths.mjs'
import type { IncidentRow, ServiceDetail, ServiceRow } from '../../../src/monitor/server/api.ts'
import { until } from '../example.ts'
import { SceneDaemon } from './daemon.ts'
import { startEngine, type Engine } from './engine.ts'
import { DockerEvents } from './events.ts'

export interface SceneOptions {
  /** Folder of the compose project: `small`, `foreign`, … below test/projects, or an absolute path. */
  readonly project: string
  /** Of the project, where it is not that of the folder. */
  readonly name?: string
  /** Compose files; default: compose.yaml. */
  readonly files?: readonly string[]
  /** What the compose files read of the environment. */
  readonly environment?: Readonly<Record<string, string>>
  /** Default: one that the scene starts and ends. */
  readonly engine?: Engine
}

/**
 * A compose project on an engine, a daemon that watches it, and a witness that is not the daemon: Docker's own events and
 * the answers of the services themselves.
 */
export class Scene implements AsyncDisposable {
  readonly engine: Engine
  readonly events: DockerEvents
  readonly project: string
  readonly #directory: string
  readonly #files: readonly string[]
  readonly #owned: boolean
  readonly daemon: SceneDaemon

  private constructor(options: SceneOptions, engine: Engine, events: DockerEvents) {
    this.engine = engine
    this.daemon = new SceneDaemon(engine.host)
    this.events = events
    this.#directory = options.project.startsWith('/') ? options.project : at('test', 'projects', options.project)
    this.project = options.name ?? options.project
    this.#files = options.files ?? ['compose.yaml']
    this.#owned = !options.engine
  }

  /** Builds the project's images; nothing runs yet. */
  static async create(options: SceneOptions): Promise<Scene> {
    const engine = options.engine ?? (await startEngine())
    try {
      Object.assign(engine.environment, options.environment)
      const scene = new Scene(options, engine, await DockerEvents.open(engine.socket))
      await scene.compose('build', '--quiet')
      return scene
    } catch (error) {
      if (!options.engine) await engine[Symbol.asyncDispose]()
      throw error
    }
  }

  compose(...args: string[]): Promise<string> {
    const files = this.#files.flatMap((file) => ['--file', file])
    return this.engine.compose(this.#directory, '--project-name', this.project, ...files, ...args)
  }

  /** Of the first copy of a service. */
  container(service: string): string {
    return `${this.project}-${service}-1`
  }

  inspect(service: string) {
    return this.engine.inspect(this.container(service))
  }

  /** Starts a daemon as an operator would, with a memory of its own: budgets and incidents begin anew. */
  async serve(...flags: string[]): Promise<void> {
    await this.daemon.serve(`--project=${this.project}`, ...flags)
  }

  get daemonPid(): number {
    return this.daemon.pid
  }

  async services(): Promise<readonly ServiceRow[]> {
    return (await this.daemon.get<{ services: ServiceRow[] }>('/api/v1/services')).services
  }

  /** One service with all that is known of it. */
  async service(name: string): Promise<ServiceDetail> {
    return await this.daemon.get<ServiceDetail>(`/api/v1/services/${name}`)
  }

  async incidents(since = 0): Promise<readonly IncidentRow[]> {
    const { incidents } = await this.daemon.get<{ incidents: IncidentRow[] }>('/api/v1/incidents?limit=200')
    return incidents.filter(({ detectedAt }) => Date.parse(detectedAt) >= since)
  }

  /** The end of the daemon's log. */
  log(characters?: number): string {
    return this.daemon.log(characters)
  }

  /** Waits until the daemon sees each of these healthy; default: all that it watches, at least one. */
  async allHealthy(withinMs = 60_000, names?: readonly string[]): Promise<void> {
    const look = async () => {
      const rows = await this.services()
      const missing = (names ?? []).filter((name) => !rows.some((row) => row.name === name))
      const ill = rows.filter((row) => (names?.includes(row.name) ?? true) && row.status !== 'healthy')
      if (rows.length === 0) throw new Error('nothing is watched')
      if (missing.length > 0) throw new Error(`not watched: ${missing.join(', ')}`)
      if (ill.length > 0)
        throw new Error(ill.map(({ name, status, reason }) => `${name} ${status} ${reason}`).join('; '))
      return true
    }
    await until(look, withinMs, 'every service is seen healthy', 100)
  }

  /** Address of a service on this machine, and whether it answers 200 now. A fresh connection each time. */
  async answers(service: string, path = '/health', port = 8080, timeoutMs = 400): Promise<boolean> {
    const address = await this.#address(service)
    const signal = AbortSignal.timeout(timeoutMs)
    const response = await fetch(`http://${address}:${port}${path}`, { signal, headers: { connection: 'close' } })
    await response.body?.cancel()
    return response.status === 200
  }

  async #address(service: string): Promise<string> {
    const [network] = Object.values((await this.inspect(service)).NetworkSettings.Networks)
    if (!network?.IPAddress) throw new Error(`${service} has no address`)
    return network.IPAddress
  }

  /** Milliseconds since `since` (`performance.now()`) at which it answered 200. */
  async answersAgain(service: string, since: number, withinMs: number, path = '/health', port = 8080): Promise<number> {
    await until(() => this.answers(service, path, port), withinMs, `${service} answers again`, 50)
    return performance.now() - since
  }

  /** Stops the process of a service from outside, as a debugger would: it is there and does nothing. */
  async hang(service: string): Promise<{ readonly pid: number }> {
    const pid = (await this.inspect(service)).State.Pid
    if (pid <= 0) throw new Error(`${service} does not run`)
    process.kill(pid, 'SIGSTOP')
    return { pid }
  }

  /** Ends a hang, where that process is still there. */
  async thaw(service: string): Promise<void> {
    const { Pid, Running } = (await this.inspect(service)).State
    if (Running && Pid > 0) process.kill(Pid, 'SIGCONT')
  }

  /** What was done to containers of the project since then, as Docker told it: `kill small-api-1`. */
  deeds(since: number): readonly string[] {
    return this.events
      .deeds(since)
      .filter(({ labels }) => labels['com.docker.compose.project'] === this.project)
      .map(({ action, name }) => `${action} ${name}`)
  }

  /** Has a service misbehave until it starts anew, by the word that its /run/debug understands. */
  async tell(service: string, word: string): Promise<void> {
    await this.engine.docker('exec', this.container(service), 'sh', '-c', `echo ${word} > /run/debug`)
  }

  /** What was done to one service since then, in order, as Docker told it: `kill`, `start`. */
  deedsTo(service: string, since: number): readonly string[] {
    const name = this.container(service)
    return this.events.deeds(since).flatMap((event) => (event.name === name ? [event.action] : []))
  }

  async stopDaemon(): Promise<void> {
    await this.daemon.stop()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.daemon[Symbol.asyncDispose]()
    this.events[Symbol.dispose]()
    if (this.#owned) await this.engine[Symbol.asyncDispose]()
    else await this.compose('down', '--volumes', '--timeout', '1')
  }
}
