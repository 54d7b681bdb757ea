import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { bin } from '../cli.ts'
import { freePorts } from '../example.ts'

/** Daemons on one Docker host, one after the other, as an operator starts them from what is built. */
export class SceneDaemon implements AsyncDisposable {
  readonly #host: string
  readonly #directory = mkdtempSync(join(tmpdir(), 'medyk-scene-'))
  #lives = 0
  #port = 0
  #child: ChildProcess | null = null
  /** What they see of the environment, besides PATH and HOME. */
  readonly environment: Record<string, string> = {}

  constructor(host: string) {
    this.#host = host
  }

  /** One with a memory of its own. */
  async serve(...flags: string[]): Promise<void> {
    this.#lives += 1
    await this.serveAgain(...flags)
  }

  /** One that remembers what the last one knew. */
  async serveAgain(...flags: string[]): Promise<void> {
    await this.stop()
    const { medyk: port = 0 } = await freePorts(['medyk'])
    this.#port = port
    const own = [`--docker-host=${this.#host}`, `--port=${port}`, `--state=${this.#state}`, `--log-file=${this.#log}`]
    this.#child = spawn(process.execPath, [bin, 'serve', ...own, ...flags], {
      cwd: this.#directory,
      stdio: ['ignore', 'ignore', 'inherit'],
      env: { ...this.environment, PATH: process.env['PATH'], HOME: this.#directory },
    })
  }

  get #state(): string {
    return join(this.#directory, `life-${this.#lives}`)
  }

  get #log(): string {
    return join(this.#directory, 'daemon.log')
  }

  get pid(): number {
    if (!this.#child?.pid) throw new Error('no daemon runs')
    return this.#child.pid
  }

  /** Milliseconds that an answer may take: two seconds. */
  async get<T>(path: string): Promise<T> {
    return (await (await this.#ask(path)).json()) as T
  }

  /** What an operator asks for; with the token that `environment` gives the daemon as MEDYK_OPERATOR_TOKEN. */
  async post<T>(path: string, body: object): Promise<T> {
    const headers = {
      authorization: `Bearer ${this.environment['MEDYK_OPERATOR_TOKEN']}`,
      'content-type': 'application/json',
    }
    return (await (await this.#ask(path, { method: 'POST', headers, body: JSON.stringify(body) })).json()) as T
  }

  async #ask(path: string, init: RequestInit = {}): Promise<Response> {
    if (this.#child?.exitCode !== null) throw new Error(`the daemon does not run:\n${this.log(2_000)}`)
    const response = await fetch(`http://127.0.0.1:${this.#port}${path}`, {
      ...init,
      signal: AbortSignal.timeout(2_000),
    })
    if (!response.ok) throw new Error(`${path} answered ${response.status}: ${(await response.text()).slice(0, 500)}`)
    return response
  }

  /** The end of what they have logged. */
  log(characters = 20_000): string {
    try {
      return readFileSync(this.#log, 'utf8').slice(-characters)
    } catch {
      return ''
    }
  }

  /** What the journal of the last one holds, read beside it or after its death. */
  journal(sql: string): readonly Readonly<Record<string, unknown>>[] {
    const db = new DatabaseSync(join(this.#state, 'journal.db'), { readOnly: true, timeout: 2_000 })
    try {
      return db.prepare(sql).all()
    } finally {
      db.close()
    }
  }

  /** As the kernel does it for want of memory: no farewell. */
  async kill(): Promise<void> {
    await this.#end('SIGKILL')
  }

  async stop(): Promise<void> {
    await this.#end('SIGTERM')
  }

  async #end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    const child = this.#child
    this.#child = null
    if (!child || child.exitCode !== null || child.signalCode !== null) return
    const gone = once(child, 'exit')
    child.kill(signal)
    const force = setTimeout(() => child.kill('SIGKILL'), 20_000)
    await gone
    clearTimeout(force)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
    rmSync(this.#directory, { recursive: true, force: true })
  }
}
