import { spawn, spawnSync } from 'node:child_process'
import { chmodSync, chownSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { freePorts } from './example.ts'

const DEBIAN = '/usr/lib/postgresql'

/** The folder of the newest installed server; null when there is none. */
export function postgresBin(): string | null {
  const versions = existsSync(DEBIAN) ? readdirSync(DEBIAN).sort((a, b) => Number(b) - Number(a)) : []
  return versions.map((version) => join(DEBIAN, version, 'bin')).find((bin) => existsSync(join(bin, 'initdb'))) ?? null
}

/** A real server with an empty database of its own, on a free port. */
export class Postgres implements AsyncDisposable {
  readonly #bin: string
  readonly #directory: string
  readonly #port: number
  readonly #user: { uid?: number; gid?: number }
  #end: () => Promise<void> = async () => {}

  static async create(bin: string): Promise<Postgres> {
    const { postgres: port = 0 } = await freePorts(['postgres'])
    const postgres = new Postgres(bin, port)
    await postgres.start()
    return postgres
  }

  private constructor(bin: string, port: number) {
    this.#bin = bin
    this.#port = port
    this.#directory = mkdtempSync(join(tmpdir(), 'pg-'))
    // The server refuses to run as root.
    this.#user = process.getuid?.() === 0 ? ids('postgres') : {}
    if (this.#user.uid !== undefined) chownSync(this.#directory, this.#user.uid, this.#user.gid ?? 0)
    chmodSync(this.#directory, 0o700)
    const options = ['-D', join(this.#directory, 'data'), '-U', 'kim', '-A', 'trust', '--no-sync', '-E', 'UTF8']
    const made = spawnSync(join(bin, 'initdb'), options, { ...this.#user, cwd: this.#directory, encoding: 'utf8' })
    if (made.status !== 0) throw new Error(`initdb: ${made.stderr}`)
  }

  get url(): string {
    return `postgres://kim:unused@127.0.0.1:${this.#port}/postgres`
  }

  async start(): Promise<void> {
    const options = ['-D', 'data', '-p', String(this.#port), '-c', `unix_socket_directories=${this.#directory}`]
    const server = spawn(join(this.#bin, 'postgres'), [...options, '-c', 'fsync=off'], {
      ...this.#user,
      cwd: this.#directory,
      stdio: 'ignore',
    })
    const exited = new Promise<void>((resolve) => server.once('exit', () => resolve()))
    this.#end = () => {
      server.kill('SIGQUIT')
      return exited
    }
    for (let tries = 0; !(await accepts(this.#port)); tries += 1) {
      if (tries > 600) throw new Error('the server did not come up in 30 s')
      await sleep(50)
    }
  }

  /** Immediate shutdown: connections are cut, as in a crash. */
  async stop(): Promise<void> {
    await this.#end()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
    rmSync(this.#directory, { recursive: true, force: true })
  }
}

function ids(user: string): { uid: number; gid: number } {
  const id = (flag: string) => Number(spawnSync('id', [flag, user], { encoding: 'utf8' }).stdout.trim())
  return { uid: id('-u'), gid: id('-g') }
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false))
    socket.once('connect', () => socket.destroy())
  })
}
