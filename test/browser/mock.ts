/**
 * The dashboard without a daemon: `node --conditions=medyk-source test/browser/mock.ts [scenario] [port]` serves the built
 * page over a fake monitor; `npx vite --config src/monitor/web/vite.config.ts` beside it gives the page from source.
 * Without a scenario a small story plays in a loop: healthy, a crash, recovery.
 */
import { setTimeout as delay } from 'node:timers/promises'
import { createServer } from '../../src/monitor/server/index.ts'
import { createFakeMonitor } from './fake-monitor.ts'
import { action, incident, scenario, scenarioNames, type ScenarioName } from './scenarios.ts'

const [wanted, port = '7700'] = process.argv.slice(2)
const name = scenarioNames.find((known) => known === wanted)
if (wanted !== undefined && wanted !== 'story' && name === undefined) {
  console.error(`unknown scenario ${wanted}; there are: story, ${scenarioNames.join(', ')}`)
  process.exit(2)
}

const monitor = createFakeMonitor(scenario(name ?? 'healthy', Date.now()))
const server = createServer({ state: monitor, version: '0.1.0', port: Number(port) })
const { url } = await server.listen()
console.log(`${url} shows ${name ?? 'a story'}; Ctrl-C ends it`)
if (name === undefined) await story()

async function story(): Promise<never> {
  for (let turn = 1; ; turn++) {
    await show('healthy', 6_000)
    const ill = scenario('root', Date.now() + 8_000)
    const sick = ill.services.filter((row) => row.status !== 'healthy')
    for (const row of sick) monitor.setService({ ...row, since: at() })
    const first = incident({
      id: `story-${turn}`,
      service: 'metadata-storage',
      reason: 'the process exited with signal SIGKILL',
      openedAt: at(-40),
      detectedAt: at(),
      impacted: [{ service: 'frame-tracking', since: at(), reason: 'metadata-storage is unhealthy' }],
      actions: [action(`story-${turn}`, 'metadata-storage', 1, { kind: 'start', decidedAt: at() })],
    })
    monitor.setIncident(first)
    await delay(4_000)
    const actions = first.actions.map((one) => ({ ...one, finishedAt: at(), result: 'done' as const, detail: null }))
    monitor.setIncident({ ...first, actions })
    for (const row of scenario('healthy', Date.now()).services) {
      if (sick.some((other) => other.name === row.name)) monitor.setService({ ...row, since: at() })
    }
    monitor.setIncident({ ...first, actions, recoveredAt: at() })
    await delay(8_000)
  }
}

async function show(which: ScenarioName, ms: number): Promise<void> {
  monitor.load(scenario(which, Date.now()))
  await delay(ms)
}

function at(offset = 0): string {
  return new Date(Date.now() + offset).toISOString()
}
