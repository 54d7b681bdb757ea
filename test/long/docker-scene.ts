import { setTimeout as sleep } from 'node:timers/promises'
import { Scene } from '../support/docker/scene.ts'
import { until } from '../support/example.ts'
import { repeat, type Figures, type Row } from './row.ts'

export const dependants = ['answers-503', 'answers-500', 'blocks'] as const
const web = ['api', ...dependants] as const
export const small = [...web, 'redis', 'postgres'] as const

/**
 * Runs on the small project. Each has a daemon without a past, so that neither a budget that is spent nor an incident that
 * is not yet closed reaches from one run into the next.
 */
export const onSmall =
  (once: (scene: Scene) => Promise<Figures>, before: (scene: Scene) => Promise<void> = async () => {}): Row['run'] =>
  async (count, more, done) => {
    await using scene = await Scene.create({ project: 'small' })
    await putRight(scene)
    await before(scene)
    await repeat(count, more, done, async () => {
      await putRight(scene)
      await scene.serve()
      await scene.allHealthy(120_000, small)
      // Nothing is promised about phases: let each run fall on another one.
      await sleep(2_200 + Math.random() * 1_000)
      try {
        return await once(scene)
      } catch (error) {
        // What the daemon thought of it is worth more than the mere number.
        process.stderr.write(`${scene.log(3_000)}\n`)
        throw error
      } finally {
        await scene.stopDaemon()
      }
    })
  }

/** Everything runs and answers, however the last run ended. */
async function putRight(scene: Scene): Promise<void> {
  for (const service of small) await scene.thaw(service).catch(() => undefined)
  await scene.compose('up', '--detach', '--timeout', '2')
  for (const service of web) {
    await until(() => scene.answers(service, '/health', 8080, 2_000), 60_000, `${service} answers`, 100)
  }
}
