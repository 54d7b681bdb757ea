import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { defaultPorts, portVariable } from '../../examples/detektor/config.mjs'
import { freePorts, until } from '../support/example.ts'
import { descendants, lives, seen, type Seen } from '../support/processes.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const names = ['camera', 'frame-buffer', 'rtsp-capture', 'metadata-storage', 'frame-tracking']

/** `npm start` without its set-up, in a process group of its own, as a terminal gives it one. */
class Start {
  readonly child: ChildProcess
  readonly exited: Promise<number | string>
  output = ''

  constructor(env: Readonly<Record<string, string>>) {
    this.child = spawn(process.execPath, ['scripts/start.mjs'], {
      cwd: root,
      env: { PATH: process.env['PATH'], HOME: process.env['HOME'], ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    })
    for (const stream of [this.child.stdout, this.child.stderr])
      stream?.setEncoding('utf8').on('data', (text: string) => (this.output += text))
    this.exited = once(this.child, 'close').then(([code, signal]) => (code ?? signal) as number | string)
  }

  async picture(): Promise<string> {
    const over = this.exited.then((code) => {
      throw new Error(`it ended with ${code}: ${this.output}`)
    })
    await Promise.race([until(() => this.output.includes('Ctrl-C stops'), 60_000, 'the picture'), over])
    return this.output
  }

  /** As a terminal does at Ctrl-C: to everyone in the foreground. */
  press(signal: NodeJS.Signals): void {
    process.kill(-(this.child.pid ?? 0), signal)
  }

  started(): readonly Seen[] {
    return descendants(this.child.pid ?? 0)
  }
}

const pidsIn = (output: string) =>
  Object.fromEntries([...output.matchAll(/● (\S+) +healthy +pid (\d+)/g)].map(([, name, pid]) => [name, Number(pid)]))

describe('npm start', () => {
  const state = mkdtempSync(path.join(tmpdir(), 'medyk-start-'))
  const known: Seen[] = []
  const starts: Start[] = []
  let ports: Record<string, number> = {}
  let env: Record<string, string> = {}
  let bystander: ChildProcess

  beforeAll(async () => {
    ports = await freePorts(Object.keys(defaultPorts))
    env = { MEDYK_STATE: state }
    for (const [name, port] of Object.entries(ports)) env[portVariable(name)] = String(port)
    // Looks as much as possible like one of the services, but was not started by Medyk.
    bystander = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)', 'dist/services/camera.js'], {
      cwd: path.join(root, 'examples/detektor'),
      stdio: 'ignore',
    })
  })

  afterEach(() => expect(seen(bystander.pid ?? 0)).not.toBeNull())

  afterAll(async () => {
    bystander.kill('SIGKILL')
    for (const { child } of starts) child.kill('SIGKILL')
    for (const one of known) if (lives(one)) process.kill(one.pid, 'SIGKILL')
    await sleep(100)
    rmSync(state, { recursive: true, force: true })
  })

  const start = () => {
    const run = new Start(env)
    starts.push(run)
    return run
  }
  /** Also remembers what there is, so that nothing outlives a test that fails. */
  const startedBy = (run: Start) => {
    const processes = run.started()
    known.push(...processes)
    return processes
  }

  it('says which port is taken, by whom and what to do, and starts nothing', async () => {
    const holder = createServer().listen(ports['frame-buffer'], '127.0.0.1')
    await once(holder, 'listening')
    const run = start()
    expect(await run.exited).toBe(1)
    await new Promise((resolve) => holder.close(resolve))
    expect(run.output).toContain(`${ports['frame-buffer']} (frame-buffer) by pid ${process.pid} (`)
    expect(run.output).toContain(`kill ${process.pid}`)
    expect(run.output).toMatch(/DETEKTOR_FRAME_BUFFER_PORT=\d+ npm start/)
    expect(run.output.match(/ by pid /g)).toHaveLength(1)
    expect(readdirSync(state)).toEqual([])
  })

  it('shows a picture: services, frames, dashboard, three commands; Ctrl-C ends what it started', async () => {
    const run = start()
    const picture = await run.picture()
    expect(picture).toMatch(/All 5 services are healthy after \d+\.\d s\./)
    expect(Object.keys(pidsIn(picture)).toSorted()).toEqual(names.toSorted())
    expect(Number(/metadata-storage: (\d+)/.exec(picture)?.[1])).toBeGreaterThan(0)
    expect(picture).toContain(`http://127.0.0.1:${ports['medyk']}/`)
    expect(picture.match(/^ {2}npm run try /gm)).toHaveLength(3)
    expect(picture).toContain(`MEDYK_PORT=${ports['medyk']}`)
    expect(picture).not.toContain('\u001b')

    const processes = startedBy(run)
    expect(processes.map(({ pid }) => pid)).toEqual(expect.arrayContaining(Object.values(pidsIn(picture))))
    expect(processes.length).toBeGreaterThanOrEqual(names.length + 1)
    run.press('SIGINT')
    expect(await run.exited).toBe(0)
    expect(run.output).toContain('Stopped.')
    expect(processes.filter(lives)).toEqual([])
  })

  it('starts again at once; services outlive a killed daemon and belong to the next one', async () => {
    const run = start()
    const before = pidsIn(await run.picture())
    const processes = [...startedBy(run)]
    const services = Object.values(before)
    const daemon = processes.find(({ parent }) => parent === run.child.pid)
    process.kill(daemon?.pid ?? 0, 'SIGKILL')
    expect(await run.exited).toBe(1)
    expect(run.output).toContain('The services run on.')
    expect(processes.filter(({ pid }) => services.includes(pid)).every(lives)).toBe(true)

    const next = start()
    expect(pidsIn(await next.picture())).toEqual(before)
    processes.push(...startedBy(next))
    // npm passes Ctrl-C on that the terminal has told everyone already, and so might a shell.
    next.press('SIGINT')
    await sleep(50)
    next.press('SIGTERM')
    expect(await next.exited).toBe(0)
    expect(next.output.match(/Stopping/g)).toHaveLength(1)
    expect(next.output).toContain('Stopped.')
    expect(processes.filter(lives)).toEqual([])
  })
})
