import { setTimeout as sleep } from 'node:timers/promises'
import { Autoheal, autohealAggressive, autohealDefaults } from '../support/docker/autoheal.ts'
import { startEngine, type Engine } from '../support/docker/engine.ts'
import { Scene } from '../support/docker/scene.ts'
import { until } from '../support/example.ts'
import { repeat, type Figures, type Row } from './row.ts'

const services = ['api', 'innocent', 'redis'] as const
/** Docker's defaults take 90 s to three minutes to call a hung service unhealthy; after this nobody is expected to. */
const GIVEN_UP_MS = 240_000

interface Outcome {
  readonly hungMs: number
  readonly killedMs: number
  readonly innocent: number
}

/** The same two faults at the same moment for everybody: a service that hangs, and a Redis that is killed. */
async function endure(
  scene: Scene,
  allDone: Promise<unknown>,
): Promise<{ outcome: Promise<Outcome>; hung: Promise<number> }> {
  const since = Date.now()
  const start = performance.now()
  await Promise.all([scene.hang('api'), scene.engine.docker('kill', scene.container('redis'))])
  const hung = scene.answersAgain('api', start, GIVEN_UP_MS).catch(() => GIVEN_UP_MS)
  const outcome = (async () => {
    await allDone
    const name = scene.container('redis')
    const started = scene.events.first(name, 'start', since)
    return {
      hungMs: await hung,
      // Who never starts it gets the time that was waited.
      killedMs: started ? started.at - since : performance.now() - start,
      innocent: scene.events.of(scene.container('innocent'), since).filter(({ action }) => action === 'die').length,
    }
  })()
  return { outcome, hung }
}

async function ready(scene: Scene): Promise<void> {
  await scene.compose('up', '--detach')
  for (const service of services) {
    const status = async () => (await scene.inspect(service)).State.Health?.Status
    await until(async () => (await status()) === 'healthy', 90_000, `Docker calls ${service} healthy`, 500)
  }
}

async function compare(engine: Engine): Promise<Figures> {
  const scene = (name: string, ...more: string[]) =>
    Scene.create({ project: 'healers', name, files: ['compose.yaml', ...more], engine })
  await using medyk = await scene('healed-by-medyk')
  await using usual = await scene('healed-by-autoheal')
  await using aggressive = await scene('healed-aggressively', 'aggressive.yaml')
  const scenes = [medyk, usual, aggressive] as const
  await Promise.all(scenes.map(ready))
  await using defaults = new Autoheal(engine, { project: usual.project, ...autohealDefaults })
  await using quickest = new Autoheal(engine, { project: aggressive.project, ...autohealAggressive })
  await medyk.serve()
  await medyk.allHealthy(60_000, services)
  await sleep(2_000 + Math.random() * 5_000)

  const all = Promise.withResolvers<void>()
  const [m, u, a] = await Promise.all(scenes.map((one) => endure(one, all.promise)))
  if (!m || !u || !a) throw new Error('a scene is missing')
  await Promise.all([m.hung, u.hung, a.hung])
  all.resolve()
  const [byMedyk, byDefault, byAggressive] = await Promise.all([m.outcome, u.outcome, a.outcome])
  return {
    medykHungMs: byMedyk.hungMs,
    autohealHungMs: byDefault.hungMs,
    aggressiveHungMs: byAggressive.hungMs,
    medykKilledMs: byMedyk.killedMs,
    autohealKilledMs: byDefault.killedMs,
    aggressiveKilledMs: byAggressive.killedMs,
    medykInnocent: byMedyk.innocent,
    autohealInnocent: byDefault.innocent,
    aggressiveInnocent: byAggressive.innocent,
    autohealRestarts: defaults.restarted.length,
    aggressiveRestarts: quickest.restarted.length,
  }
}

export const healerRows = {
  autoheal: {
    title:
      "One service hung and one killed under Medyk, under autoheal's loop with its documented defaults, and under the same loop and health checks at their most aggressive (1 s, one strike, stop timeout 0)",
    runs: 20,
    gates: { medykHungMs: 9_000, medykKilledMs: 2_000, medykInnocent: 0 },
    run: async (count, more, done) => {
      await using engine = await startEngine()
      await repeat(count, more, done, () => compare(engine))
    },
  },
} satisfies Record<string, Row>
