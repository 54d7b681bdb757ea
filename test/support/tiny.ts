import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import type { IncidentRow, ServiceDetail } from '../../src/monitor/server/api.ts'
import { freePorts, until } from './example.ts'
import { lives, seen, type Seen } from './processes.ts'

const bin = fileURLToPath(new URL('../../src/monitor/bin/medyk.mjs', import.meta.url))
const script = fileURLToPath(new URL('./tiny-service.mjs', import.meta.url))

export interface Daemon {
  readonly child: ChildProcess
  /** Exit code, or the name of the signal. */
  readonly exited: Promise<number | string>
  readonly stderr: () => string
}

/** One service that keeps book of its lives, and daemons from source that watch it one after the other. */
export class Tiny implements AsyncDisposable {
  readonly directory = mkdtempSync(path.join(tmpdir(), 'medyk-tiny-'))
  readonly #book = path.join(this.directory, 'book')
  readonly #ports: Record<string, number>
  readonly #daemons = new Set<Daemon>()

  static async create(): Promise<Tiny> {
    return new Tiny(await freePorts(['medyk', 'tiny', 'other']))
  }

  private constructor(ports: Record<string, number>) {
    this.#ports = ports
    writeFileSync(this.#book, '')
    const config = `
version: 1
server: { port: ${ports['medyk']} }
state: state
services:
  tiny:
    runtime: process
    process: { command: ${JSON.stringify([process.execPath, script, this.#book, String(ports['tiny'])])} }
    probes: { liveness: 'http://127.0.0.1:${ports['tiny']}/health' }
    startupGrace: 3s
    recovery: { attempts: 500, window: 1h, delays: [0s], stable: 300ms }
`
    writeFileSync(path.join(this.directory, 'medyk.yaml'), config, { mode: 0o600 })
  }

  /** What daemons get besides PATH. */
  env: Readonly<Record<string, string>> = {}

  get url(): string {
    return `http://127.0.0.1:${this.#ports['medyk']}`
  }

  get otherPort(): number {
    return this.#ports['other'] ?? 0
  }

  serve(...flags: string[]): Daemon {
    const file = (name: string) => path.join(this.directory, name)
    const args = ['serve', '--config', file('medyk.yaml'), '--log-file', file('daemon.log'), ...flags]
    const child = spawn(process.execPath, ['--conditions=medyk-source', bin, ...args], {
      stdio: ['ignore', 'ignore', 'pipe'],
      env: { PATH: process.env['PATH'], ...this.env },
    })
    let stderr = ''
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text))
    const exited = once(child, 'close').then(([code, signal]) => {
      this.#daemons.delete(daemon)
      return (code ?? signal) as number | string
    })
    const daemon: Daemon = { child, exited, stderr: () => stderr }
    this.#daemons.add(daemon)
    return daemon
  }

  async service(): Promise<ServiceDetail> {
    return (await this.#get('/api/v1/services/tiny')) as ServiceDetail
  }

  async incidents(): Promise<readonly IncidentRow[]> {
    return ((await this.#get('/api/v1/incidents?limit=200')) as { incidents: IncidentRow[] }).incidents
  }

  async healthy(withinMs = 30_000): Promise<ServiceDetail> {
    let last: ServiceDetail | null = null
    const isWell = async () => (last = await this.service()).status === 'healthy'
    await until(isWell, withinMs, 'the service is healthy').catch((error: Error) => {
      throw new Error(`${error.message}: ${JSON.stringify(last)}\n${this.#notes().join('\n')}`)
    })
    return last as unknown as ServiceDetail
  }

  async #get(at: string): Promise<unknown> {
    const response = await fetch(`http://127.0.0.1:${this.#ports['medyk']}${at}`, {
      signal: AbortSignal.timeout(2_000),
    })
    if (!response.ok) throw new Error(`${at} answered ${response.status}`)
    return await response.json()
  }

  #notes(): readonly string[] {
    return readFileSync(this.#book, 'utf8').trim().split('\n')
  }

  /** Pids of every life so far, as the service itself wrote them. */
  boots(): readonly number[] {
    return this.#notes().flatMap((line) => (line.startsWith('boot ') ? [Number(line.split(' ')[1])] : []))
  }

  /** What must never be there: two lives at once, a port that is taken. */
  complaints(): readonly string[] {
    return this.#notes().filter((line) => line !== '' && !line.startsWith('boot '))
  }

  /** The lives that go on, as the kernel tells. */
  alive(): readonly Seen[] {
    return this.boots().flatMap((pid) => {
      const life = seen(pid)
      return life && readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(this.#book) ? [life] : []
    })
  }

  /** To the one life that there is; returns its pid. */
  signal(signal: NodeJS.Signals): number {
    const [life, ...others] = this.alive()
    if (!life || others.length > 0) throw new Error(`${others.length + (life ? 1 : 0)} lives instead of one`)
    process.kill(life.pid, signal)
    return life.pid
  }

  /** What the journal holds, read beside the daemon or after its death. */
  journal(sql: string): readonly Readonly<Record<string, unknown>>[] {
    const db = new DatabaseSync(path.join(this.directory, 'state', 'journal.db'), { readOnly: true, timeout: 2_000 })
    try {
      return db.prepare(sql).all()
    } finally {
      db.close()
    }
  }

  /** Ends exactly what was started here, however the test went. */
  async [Symbol.asyncDispose](): Promise<void> {
    const daemons = [...this.#daemons]
    for (const { child } of daemons) child.kill('SIGKILL')
    await Promise.all(daemons.map(({ exited }) => exited))
    const left = this.alive()
    for (const { pid } of left) process.kill(pid, 'SIGKILL')
    await until(() => !left.some(lives), 10_000, 'the services are gone', 5)
    rmSync(this.directory, { recursive: true, force: true })
  }
}
