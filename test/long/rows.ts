import { setTimeout as sleep } from 'node:timers/promises'
import { core } from '../../src/monitor/app/core.ts'
import { runSimulation } from '../../src/monitor/simulation/index.ts'
import { Example, until } from '../support/example.ts'
import { bootRows } from './docker-boots.ts'
import { dependencyRows } from './docker-dependencies.ts'
import { faultRows } from './docker-faults.ts'
import { healerRows } from './docker-healers.ts'
import { hourRows } from './docker-hours.ts'
import { operatorRows } from './docker-operators.ts'
import { repeat, type Row, type Run } from './row.ts'

/** A fault done to one service of the example, watched by this script's own clock. */
interface FaultResult {
  readonly detectedMs: number
  readonly readyMs: number
}

async function answersReady(example: Example, service: string): Promise<boolean> {
  const response = await fetch(example.url(service, '/ready'), {
    signal: AbortSignal.timeout(400),
    headers: { connection: 'close' },
  })
  await response.body?.cancel()
  return response.status === 200
}

async function inject(example: Example, service: string, signal: 'SIGKILL' | 'SIGSTOP'): Promise<FaultResult> {
  await example.allHealthy(30_000)
  // Nothing is promised about phases: let each run fall on another one.
  await sleep(2_200 + Math.random() * 1_000)
  const known = new Map((await example.incidents()).map((row) => [row.id, row.detectedAt]))
  const pid = await example.pid(service)
  const start = performance.now()
  process.kill(pid, signal)
  const since = () => performance.now() - start
  const detected = until(
    async () => (await example.service(service)).status !== 'healthy',
    30_000,
    `${service} declared ill`,
    20,
  ).then(since)
  const ready = until(
    async () => {
      // The old process may still be the one that answers.
      if (signal === 'SIGKILL' && isAlive(pid)) return false
      return await answersReady(example, service)
    },
    60_000,
    `${service} ready again`,
    20,
  ).then(since)
  const [detectedMs, readyMs] = await Promise.all([detected, ready])
  await example.allHealthy(30_000)
  const fresh = (await example.incidents()).filter((row) => row.service === service && !known.has(row.id))
  // Within thirty seconds of the last one it is the same incident that goes on.
  const told =
    fresh.length > 0 ? fresh : (await example.incidents()).filter((row) => row.service === service).slice(0, 1)
  if (told.some((row) => row.cause !== 'self'))
    throw new Error(`cause ${told.map((row) => row.cause).join()} instead of self`)
  if (told.length === 0) throw new Error('no incident tells of it')
  return { detectedMs, readyMs }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

const onExample =
  (once: (example: Example) => Promise<Readonly<Record<string, number>>>): Row['run'] =>
  async (count, more, done) => {
    await using example = await Example.create()
    example.serve()
    await example.allHealthy()
    await repeat(count, more, done, () => once(example))
  }

/** Service-hours a run; twenty of them bound the rate at 1 in 1,000 hours at 95 % when none is false. */
const SIMULATED_HOURS = 150

async function simulateLoss(count: number, more: () => boolean, done: (run: Run) => Promise<void>): Promise<void> {
  for (let n = 0; n < count && more(); n++) {
    const at = new Date().toISOString()
    // Another seed each time, so that runs that are done again later are not the same ones.
    const seed = Math.floor(Math.random() * 2 ** 31)
    const report = await runSimulation({ core, scenario: 'fleet', hours: SIMULATED_HOURS, loss: 0.05, seed })
    const { count: falsePositives, healthyRestarts } = report.falsePositives
    const figures = {
      falsePositives,
      healthyRestarts,
      serviceHours: report.figures.serviceHours,
      probes: report.figures.attempts,
    }
    await done({ at, ok: report.failed === 0, figures, note: `seed ${seed}` })
  }
}

export const rows = {
  'kill-process': {
    title: 'kill -9 on frame-tracking, its process: until it answers /ready again',
    runs: 20,
    gates: { readyMs: 3_000 },
    run: onExample(async (example) => ({ ...(await inject(example, 'frame-tracking', 'SIGKILL')) })),
  },
  'hang-process': {
    title: 'SIGSTOP on rtsp-capture: until it is declared ill, and until it answers /ready again',
    runs: 20,
    gates: { detectedMs: 3_600, readyMs: 8_000 },
    run: onExample(async (example) => ({ ...(await inject(example, 'rtsp-capture', 'SIGSTOP')) })),
  },
  'simulated-loss': {
    title: 'A simulated fleet with 5 % of packets lost each way and nothing ill: what is called ill all the same',
    runs: 20,
    gates: { falsePositives: 0, healthyRestarts: 0 },
    run: simulateLoss,
  },
  ...faultRows,
  ...bootRows,
  ...operatorRows,
  ...dependencyRows,
  ...healerRows,
  ...hourRows,
} satisfies Record<string, Row>
