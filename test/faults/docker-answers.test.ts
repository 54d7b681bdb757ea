import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { dockerMissing, engineDeadlineMs } from '../support/docker/engine.ts'
import { Scene } from '../support/docker/scene.ts'
import { deedsOf, incidentWhere, onlyIncident, seenAs } from '../support/docker/witness.ts'

const services = ['stopped', 'paused', 'blocked', 'errors', 'half', 'slow', 'down', 'mute'] as const
type Service = (typeof services)[number]

/** For what takes a few seconds where nothing else runs. */
const DETECTED_MS = 20_000
/** A restart that was decided late would come in this time. */
const LATE_MS = 5_000

describe.skipIf(dockerMissing())('a container that runs and does not answer as it should', { timeout: 180_000 }, () => {
  let scene: Scene
  let begun = 0

  beforeAll(async () => {
    scene = await Scene.create({ project: 'faults', name: 'answers', files: ['answers.yaml'] })
    await scene.compose('up', '--detach')
    await scene.serve()
    await scene.allHealthy(120_000, services)
    begun = Date.now()
  }, engineDeadlineMs)
  afterAll(() => scene?.[Symbol.asyncDispose](), 120_000)

  const isAnotherRun = async (service: Service, before: string) =>
    (await scene.inspect(service)).State.StartedAt !== before

  /** Does the fault and sees the service cured of it once, and told of as that. */
  async function cured(service: Service, symptom: string, fault: () => Promise<unknown>) {
    const since = Date.now()
    const start = performance.now()
    const { StartedAt } = (await scene.inspect(service)).State
    await fault()
    await expect(scene.answers(service), 'the fault shows')
      .resolves.toBe(false)
      .catch(() => {})
    await incidentWhere(scene, service, since, (row) => row.actions.length > 0)
    await scene.answersAgain(service, start, 60_000)
    await seenAs(scene, service, { status: 'healthy' })
    expect(await isAnotherRun(service, StartedAt)).toBe(true)
    const told = await onlyIncident(scene, service, since)
    expect(told).toMatchObject({ cause: 'self', symptom, severity: 'unhealthy' })
    expect(deedsOf(told)).toEqual(['restart done'])
    expect(Date.parse(told.detectedAt) - since).toBeLessThan(DETECTED_MS)
    expect(scene.deedsTo(service, since).filter((deed) => deed === 'start')).toHaveLength(1)
  }

  /** Does the fault and sees the service told of as degraded and left alone. */
  async function leftAlone(service: Service, symptom: string) {
    const since = Date.now()
    const { StartedAt } = (await scene.inspect(service)).State
    await scene.tell(service, service)
    await seenAs(scene, service, { status: 'degraded', cause: 'self' })
    await sleep(LATE_MS)
    const told = await onlyIncident(scene, service, since)
    expect(told).toMatchObject({ cause: 'self', symptom, severity: 'degraded', actions: [] })
    expect((await scene.inspect(service)).State.StartedAt).toBe(StartedAt)
    expect(scene.deedsTo(service, since)).toEqual([])
    return since
  }

  it('row 6: whose process is stopped by SIGSTOP is killed and started', () =>
    cured('stopped', 'hung', () => scene.hang('stopped')))

  it('row 7: that is paused is unpaused, once, and goes on with the same run', async () => {
    const since = Date.now()
    const { StartedAt } = (await scene.inspect('paused')).State
    await scene.engine.docker('pause', scene.container('paused'))
    await incidentWhere(scene, 'paused', since, (row) => row.recoveredAt !== null)
    expect((await scene.inspect('paused')).State).toMatchObject({ StartedAt, Running: true, Paused: false })
    expect(await scene.answers('paused', '/health', 8080, 5_000)).toBe(true)
    await sleep(LATE_MS)
    const told = await onlyIncident(scene, 'paused', since)
    expect(told).toMatchObject({ cause: 'self', symptom: 'paused' })
    expect(deedsOf(told)).toEqual(['resume done'])
    expect(scene.deedsTo('paused', since)).toEqual(['pause', 'unpause'])
  })

  it('row 8: whose own loop stands still is restarted', () =>
    cured('blocked', 'hung', () => scene.tell('blocked', 'stuck')))

  it('row 9: that answers 500 always is restarted', () =>
    cured('errors', 'failing', () => scene.tell('errors', 'error')))

  it('row 12: that answers 200, and says in the body that it is down, is restarted', () =>
    cured('down', 'failing', () => scene.tell('down', 'down')))

  it('row 13: that accepts and never answers is restarted', () =>
    cured('mute', 'hung', () => scene.tell('mute', 'hang')))

  it.concurrent('row 10: that answers every second request with 500 is degraded, and not restarted', async () => {
    const since = await leftAlone('half', 'erroring')
    // Its own log is the witness that it was asked and gave answers of both kinds all the while.
    const said = await scene.engine.docker('logs', '--since', new Date(since).toISOString(), scene.container('half'))
    expect(said).toMatch(/"GET \/health HTTP\/1.1" 500/)
    expect(said).toMatch(/"GET \/health HTTP\/1.1" 200/)
  })

  it.concurrent('row 11: that answers 800 ms later than usual is degraded, and not restarted', () =>
    leftAlone('slow', 'slow'))

  it('has been treated alone each time: nobody else was touched', () => {
    const touched = new Set(scene.events.deeds(begun).map(({ name }) => name))
    expect([...touched].sort()).toEqual(
      ['stopped', 'paused', 'blocked', 'errors', 'down', 'mute'].map((name) => scene.container(name)).sort(),
    )
  })
})
