import { spawn, type ChildProcess } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { expect } from 'vitest'
import { freePorts } from './example.ts'

const example = fileURLToPath(new URL('../../examples/detektor', import.meta.url))

export const services = ['camera', 'frame-buffer', 'metadata-storage', 'rtsp-capture', 'frame-tracking'] as const
export type ServiceName = (typeof services)[number]
type Env = Readonly<Record<string, string>>

export interface Report {
  readonly status: string
  readonly checks: Readonly<Record<string, string>>
  readonly metadata: { readonly last_error: string | null }
}

export interface Running {
  readonly child: ChildProcess
  readonly output: () => string
  /** Exit code, or the name of the signal. */
  readonly exited: Promise<number | string>
  readonly startedAt: number
}

/** The five services as processes from their sources, on free ports. Ends exactly what it started. */
export class Pipeline implements AsyncDisposable {
  readonly directory = mkdtempSync(join(tmpdir(), 'detektor-'))
  readonly ports: Readonly<Record<ServiceName | 'rtsp', number>>
  readonly #children = new Set<Running>()

  static async create(): Promise<Pipeline> {
    return new Pipeline((await freePorts([...services, 'rtsp'])) as Pipeline['ports'])
  }

  private constructor(ports: Readonly<Record<ServiceName | 'rtsp', number>>) {
    this.ports = ports
  }

  url(name: ServiceName, path = ''): string {
    return `http://127.0.0.1:${this.ports[name]}${path}`
  }

  start(name: ServiceName, more: Env = {}): Running {
    const startedAt = performance.now()
    const child = spawn(process.execPath, ['--conditions=medyk-source', join(example, 'services', `${name}.ts`)], {
      cwd: this.directory,
      env: {
        PATH: process.env['PATH'],
        PORT: String(this.ports[name]),
        RTSP_PORT: String(this.ports.rtsp),
        CAMERA_URL: `rtsp://127.0.0.1:${this.ports.rtsp}/live`,
        CAMERA_HEALTH_URL: this.url('camera'),
        FRAME_BUFFER_URL: this.url('frame-buffer'),
        METADATA_STORAGE_URL: this.url('metadata-storage'),
        DATA_DIR: join(this.directory, 'data'),
        ...more,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let output = ''
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => (output = (output + text).slice(-200_000)))
    }
    const exited = new Promise<number | string>((resolve) => {
      child.on('close', (code, signal) => {
        this.#children.delete(running)
        resolve(code ?? signal ?? 'unknown')
      })
    })
    const running: Running = { child, output: () => output, exited, startedAt }
    this.#children.add(running)
    return running
  }

  /** Milliseconds from the process's start until `/ready` said 200. */
  async ready(name: ServiceName, running: Running, withinMs = 30_000): Promise<number> {
    const at = await this.until(`${name} is ready`, async () => (await this.ask(name, '/ready')).code === 200, withinMs)
    return Math.round(at - running.startedAt)
  }

  /** Code 0 stands for no answer. */
  async ask(name: ServiceName, path: string, init: RequestInit = {}): Promise<{ code: number; body: unknown }> {
    try {
      const signal = init.signal ?? AbortSignal.timeout(15_000)
      const response = await fetch(this.url(name, path), { ...init, signal })
      const text = await response.text()
      return { code: response.status, body: text.startsWith('{') ? JSON.parse(text) : text }
    } catch {
      return { code: 0, body: null }
    }
  }

  async report(name: ServiceName, path: '/health' | '/ready'): Promise<Report & { code: number }> {
    const { code, body } = await this.ask(name, path)
    return { ...(body as Report), code }
  }

  post(name: ServiceName, path: string, body: unknown = {}) {
    return this.ask(name, path, { method: 'POST', body: typeof body === 'string' ? body : JSON.stringify(body) })
  }

  /** When it came true. Fails with what the services said. */
  async until(what: string, isTrue: () => Promise<boolean> | boolean, withinMs = 30_000): Promise<number> {
    const end = performance.now() + withinMs
    while (!(await isTrue())) {
      if (performance.now() > end) {
        const said = [...this.#children].map(({ child, output }) => `--- ${child.spawnargs.at(-1)}\n${output()}`)
        expect.fail(`not within ${withinMs} ms: ${what}\n${said.join('\n')}`)
      }
      await sleep(25)
    }
    return performance.now()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const running = [...this.#children]
    for (const { child } of running) child.kill('SIGKILL')
    await Promise.all(running.map(({ exited }) => exited))
    rmSync(this.directory, { recursive: true, force: true })
  }
}
