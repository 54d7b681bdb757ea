import { setTimeout as sleep } from 'node:timers/promises'
import type { Scene } from '../support/docker/scene.ts'
import { dependants, onSmall } from './docker-scene.ts'
import type { Figures, Row } from './row.ts'

type Dependency = 'redis' | 'postgres'

/** Long enough for every dependant to be seen ill, and for whatever would be done about it. */
const HUNG_MS = 25_000

const faults = {
  killed: async (scene: Scene, dependency: Dependency) => {
    await scene.engine.docker('kill', scene.container(dependency))
  },
  // It keeps data, so nobody but its operator ends a hang of it.
  hung: async (scene: Scene, dependency: Dependency) => {
    await scene.hang(dependency)
    await sleep(HUNG_MS)
    await scene.thaw(dependency)
  },
}

async function suffer(scene: Scene, dependency: Dependency, fault: keyof typeof faults): Promise<Figures> {
  const since = Date.now()
  await faults[fault](scene, dependency)
  await scene.allHealthy(120_000)
  // A restart that was decided late would come now.
  await sleep(5_000)
  const incidents = await scene.incidents(since)
  const told = incidents.map(({ service, cause }) => `${service}: ${cause}`).join(', ')
  if (incidents.length === 0) throw new Error('no incident tells of it')
  const touched = scene
    .deeds(since)
    .filter((deed) => dependants.some((name) => deed.endsWith(` ${scene.container(name)}`)))
  if (touched.length > 0) throw new Error(`dependants were touched: ${touched.join(', ')} (incidents ${told})`)
  const wrongRoots = incidents.filter(({ service, cause }) => service !== dependency || cause !== 'self')
  if (wrongRoots.length > 0) throw new Error(`told of as ${told}`)
  return {
    incidents: incidents.length,
    dependantRestarts: touched.length,
    impacted: incidents[0]?.impacted.length ?? 0,
    detectedMs: Date.parse(incidents[0]?.detectedAt ?? '') - since,
  }
}

const row = (dependency: Dependency, fault: keyof typeof faults): Row => ({
  title: `${dependency} ${fault} under dependants that answer 503, answer 500, or block: one incident, and nobody else is touched`,
  runs: 20,
  gates: { incidents: 1, dependantRestarts: 0 },
  run: onSmall((scene) => suffer(scene, dependency, fault)),
})

export const dependencyRows = {
  'postgres-killed': row('postgres', 'killed'),
  'postgres-hung': row('postgres', 'hung'),
  'redis-killed': row('redis', 'killed'),
  'redis-hung': row('redis', 'hung'),
} satisfies Record<string, Row>
