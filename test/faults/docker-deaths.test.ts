import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { MaintenanceRow } from '../../src/monitor/server/api.ts'
import { dockerMissing, engineDeadlineMs } from '../support/docker/engine.ts'
import { Scene } from '../support/docker/scene.ts'
import { deedsOf, incidentWhere, onlyIncident, seenAs } from '../support/docker/witness.ts'
import { until } from '../support/example.ts'

const well = ['killed', 'halted', 'faithful', 'crashed', 'hungry', 'tended'] as const

/** A start that was decided late would come in this time. */
const LATE_MS = 5_000
/** Between the single tries at what is left to people. */
const RETRY_MS = 15_000

describe.skipIf(dockerMissing())('a container that dies', { timeout: 180_000 }, () => {
  let scene: Scene
  let begun = 0
  const directory = mkdtempSync(join(tmpdir(), 'medyk-deaths-'))

  beforeAll(async () => {
    scene = await Scene.create({ project: 'faults', name: 'deaths', files: ['deaths.yaml'] })
    scene.daemon.environment['MEDYK_OPERATOR_TOKEN'] = 'operator-of-the-tests'
    const config = join(directory, 'medyk.yaml')
    // The usual delays but for the times: five attempts need half a minute with those.
    const delays = '[0s, 200ms, 400ms, 800ms, 1600ms]'
    const recovery = `delays: ${delays}, jitter: 0, quarantineRetry: ${RETRY_MS / 1_000}s`
    writeFileSync(config, `version: 1\ndefaults: { recovery: { ${recovery} } }\n`, { mode: 0o600 })
    await scene.compose('up', '--detach')
    await scene.serve(`--config=${config}`)
    await scene.allHealthy(120_000)
    begun = Date.now()
  }, engineDeadlineMs)
  afterAll(async () => {
    await scene?.[Symbol.asyncDispose]()
    rmSync(directory, { recursive: true, force: true })
  }, 120_000)

  const started = (service: string, since: number) => scene.events.first(scene.container(service), 'start', since)?.at
  const died = (service: string, since: number) => scene.events.first(scene.container(service), 'die', since)?.at

  /** Milliseconds from its death until Docker says that it runs again. */
  async function startedAfterDeath(service: string, since: number, withinMs: number): Promise<number> {
    await until(() => started(service, since) !== undefined, withinMs, `${service} runs again`)
    await seenAs(scene, service, { status: 'healthy' })
    return (started(service, since) ?? 0) - (died(service, since) ?? 0)
  }

  /** Ends its process from the host, as no command of Docker does. */
  async function killProcess(service: string): Promise<number> {
    const { Pid } = (await scene.inspect(service)).State
    const since = Date.now()
    process.kill(Pid, 'SIGKILL')
    return since
  }

  describe.concurrent('of several causes at once', () => {
    it('row 1: by docker kill is started at once', async () => {
      const since = Date.now()
      await scene.engine.docker('kill', scene.container('killed'))
      expect(await startedAfterDeath('killed', since, 30_000)).toBeLessThan(10_000)
      const told = await onlyIncident(scene, 'killed', since)
      expect([told.cause, told.symptom, deedsOf(told)]).toEqual(['self', 'exited', ['start done']])
      expect(scene.deedsTo('killed', since)).toEqual(['kill', 'start'])
    })

    it('row 2: by docker stop is given time to show that it was meant, and then started', async () => {
      const since = Date.now()
      await scene.engine.docker('stop', scene.container('halted'))
      const ended = Date.now()
      await incidentWhere(scene, 'halted', since, (row) => row.cause === 'operator')
      expect(await startedAfterDeath('halted', since, 60_000)).toBeGreaterThan(14_000)
      expect((started('halted', since) ?? 0) - ended).toBeLessThan(40_000)
      const told = await onlyIncident(scene, 'halted', since)
      expect([told.cause, deedsOf(told)]).toEqual(['self', ['start done']])
      expect(scene.deedsTo('halted', since)).toEqual(['kill', 'stop', 'start'])
    })

    it('row 3: and that Docker itself brings back is left to Docker', async () => {
      const since = await killProcess('faithful')
      await startedAfterDeath('faithful', since, 30_000)
      await sleep(LATE_MS)
      expect(
        (await scene.incidents(since)).flatMap(({ service, actions }) => (service === 'faithful' ? actions : [])),
      ).toEqual([])
      expect(scene.deedsTo('faithful', since)).toEqual(['start'])
      expect((await scene.inspect('faithful')).RestartCount).toBe(1)
    })

    it('row 4: and that nobody brings back is started', async () => {
      const since = await killProcess('crashed')
      expect(await startedAfterDeath('crashed', since, 30_000)).toBeLessThan(10_000)
      const told = await onlyIncident(scene, 'crashed', since)
      expect([told.cause, told.symptom, deedsOf(told)]).toEqual(['self', 'exited', ['start done']])
      expect(scene.deedsTo('crashed', since)).toEqual(['start'])
    })

    it('row 5: for want of memory is told of as that, and after the third time left to people', async () => {
      const since = Date.now()
      const ends = () => scene.events.of(scene.container('hungry'), since).filter(({ action }) => action === 'die')
      for (const time of [1, 2, 3]) {
        await until(() => scene.answers('hungry'), 60_000, 'it answers')
        await scene.tell('hungry', 'eat')
        await scene.answers('hungry').catch(() => {})
        await until(() => ends().length === time, 60_000, `it dies, ${time}`)
        const runs = async () => (await scene.inspect('hungry')).State.Running
        if (time < 3) await until(runs, 60_000, `it runs again, ${time}`)
      }
      expect((await scene.inspect('hungry')).State).toMatchObject({ Running: false, OOMKilled: true, ExitCode: 137 })
      const told = await incidentWhere(scene, 'hungry', since, (row) => row.quarantinedSince !== null)
      expect(told).toMatchObject({ cause: 'self', symptom: 'oom' })
      expect(deedsOf(told)).toEqual(['start done', 'start done'])
      await sleep(LATE_MS)
      expect(scene.deedsTo('hungry', since)).toEqual(['start', 'start'])
      await onlyIncident(scene, 'hungry', since)
    })
  })

  it('row 43: by docker kill in maintenance is left dead until its end, and started then', async () => {
    await until(
      async () => (await scene.incidents()).every(({ service }) => service !== 'tended'),
      1_000,
      'no story yet',
    )
    const since = Date.now()
    const body = { reason: 'a drill', for: '6s' }
    const { until: end } = await scene.daemon.post<MaintenanceRow>('/api/v1/services/tended/maintenance', body)
    await scene.engine.docker('kill', scene.container('tended'))
    await startedAfterDeath('tended', since, 60_000)
    expect(started('tended', since)).toBeGreaterThanOrEqual(Date.parse(end))
    expect(scene.deedsTo('tended', since)).toEqual(['kill', 'start'])
    const told = await onlyIncident(scene, 'tended', since)
    expect(deedsOf(told)).toEqual(['start done'])
    expect(Date.parse(told.detectedAt)).toBeGreaterThanOrEqual(Date.parse(end))
  })

  it('row 21: at every boot gets five attempts, and is then left to people, as one story', async () => {
    const since = Date.now()
    // As a bad release: Compose puts another container in the place of one that was well.
    scene.engine.environment['LIVES_SECONDS'] = '0'
    await scene.compose('up', '--detach', 'stillborn')
    const starts = () => scene.deedsTo('stillborn', since).filter((deed) => deed === 'start').length
    const told = await incidentWhere(scene, 'stillborn', since, (row) => row.quarantinedSince !== null)
    expect(told).toMatchObject({ cause: 'self', symptom: 'exited' })
    expect(deedsOf(told)).toEqual(Array<string>(5).fill('start done'))
    await sleep(LATE_MS)
    // Compose's own is the first.
    expect(starts()).toBe(1 + 5)
    await onlyIncident(scene, 'stillborn', since)
  })

  it('row 42: under an open incident and is replaced belongs to a new story, and what was planned is dropped', async () => {
    const since = Date.now()
    const old = (await scene.inspect('stillborn')).Id
    const stories = async () => (await scene.incidents()).filter(({ service }) => service === 'stillborn')
    const quarantinedAt = Date.parse((await stories())[0]?.quarantinedSince ?? '')
    scene.engine.environment['LIVES_SECONDS'] = ''
    await scene.compose('up', '--detach', 'stillborn')
    const { instances, budget } = await seenAs(scene, 'stillborn', { status: 'healthy' })
    expect(budget?.quarantinedSince).toBeNull()
    const { Id } = await scene.inspect('stillborn')
    expect(Id).not.toBe(old)
    expect(instances.map(({ id }) => Id.startsWith(id))).toEqual([true])
    // The old one had a try coming.
    await until(() => Date.now() > quarantinedAt + RETRY_MS + 2_000, 60_000, 'its time has passed', 100)
    const deeds = scene.events.deeds(since).filter(({ action }) => action !== 'rename' && action !== 'destroy')
    expect(deeds.map(({ id, action }) => [id === Id, action])).toEqual([[true, 'start']])
    expect(await scene.incidents(since)).toEqual([])
    expect((await stories()).map((row) => [row.closedAt !== null, row.actions.length])).toEqual([[true, 5]])
  })

  it('has nobody else touched for its sake', () => {
    const touched = new Set(scene.events.deeds(begun).map(({ labels }) => labels['com.docker.compose.service']))
    expect([...touched].sort()).toEqual([...well, 'stillborn'].sort())
  })
})
