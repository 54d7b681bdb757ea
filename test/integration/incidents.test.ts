import { execFile, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { promisify, stripVTControlCharacters } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { portVariable } from '../../examples/detektor/config.mjs'
import type { IncidentRow, ServiceDetail, ServiceRow } from '../../src/monitor/server/api.ts'
import { bin, medyk } from '../support/cli.ts'
import { Example, freePorts, until } from '../support/example.ts'
import { Hostile, misdeeds, type Misdeed } from '../support/hostile.ts'
import { lives, seen } from '../support/processes.ts'

const tryFile = fileURLToPath(new URL('../../examples/detektor/try.mjs', import.meta.url))
const pipeline = ['camera', 'frame-buffer', 'rtsp-capture', 'metadata-storage', 'frame-tracking']
const hostileNames = Object.keys(misdeeds) as Misdeed[]

const ghost = `
  ghost:
    runtime: process
    process: { command: [medyk-test-no-such-command, --flag] }
    recovery: { attempts: 2, window: 10m, delays: [0s, 200ms], quarantineRetry: 10m }
`
const watched = (name: string, port: number) => `
  ${name}:
    probes: { liveness: "http://127.0.0.1:${port}/health", readiness: "http://127.0.0.1:${port}/ready" }
`

/** Shorter than the defaults wherever a person would only wait. */
const hasty = 'recovery: { attempts: 3, window: 10m, delays: [0s, 200ms, 400ms], jitter: 0, quarantineRetry: 5s }'

describe('an illness in the running pipeline', () => {
  const hostile = new Map<Misdeed, Hostile>()
  let example: Example
  let trace: string

  beforeAll(async () => {
    const ports = await freePorts([...hostileNames, 'never-was'])
    for (const name of hostileNames) hostile.set(name, new Hostile(name, ports[name] ?? 0))
    example = await Example.create(
      (yaml) =>
        yaml.replace('recovery: { quarantineRetry: 1m }', hasty) +
        ghost +
        watched('never-was', ports['never-was'] ?? 0) +
        '    startupGrace: 2s\n' +
        hostileNames.map((name) => watched(name, ports[name] ?? 0)).join(''),
    )
    trace = path.join(example.directory, 'trace.jsonl')
    example.serve('--record', trace)
    await pipelineHealthy()
  })

  afterAll(async () => {
    await example[Symbol.asyncDispose]()
    for (const target of hostile.values()) await target[Symbol.asyncDispose]()
  })

  async function pipelineHealthy(): Promise<void> {
    const isWell = async () => {
      const rows = (await example.services()).filter(({ name }) => pipeline.includes(name))
      return rows.length === pipeline.length && rows.every(({ status }) => status === 'healthy')
    }
    await until(isWell, 60_000, 'the pipeline is healthy')
  }

  const incidentsOf = async (service: string) => (await example.incidents()).filter((row) => row.service === service)
  const isReady = async (service: string) =>
    (await fetch(example.url(service, '/ready'), { signal: AbortSignal.timeout(400) })).ok
  const cli = (...args: string[]) => medyk(args, { MEDYK_PORT: String(example.ports['medyk']) })

  /** One of the commands that `npm start` names. */
  const attempt = (...args: string[]) => {
    const env: Record<string, string> = { PATH: process.env['PATH'] ?? '' }
    for (const [name, port] of Object.entries(example.ports)) env[portVariable(name)] = String(port)
    return spawn(process.execPath, [tryFile, ...args], { env, stdio: ['ignore', 'ignore', 'inherit'] })
  }

  async function detail(service: string): Promise<ServiceDetail> {
    return (await (await fetch(`${example.api}/api/v1/services/${service}`)).json()) as ServiceDetail
  }

  async function logged(message: string, service: string): Promise<number> {
    const lines = (await example.log()).split('\n').filter((line) => line.includes(`"msg":"${message}"`))
    return lines.filter((line) => (JSON.parse(line) as { event?: { service?: unknown } }).event?.service === service)
      .length
  }

  /** The one incident of `service`, once it is over. */
  async function healed(service: string): Promise<IncidentRow> {
    await until(
      async () => (await incidentsOf(service))[0]?.recoveredAt != null,
      30_000,
      `the incident of ${service} is over`,
    )
    const [row, ...more] = await incidentsOf(service)
    expect(more).toEqual([])
    if (!row) throw new Error(`no incident tells of ${service}`)
    return row
  }

  it('cures a killed service within seconds and tells so everywhere', async () => {
    const old = await example.pid('frame-tracking')
    const took = performance.now()
    process.kill(old, 'SIGKILL')
    await until(() => seen(old) === null, 5_000, 'the old process is gone')
    await until(() => isReady('frame-tracking'), 15_000, 'frame-tracking is ready again')
    // The promise is three seconds; this machine may be busy.
    expect(performance.now() - took).toBeLessThan(10_000)
    await pipelineHealthy()
    const incident = await healed('frame-tracking')
    expect(incident).toMatchObject({ cause: 'self', severity: 'unhealthy', symptom: 'exited', evidence: 'certain' })
    expect(incident.actions).toMatchObject([{ kind: 'start', attempt: 1, result: 'done' }])
    expect(incident.reason).toContain('SIGKILL')
    expect(await example.service('frame-tracking')).toMatchObject({
      status: 'healthy',
      cause: null,
      instances: [{ restarts: 1 }],
    })

    const status = JSON.parse((await cli('status', '--json')).stdout) as {
      services: ServiceRow[]
      incidents: IncidentRow[]
    }
    expect(status.services.map(({ name }) => name)).toEqual(expect.arrayContaining(pipeline))
    expect(status.incidents).toContainEqual(expect.objectContaining({ id: incident.id, cause: 'self' }))
    expect((await cli('incidents')).stdout).toMatch(
      new RegExp(`frame-tracking +self +exited .*start \\(1\\) .*${incident.id}$`, 'm'),
    )
    const story = (await cli('incidents', incident.id)).stdout
    expect(story).toMatch(
      /declared unhealthy: .*SIGKILL[^]*start frame-tracking-1: [^]*start done[^]*recovered, verified/,
    )
  })

  it('finds a stopped process by its silence, and replaces it', async () => {
    const old = await example.pid('rtsp-capture')
    const stopped = seen(old)
    const start = performance.now()
    attempt('hang', 'rtsp-capture')
    // Not by its status: that is unhealthy for as long only as the restart takes.
    const isHung = (row: IncidentRow) => row.symptom === 'hung'
    await until(async () => (await incidentsOf('rtsp-capture')).some(isHung), 15_000, 'it is detected')
    expect(performance.now() - start).toBeLessThan(8_000)
    await until(() => isReady('rtsp-capture'), 30_000, 'rtsp-capture is ready again')
    expect(performance.now() - start).toBeLessThan(20_000)
    expect(stopped && lives(stopped)).toBe(false)
    await pipelineHealthy()
    const incident = await healed('rtsp-capture')
    expect(incident).toMatchObject({ cause: 'self', severity: 'unhealthy' })
    expect(incident.actions.map(({ result }) => result)).toEqual(['done'])
  })

  it('quarantines a database that cannot start, and leaves its dependants alone', async () => {
    const [tracking, capture] = [await example.service('frame-tracking'), await example.service('rtsp-capture')]
    const trackingIncidents = (await incidentsOf('frame-tracking')).length
    const captureIncidents = (await incidentsOf('rtsp-capture')).length
    const keeper = attempt('stop-database')
    try {
      await until(
        async () => (await example.service('frame-tracking')).cause === 'dependency',
        15_000,
        'frame-tracking suffers under it',
      )
      await until(
        async () => (await detail('metadata-storage')).budget?.quarantinedSince != null,
        45_000,
        'metadata-storage is quarantined',
      )
      expect(await example.service('frame-tracking')).toMatchObject({
        status: 'degraded',
        cause: 'dependency',
        reason: expect.stringContaining('metadata-storage'),
      })
      expect(await detail('metadata-storage')).toMatchObject({
        status: 'unhealthy',
        cause: 'self',
        budget: { attemptsUsed: 3, attemptsAllowed: 3 },
      })
      const [incident] = await incidentsOf('metadata-storage')
      expect(incident).toMatchObject({ cause: 'self', withheld: expect.stringContaining('3 attempts') })
      expect(incident?.impacted.map(({ service }) => service)).toEqual(['frame-tracking'])
      expect(incident?.actions).toHaveLength(3)
      expect((await cli('status')).stdout).toMatch(/^metadata-storage .* quarantined: /m)
      expect((await cli('incidents', incident?.id ?? '')).stdout).toContain('quarantined: 3 attempts')

      await until(
        async () => ((await incidentsOf('metadata-storage'))[0]?.actions.length ?? 0) >= 4,
        20_000,
        'it is tried again while it is quarantined',
      )
      await sleep(1_000)
      expect(await logged('service.quarantined', 'metadata-storage')).toBe(1)
    } finally {
      keeper.kill('SIGINT')
    }
    await pipelineHealthy()
    await healed('metadata-storage')
    expect((await detail('metadata-storage')).budget?.quarantinedSince).toBeNull()
    expect(await logged('service.quarantined', 'metadata-storage')).toBe(1)
    expect(await logged('service.released', 'metadata-storage')).toBe(1)
    expect((await example.service('frame-tracking')).instances).toEqual(tracking.instances)
    expect(await incidentsOf('frame-tracking')).toHaveLength(trackingIncidents)
    expect((await example.service('rtsp-capture')).instances).toEqual(capture.instances)
    expect(await incidentsOf('rtsp-capture')).toHaveLength(captureIncidents)
  })

  it('quarantines a service whose command does not exist, with the reason', async () => {
    await until(async () => (await detail('ghost')).budget?.quarantinedSince != null, 30_000, 'ghost is quarantined')
    expect(await detail('ghost')).toMatchObject({
      status: 'unhealthy',
      cause: 'self',
      symptom: 'failed-to-start',
      reason: expect.stringContaining('medyk-test-no-such-command'),
    })
    expect(await incidentsOf('ghost')).toHaveLength(1)
    expect(await logged('service.quarantined', 'ghost')).toBe(1)
  })

  it('sees through targets that answer nonsense, endlessly or never, and touches none', async () => {
    for (const name of hostileNames) expect(await example.service(name)).toMatchObject({ status: 'healthy' })
    const touched = async () =>
      (await example.services()).flatMap(({ name, instances }) =>
        pipeline.includes(name) ? instances.map(({ id, pid }) => [id, pid]) : [],
      )
    const before = await touched()
    // One after the other: many at once would rather be the network's fault.
    for (const [name, target] of hostile) {
      target.bad = true
      await until(async () => (await example.service(name)).status === 'unhealthy', 20_000, `${name} is unhealthy`)
      const row = await detail(name)
      expect(row.reason).toMatch(/^[\x20-\x7e…–’“”µ·]{1,1000}$/u)
      expect(row.budget).toBeNull()
      // Those who have nothing to do with it are asked first.
      await until(async () => (await incidentsOf(name)).length > 0, 10_000, `${name} is told of`)
      const [incident] = await incidentsOf(name)
      expect(incident).toMatchObject({ cause: 'self', actions: [] })
      expect(target.open).toBeLessThan(20)
      const { stdout } = await cli('status')
      expect(stdout).not.toContain('\u001b')
      target.bad = false
      await until(async () => (await example.service(name)).status === 'healthy', 20_000, `${name} is well again`)
    }
    expect(await touched()).toEqual(before)
    await until(
      async () =>
        (await example.services()).every(
          ({ name, status }) => name === 'ghost' || name === 'never-was' || status === 'healthy',
        ),
      30_000,
      'they are trusted again',
    )
  })

  it('never takes for healthy what has never answered', async () => {
    const seenAs = new Set<string>()
    await until(
      async () => {
        const row = await example.service('never-was')
        seenAs.add(row.status)
        return row.status !== 'starting'
      },
      30_000,
      'its start-up grace is over',
    )
    expect(await detail('never-was')).toMatchObject({ status: 'unhealthy', symptom: 'never-ready', budget: null })
    expect(seenAs).not.toContain('healthy')
    expect((await incidentsOf('never-was')).flatMap(({ actions }) => actions)).toEqual([])
  })

  // A pseudo-terminal from util-linux, where there is one.
  it.skipIf(!existsSync('/usr/bin/script'))('is shown in colour and cut to the width of a terminal', async () => {
    const shown = async (env: Readonly<Record<string, string>>) => {
      const command = `stty cols 80 && ${process.execPath} ${bin} status`
      const { stdout } = await promisify(execFile)('/usr/bin/script', ['-qec', command, '/dev/null'], {
        env: { PATH: process.env['PATH'], TERM: 'xterm-256color', MEDYK_PORT: String(example.ports['medyk']), ...env },
      })
      return stdout
    }
    const colourful = await shown({})
    expect(colourful).toContain('\u001b[32m● healthy\u001b[39m')
    const plain = await shown({ NO_COLOR: '1' })
    expect(plain).not.toContain('\u001b')
    for (const text of [plain, stripVTControlCharacters(colourful)]) {
      const rows = text.slice(0, text.indexOf('Last incidents')).split('\r\n')
      expect(rows.filter((row) => row.startsWith('ghost'))).toEqual([expect.stringMatching(/quarantined: .*…$/)])
      expect(rows.filter((row) => row.length > 80)).toEqual([])
    }
  })

  it('left a trace that comes out the same in replay', async () => {
    await example.stop()
    const { code, stdout, stderr } = await medyk(['replay', trace])
    expect(`${stdout}${stderr}`).toContain('Identical: every verdict and every decision came out again.')
    expect(code).toBe(0)
  })
})
