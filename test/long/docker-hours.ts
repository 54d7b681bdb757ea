import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { at } from '../../scripts/lib/paths.mjs'
import { startEngine, type Engine } from '../support/docker/engine.ts'
import { Scene } from '../support/docker/scene.ts'
import { cpuPercent, median, usageOf, type Usage } from '../support/docker/usage.ts'
import { until } from '../support/example.ts'
import { repeat, type Figures, type Row } from './row.ts'

const HOUR = 3_600_000
const MINUTE = 60_000

const foreign = ['api', 'orders', 'worker', 'reports', 'search', 'redis', 'database', 'models'] as const

/** Every service is restarted once by its operator; whatever else happens to a container is a wrong restart. */
async function foreignHour(): Promise<Figures> {
  await using scene = await Scene.create({ project: 'foreign' })
  await scene.compose('up', '--detach')
  await scene.serve()
  // The daemon sees it all from the start, also the boot that looks like an illness.
  const begun = Date.now()
  const end = performance.now() + HOUR
  const own: { name: string; from: number; to: number }[] = []
  await until(() => scene.answers('models', '/healthz', 8500), 4 * MINUTE, 'models answers', 1_000)
  await scene.allHealthy(5 * MINUTE, ['api', 'orders', 'search', 'redis', 'database', 'models'])
  for (const service of foreign) {
    const from = Date.now()
    await scene.compose('restart', '--no-deps', service)
    own.push({ name: scene.container(service), from, to: Date.now() + 250 })
    await sleep(5 * MINUTE)
  }
  await sleep(Math.max(0, end - performance.now()))
  const isOwn = (name: string, when: number) =>
    own.some((one) => one.name === name && one.from <= when && when <= one.to)
  const wrong = scene.events
    .deeds(begun)
    .filter(({ labels, name, at: when }) => labels['com.docker.compose.project'] === 'foreign' && !isOwn(name, when))
  if (wrong.length > 0) {
    const told = wrong.map(({ action, name, at: when }) => `${new Date(when).toISOString()} ${action} ${name}`)
    process.stderr.write(`${told.join('\n')}\n${scene.log()}\n`)
  }
  const rows = await scene.services()
  const incidents = await scene.incidents(begun)
  return {
    wrongRestarts: wrong.length,
    unwatched: foreign.filter((name) => !rows.some((row) => row.name === name)).length,
    unhealthyAtTheEnd: rows.filter(({ status }) => status === 'unhealthy').length,
    incidents: incidents.length,
    incidentsOfOthers: incidents.filter(({ cause }) => cause !== 'operator').length,
  }
}

function temporaryFolder(): Disposable & { readonly path: string } {
  const path = mkdtempSync(join(tmpdir(), 'medyk-fleet-'))
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) }
}

const FLEET = 20
const SAMPLE_MS = 10_000

/** Twenty services that are well, while others on the same host come and go without end. */
async function churnHour(): Promise<Figures> {
  // Gone after the project, which Compose ends from there.
  using folder = temporaryFolder()
  const names = Array.from({ length: FLEET }, (_, i) => `web-${String(i + 1).padStart(2, '0')}`)
  const services = Object.fromEntries(names.map((name) => [name, { image: 'small-service', stop_grace_period: '1s' }]))
  writeFileSync(join(folder.path, 'compose.yaml'), JSON.stringify({ services }))
  await using engine = await startEngine()
  await engine.docker('build', '--quiet', '--network', 'host', '--tag', 'small-service', at('test/projects/small'))
  await using scene = await Scene.create({ project: folder.path, name: 'fleet', engine })
  await scene.compose('up', '--detach')
  await scene.serve()
  await scene.allHealthy(3 * MINUTE, names)
  const begun = Date.now()
  const over = new AbortController()
  const churning = churn(engine, over.signal)
  const samples: Usage[] = []
  // The first minutes are those of a start: compiling, learning, filling what is bounded.
  for (const end = performance.now() + HOUR; performance.now() < end; await sleep(SAMPLE_MS)) {
    samples.push(usageOf(scene.daemonPid))
  }
  over.abort()
  const churned = await churning
  const settled = samples.slice(Math.floor(samples.length / 12))
  const [first, last] = [settled[0], settled.at(-1)]
  if (!first || !last) throw new Error('no samples')
  const part = Math.floor(settled.length / 6)
  const rss = (some: readonly Usage[]) => median(some.map(({ rssMiB }) => rssMiB))
  return {
    cpuPercent: cpuPercent(first, last),
    rssMaxMiB: Math.max(...samples.map(({ rssMiB }) => rssMiB)),
    rssGrowthMiB: rss(settled.slice(-part)) - rss(settled.slice(0, part)),
    churned,
    touched: scene.deeds(begun).length,
    incidents: (await scene.incidents(begun)).length,
  }
}

/** A container that lives for a second, one after the other: create, start, die and destroy each time. */
async function churn(engine: Engine, signal: AbortSignal): Promise<number> {
  let count = 0
  for (; !signal.aborted; count += 1) {
    await engine.docker('run', '--rm', '--network', 'none', '--label', 'passing=by', engine.image, 'sleep', '1')
    await sleep(1_000)
  }
  return count
}

export const hourRows = {
  'foreign-hour': {
    title: 'Eight foreign services for an hour, each restarted once by its operator: what was touched besides',
    runs: 1,
    minutes: 70,
    gates: { wrongRestarts: 0, unwatched: 0, unhealthyAtTheEnd: 0 },
    run: (count, more, done) => repeat(count, more, done, foreignHour),
  },
  'churn-hour': {
    title: 'Twenty containers watched for an hour while others come and go: what the daemon costs, by the kernel',
    runs: 1,
    minutes: 70,
    gates: { cpuPercent: 3, rssMaxMiB: 120, rssGrowthMiB: 6, touched: 0, incidents: 0 },
    run: (count, more, done) => repeat(count, more, done, churnHour),
  },
} satisfies Record<string, Row>
