import type { Scene } from '../support/docker/scene.ts'
import { until } from '../support/example.ts'
import { onSmall } from './docker-scene.ts'
import type { Figures, Row } from './row.ts'

const victim = 'api'

/** What every fault of one service has in common afterwards: it is told of once, as its own, and nobody else was touched. */
async function aftermath(scene: Scene, since: number): Promise<Figures> {
  await scene.allHealthy(60_000)
  const incidents = await scene.incidents(since)
  const causes = incidents.map(({ service, cause }) => `${service}: ${cause}`)
  if (incidents.length !== 1 || causes[0] !== `${victim}: self`) {
    throw new Error(`told of as [${causes.join(', ')}] instead of [${victim}: self]`)
  }
  const innocent = scene.deeds(since).filter((deed) => !deed.endsWith(` ${scene.container(victim)}`))
  if (innocent.length > 0) throw new Error(`innocent services were touched: ${innocent.join(', ')}`)
  return { innocent: innocent.length }
}

async function startedAgain(scene: Scene, since: number, withinMs: number): Promise<number> {
  const started = () => scene.events.first(scene.container(victim), 'start', since)
  await until(() => started() !== undefined, withinMs, `${victim} runs again`, 10)
  return (started()?.at ?? 0) - since
}

async function end(scene: Scene, how: 'kill' | 'stop', withinMs: number): Promise<Figures> {
  const since = Date.now()
  const start = performance.now()
  await scene.engine.docker(how, scene.container(victim))
  const runningMs = await startedAgain(scene, since, withinMs)
  const answeringMs = await scene.answersAgain(victim, start, 60_000)
  return { runningMs, answeringMs, ...(await aftermath(scene, since)) }
}

/** From Docker's `start` until it answers: what no healer can shorten. */
async function bootMs(scene: Scene): Promise<number> {
  const since = Date.now()
  await scene.engine.docker('restart', '--time', '1', scene.container(victim))
  await until(() => scene.answers(victim), 60_000, `${victim} answers after a restart`, 20)
  const started = scene.events.first(scene.container(victim), 'start', since)
  return Date.now() - (started?.at ?? since)
}

const boots = new WeakMap<Scene, number>()

async function hang(scene: Scene): Promise<Figures> {
  const boot = boots.get(scene) ?? 0
  const since = Date.now()
  const start = performance.now()
  await scene.hang(victim)
  const row = async () => (await scene.services()).find(({ name }) => name === victim)
  const declared = until(async () => (await row())?.status === 'unhealthy', 60_000, `${victim} is declared ill`, 20)
  const [declaredMs, answeringMs] = await Promise.all([declared, scene.answersAgain(victim, start, 90_000)])
  const figures = { declaredMs, answeringMs, bootMs: boot, overBootMs: answeringMs - boot }
  return { ...figures, ...(await aftermath(scene, since)) }
}

export const faultRows = {
  'docker-kill': {
    title: 'docker kill: until Docker says that it runs again',
    runs: 20,
    gates: { runningMs: 2_000, innocent: 0 },
    run: onSmall((scene) => end(scene, 'kill', 30_000)),
  },
  'docker-stop': {
    title: 'docker stop: from the command until Docker says that it runs again',
    runs: 20,
    gates: { runningMs: 40_000, innocent: 0 },
    run: onSmall((scene) => end(scene, 'stop', 90_000)),
  },
  'docker-hang': {
    title: 'SIGSTOP in a container: until it is declared ill, and until it answers, its own boot not counted',
    runs: 20,
    gates: { declaredMs: 4_600, overBootMs: 8_000, innocent: 0 },
    run: onSmall(hang, async (scene) => void boots.set(scene, await bootMs(scene))),
  },
} satisfies Record<string, Row>
