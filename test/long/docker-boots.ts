import { setTimeout as sleep } from 'node:timers/promises'
import { Scene } from '../support/docker/scene.ts'
import { until } from '../support/example.ts'
import { repeat, type Figures, type Row } from './row.ts'

type Service = 'late' | 'mortal' | 'stillborn' | 'api'

const MINUTE = 60_000
/** A start that was decided late would come in this time. */
const LATE_MS = 5_000

/** Each run has a fresh container, and a daemon without a past that is there before it. */
const onBoots =
  (once: (scene: Scene) => Promise<Figures>): Row['run'] =>
  async (count, more, done) => {
    await using scene = await Scene.create({ project: 'faults', name: 'boots', files: ['boots.yaml'] })
    await repeat(count, more, done, async () => {
      await scene.compose('down', '--timeout', '1')
      await scene.serve()
      await until(async () => (await scene.services()).length === 0, MINUTE, 'the daemon answers', 100)
      try {
        return await once(scene)
      } catch (error) {
        process.stderr.write(`${scene.log(3_000)}\n`)
        throw error
      } finally {
        await scene.stopDaemon()
      }
    })
  }

const startsOf = (scene: Scene, service: Service, since: number) =>
  scene.deedsTo(service, since).filter((deed) => deed === 'start').length

/** What is done until it is left to people. Compose's own start is the first. */
async function untilLeft(scene: Scene, service: Service, withinMs: number): Promise<Figures> {
  const since = Date.now()
  await scene.compose('up', '--detach', service)
  const isLeft = async () => (await scene.service(service)).budget?.quarantinedSince != null
  await until(isLeft, withinMs, `${service} is left to people`, 200)
  const leftMs = Date.now() - since
  await sleep(LATE_MS)
  const told = await scene.incidents(since)
  return { attempts: startsOf(scene, service, since) - 1, incidents: told.length, leftMs }
}

/** It boots twice: by its operator's hand and, killed, by Medyk's. */
async function bootLate(scene: Scene): Promise<Figures> {
  const since = Date.now()
  await scene.compose('up', '--detach', 'late')
  await scene.allHealthy(3 * MINUTE, ['late'])
  const calledDown = (await scene.incidents(since)).length
  const [killedAt, start] = [Date.now(), performance.now()]
  await scene.engine.docker('kill', scene.container('late'))
  const answeringMs = await scene.answersAgain('late', start, 3 * MINUTE)
  await scene.allHealthy(MINUTE, ['late'])
  await sleep(LATE_MS)
  const told = await scene.incidents(killedAt)
  const actions = told.reduce((sum, row) => sum + row.actions.length, 0)
  return { calledDown, incidents: told.length, actions, starts: startsOf(scene, 'late', killedAt), answeringMs }
}

/** At any moment between the death of a service and the end of its cure. */
async function killDaemon(scene: Scene): Promise<Figures> {
  await scene.compose('up', '--detach', 'api')
  await scene.allHealthy(MINUTE, ['api'])
  await sleep(Math.random() * 1_000)
  const [since, start] = [Date.now(), performance.now()]
  // From before the command has reached Docker until the new run is verified.
  const momentMs = Math.random() * 1_000
  const killed = sleep(momentMs).then(() => scene.daemon.kill())
  await Promise.all([scene.engine.docker('kill', scene.container('api')), killed])
  await scene.daemon.serveAgain(`--project=${scene.project}`)
  const answeringMs = await scene.answersAgain('api', start, MINUTE)
  await scene.allHealthy(MINUTE, ['api'])
  await sleep(LATE_MS)
  const [open] = scene.daemon.journal('SELECT count(*) AS n FROM actions WHERE result IS NULL')
  const incidents = (await scene.incidents(since)).length
  return { momentMs, answeringMs, starts: startsOf(scene, 'api', since), incidents, pending: Number(open?.['n']) }
}

export const bootRows = {
  'crash-at-boot': {
    title: 'Row 21, a container that crashes at every boot: how often it is started, and until it is left to people',
    runs: 20,
    gates: { attempts: 5, incidents: 1 },
    run: onBoots((scene) => untilLeft(scene, 'stillborn', 3 * MINUTE)),
  },
  'crash-each-minute': {
    title:
      'Row 22, a container that crashes a minute after every start: how often it is started before it is left to people',
    runs: 20,
    minutes: 8,
    // It is well in between: two stories, then it is called flapping, which is one.
    gates: { attempts: 5, incidents: 3 },
    run: onBoots((scene) => untilLeft(scene, 'mortal', 9 * MINUTE)),
  },
  'boot-half-a-minute': {
    title: 'Row 23, a container that boots for 30 s, alone and after a kill: how often it is called ill for that',
    runs: 20,
    minutes: 2,
    gates: { calledDown: 0, incidents: 1, actions: 1, starts: 1 },
    run: onBoots(bootLate),
  },
  'daemon-killed': {
    title: 'Row 31, the daemon killed by SIGKILL within a second of `docker kill`: starts and stories that come of it',
    runs: 20,
    gates: { starts: 1, incidents: 1, pending: 0 },
    run: onBoots(killDaemon),
  },
} satisfies Record<string, Row>
