import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { closeSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { at } from '../../../scripts/lib/paths.mjs'
import { locate, which } from '../../../scripts/lib/test-requirements.mjs'
import { until } from '../example.ts'
import { lives, seen, type Seen } from '../processes.ts'
import { command, type CommandOptions } from './command.ts'
import { baseImage, nodeImage, provideImages } from './images.ts'
import { takeLock } from './lock.ts'

export { dockerMissing } from './missing.ts'

/** A first start makes the base image too: give it to `beforeAll` as its deadline, in milliseconds. */
export const engineDeadlineMs = 600_000

export interface EngineOptions {
  /** Folder of images and containers. Default: `.cache/docker`, whose images survive, for one engine at a time. */
  readonly dataRoot?: string
  /** More flags of dockerd. */
  readonly flags?: readonly string[]
  /** Provide the images of `images.ts`. Default: true. */
  readonly images?: boolean
}

/** A Docker engine of our own. What runs on it ends with it; nothing of the machine's own Docker is touched. */
export class Engine implements AsyncDisposable {
  readonly #directory: string
  readonly #dataRoot: string
  readonly #flags: readonly string[]
  readonly #lock: Disposable
  #dockerd: Seen | null = null
  readonly image = baseImage
  readonly nodeImage = nodeImage
  /** What `docker` and `compose` see of the environment, besides where this engine is. */
  readonly environment: Record<string, string> = {}

  constructor(dataRoot: string, flags: readonly string[], lock: Disposable) {
    this.#dataRoot = dataRoot
    this.#flags = flags
    this.#lock = lock
    this.#directory = directoryOf(dataRoot)
  }

  get socket(): string {
    return join(this.#directory, 'docker.sock')
  }

  /** As DOCKER_HOST has it. */
  get host(): string {
    return `unix://${this.socket}`
  }

  /** Of dockerd. */
  get pid(): number {
    if (!this.#dockerd) throw new Error('the engine is not running')
    return this.#dockerd.pid
  }

  /** What dockerd said: its last 200,000 characters. */
  log(): string {
    return readIfThere(join(this.#directory, 'dockerd.log')).slice(-200_000)
  }

  /** Starts dockerd and waits until it answers. */
  async start(): Promise<void> {
    await endRest(this.#directory, this.#dataRoot)
    mkdirSync(join(this.#directory, 'config'), { recursive: true, mode: 0o700 })
    writeFileSync(join(this.#directory, 'dockerd.json'), '{}')
    mkdirSync(this.#dataRoot, { recursive: true })
    const log = openSync(join(this.#directory, 'dockerd.log'), 'a', 0o600)
    const child = spawn(
      locate('docker') ?? 'dockerd',
      [
        `--data-root=${this.#dataRoot}`,
        `--exec-root=${join(this.#directory, 'exec')}`,
        `--pidfile=${join(this.#directory, 'dockerd.pid')}`,
        `--host=${this.host}`,
        // Not the one of the machine's own dockerd.
        `--config-file=${join(this.#directory, 'dockerd.json')}`,
        ...ownNamespace(this.#directory),
        '--bridge=none',
        '--iptables=false',
        '--ip6tables=false',
        '--ip-masq=false',
        `--default-address-pool=base=${freePool()},size=24`,
        '--shutdown-timeout=5',
        ...this.#flags,
      ],
      // A group of its own: Ctrl-C at the tests must not reach it before they have cleaned up.
      { stdio: ['ignore', log, log], detached: true, env: { PATH: `${process.env['PATH']}:/usr/sbin:/sbin` } },
    )
    closeSync(log)
    child.unref()
    const ended = new Promise<string>((resolve) => {
      child.once('error', (error) => resolve(error.message))
      child.once('exit', (code, signal) => resolve(`it ended with ${signal ?? code}`))
    })
    this.#dockerd = child.pid === undefined ? null : seen(child.pid)
    const answered = until(() => ping(this.socket), 60_000, 'dockerd answers').then(
      () => null,
      (error: Error) => error.message,
    )
    const failed = await Promise.race([answered, ended])
    if (failed !== null) throw new Error(`dockerd did not start, ${failed}:\n${this.log().slice(-3_000)}`)
  }

  /** The docker CLI on this engine; resolves to its stdout, trimmed. */
  docker(...args: string[]): Promise<string> {
    return this.#cli(which(['docker']) ?? 'docker', args)
  }

  /** Compose in `directory`, of which the project has its name unless `-p` says otherwise. */
  compose(directory: string, ...args: string[]): Promise<string> {
    return this.#cli(locate('compose') ?? 'docker-compose', ['--ansi', 'never', '--progress', 'plain', ...args], {
      cwd: directory,
    })
  }

  #cli(program: string, args: readonly string[], options: CommandOptions = {}): Promise<string> {
    const own = { DOCKER_HOST: this.host, DOCKER_CONFIG: join(this.#directory, 'config'), HOME: this.#directory }
    const env = { ...this.environment, ...own }
    return command(program, args, { ...options, env })
  }

  /** `docker inspect` of one container; without the CLI, so that it can be asked often beside a measurement. */
  async inspect(container: string): Promise<InspectedContainer> {
    const { status, body } = await ask(this.socket, `/containers/${encodeURIComponent(container)}/json`)
    if (status !== 200) throw new Error(`inspect ${container}: ${body.trim()}`)
    return JSON.parse(body) as InspectedContainer
  }

  /** Runs a container of the base image; resolves to its id. `args` stand before the image. */
  run(args: readonly string[], ...words: string[]): Promise<string> {
    return this.docker('run', '--detach', ...args, this.image, ...words)
  }

  /** dockerd stands still, as under a debugger; containers go on. */
  suspend(): void {
    process.kill(this.pid, 'SIGSTOP')
  }

  resume(): void {
    process.kill(this.pid, 'SIGCONT')
  }

  /** Ends dockerd as the system does, and with it the containers. */
  async stop(signal: 'SIGTERM' | 'SIGKILL' = 'SIGTERM'): Promise<void> {
    const dockerd = this.#dockerd
    if (!dockerd) return
    if (lives(dockerd)) {
      process.kill(dockerd.pid, 'SIGCONT')
      process.kill(dockerd.pid, signal)
    }
    await until(() => !lives(dockerd), 30_000, 'dockerd has ended').catch(() => process.kill(dockerd.pid, 'SIGKILL'))
    this.#dockerd = null
    await endRest(this.#directory, this.#dataRoot)
  }

  /** As `systemctl restart docker`: containers end, and those whose policy says so come back. */
  async restart(signal: 'SIGTERM' | 'SIGKILL' = 'SIGTERM'): Promise<void> {
    await this.stop(signal)
    await this.start()
  }

  /** Removes all containers, networks and volumes; images stay. */
  async clean(): Promise<void> {
    const containers = await this.#lines('container', 'ls', '--all', '--quiet')
    if (containers.length > 0) await this.docker('container', 'rm', '--force', '--volumes', ...containers)
    await this.docker('network', 'prune', '--force')
    const volumes = await this.#lines('volume', 'ls', '--quiet')
    if (volumes.length > 0) await this.docker('volume', 'rm', '--force', ...volumes)
  }

  async #lines(...args: string[]): Promise<string[]> {
    return (await this.docker(...args)).split('\n').filter(Boolean)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      if (this.#dockerd && lives(this.#dockerd)) {
        this.resume()
        await this.clean()
        await this.docker('image', 'prune', '--force')
      }
    } finally {
      await this.stop()
      rmSync(this.#directory, { recursive: true, force: true })
      this.#lock[Symbol.dispose]()
    }
  }
}

/** What the tests read of `docker inspect`. */
export interface InspectedContainer {
  readonly Id: string
  readonly Name: string
  readonly RestartCount: number
  readonly State: {
    readonly Status: string
    readonly Running: boolean
    readonly Paused: boolean
    readonly Pid: number
    readonly ExitCode: number
    readonly StartedAt: string
    readonly FinishedAt: string
    readonly Health?: { readonly Status: string }
  }
  readonly Config: { readonly Labels: Readonly<Record<string, string>>; readonly Image: string }
  readonly NetworkSettings: {
    readonly Networks: Readonly<Record<string, { readonly IPAddress: string }>>
  }
}

/**
 * Starts a Docker engine for tests and waits for its turn where another process has it. Dispose of it (`await using`, or
 * `afterAll(() => engine[Symbol.asyncDispose]())`): all its containers, networks and volumes go.
 */
export async function startEngine(options: EngineOptions = {}): Promise<Engine> {
  const dataRoot = options.dataRoot ?? at('.cache', 'docker')
  const lock = await takeLock(`${dataRoot}.lock`)
  const engine = new Engine(dataRoot, options.flags ?? [], lock)
  try {
    await engine.start()
    await engine.clean()
    if (options.images ?? true) await provideImages((...args) => engine.docker(...args))
    return engine
  } catch (error) {
    await engine[Symbol.asyncDispose]()
    throw error
  }
}

/** Short, since the path of a socket may have 107 bytes; the same each time, so that what a killed run left is found. */
const directoryOf = (dataRoot: string) =>
  join(tmpdir(), `medyk-docker-${createHash('sha256').update(dataRoot).digest('hex').slice(0, 8)}`)

/** Ends the dockerd and the containerd that belong to `directory`: left by a run that was killed, or by dockerd's own death. */
async function endRest(directory: string, dataRoot: string): Promise<void> {
  for (const file of ['dockerd.pid', 'exec/containerd/containerd.pid']) {
    const left = seen(Number(readIfThere(join(directory, file))))
    if (!left || !readIfThere(`/proc/${left.pid}/cmdline`).includes(directory)) continue
    for (const signal of ['SIGCONT', 'SIGTERM'] as const) process.kill(left.pid, signal)
    await until(() => !lives(left), 20_000, `${file} has ended`).catch(() => process.kill(left.pid, 'SIGKILL'))
  }
  // dockerd leaves mounts behind, its own data root and network namespaces, and where one is, nothing can be removed.
  const places = readIfThere('/proc/self/mounts')
    .split('\n')
    .map((line) => line.split(' ')[1] ?? '')
    .filter((place) => [directory, dataRoot].some((root) => `${place}/`.startsWith(`${root}/`)))
  // What was mounted last lies deepest.
  for (const place of places.toReversed()) await command('umount', ['--lazy', place]).catch(() => {})
}

/** dockerd would share a containerd of the machine with the machine's own dockerd: then under another name. */
function ownNamespace(directory: string): string[] {
  const name = directory.slice(directory.lastIndexOf('/') + 1)
  return [`--containerd-namespace=${name}`, `--containerd-plugins-namespace=${name}-plugins`]
}

/** A private network that no route of this machine leads into. */
function freePool(): string {
  const taken = readIfThere('/proc/net/route')
    .split('\n')
    .slice(1)
    .map((line) => line.split('\t')[1] ?? '')
    // Little-endian hexadecimal: 0000D60A is 10.214.0.0.
    .map((hex) => `${Number.parseInt(hex.slice(6, 8), 16)}.${Number.parseInt(hex.slice(4, 6), 16)}`)
  for (let second = 214; second < 255; second += 1) if (!taken.includes(`10.${second}`)) return `10.${second}.0.0/16`
  throw new Error('no free private network between 10.214 and 10.254')
}

const ping = (socket: string) =>
  ask(socket, '/_ping').then(
    ({ status }) => status === 200,
    () => false,
  )

function ask(socketPath: string, path: string): Promise<{ readonly status: number; readonly body: string }> {
  return new Promise((resolve, reject) => {
    const asked = request({ socketPath, path, timeout: 10_000 }, (response) => {
      let body = ''
      response.setEncoding('utf8').on('data', (text: string) => (body += text))
      response.once('end', () => resolve({ status: response.statusCode ?? 0, body }))
      response.once('error', reject)
    })
    asked.once('timeout', () => asked.destroy(new Error(`Docker did not answer ${path} within 10 s`)))
    asked.once('error', reject)
    asked.end()
  })
}

function readIfThere(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}
