import { setImmediate as nextTurn } from 'node:timers/promises'
import { MedykError } from '@medyk/health/internal'
import type { Step } from '../model/index.ts'
import type { ScenarioEntry, ScenarioSize } from './expectation.ts'
import { addFigures, noFigures, upperBound95, type Figures } from './figures.ts'
import { seeded } from './random.ts'
import type { Scenario } from './scenario.ts'
import { scenarios } from './scenarios/index.ts'
import { shrink, type Failure } from './shrink.ts'
import { simulate } from './simulate.ts'

export interface RunOptions {
  /** Diagnosis and recovery, composed. */
  readonly core: Step<unknown>
  /** A name of `listScenarios()`. */
  readonly scenario: string
  /** First seed; each further run takes the next. Default 1. */
  readonly seed?: number
  /** Service-hours to reach by repeating the scenario. Default: one run. */
  readonly hours?: number
  /** Share of packets lost each way, [0, 1), in place of the scenario's own. */
  readonly loss?: number
  /** Size of `fleet` and `turmoil`. Default 100. */
  readonly services?: number
  /** Service-hours done and to do, about a hundred times a run. */
  readonly onProgress?: (progress: { readonly done: number; readonly of: number }) => void
  readonly signal?: AbortSignal
}

export interface RunReport {
  readonly scenario: string
  readonly title: string
  readonly seed: number
  readonly runs: number
  readonly figures: Figures
  /** The first few runs that did not end as the scenario expects, and how many there were. */
  readonly failures: readonly Failure[]
  readonly failed: number
  readonly falsePositives: FalsePositives
  /** Of the last run: the same for the same code, scenario and seed. */
  readonly digest: string
  readonly elapsedMs: number
}

/** A rate, and what it is at most at 95 % confidence. */
export interface BoundedRate {
  readonly rate: number
  readonly atMost95: number
}

export interface FalsePositives {
  readonly count: number
  /** Null without a declaration. */
  readonly perDeclaration: BoundedRate | null
  readonly perServiceHour: BoundedRate
  readonly healthyRestarts: number
}

const MAX_FAILURES = 3
/** A run of a fleet lasts this long: short enough to show progress, long enough for what takes minutes. */
const FLEET_RUN_MS = 3_600_000
const MAX_SERVICES = 10_000

export function listScenarios(): { readonly name: string; readonly title: string }[] {
  return Object.entries(scenarios).map(([name, { title }]) => ({ name, title }))
}

/** Runs a scenario, once or for so many service-hours, and adds up what came of it. Rejects with ERR_SCENARIO for bad options. */
export async function runSimulation(options: RunOptions): Promise<RunReport> {
  const { core, scenario: name, seed: firstSeed = 1, onProgress, signal } = options
  const entry = checked(options)
  const figures = noFigures()
  const failures: Failure[] = []
  const began = performance.now()
  const wanted = options.hours ?? 0
  let failed = 0
  let runs = 0
  let digest = ''
  do {
    const seed = firstSeed + runs
    const scenario = buildScenario(entry, seed, options, wanted - figures.serviceHours)
    const hours = (scenario.services.length * scenario.durationMs) / 3_600_000
    const done = figures.serviceHours
    const result = simulate({
      core,
      scenario,
      seed,
      onProgress(share) {
        signal?.throwIfAborted()
        onProgress?.({ done: done + share * hours, of: Math.max(wanted, done + hours) })
      },
    })
    runs += 1
    digest = result.digest
    addFigures(figures, result.figures)
    if (entry.expect(result).length > 0 && ++failed <= MAX_FAILURES) {
      // A large run takes long to repeat: its story is told as it is.
      failures.push(shrink(core, entry, scenario, seed, result, hours > 5 ? 0 : undefined))
    }
    await nextTurn()
  } while (figures.serviceHours < wanted - 1e-9)
  return {
    scenario: name,
    title: entry.title,
    seed: firstSeed,
    runs,
    figures,
    failures,
    failed,
    falsePositives: falsePositivesOf(figures),
    digest,
    elapsedMs: performance.now() - began,
  }
}

export function falsePositivesOf(figures: Figures): FalsePositives {
  const { falseCount: count, declarations, serviceHours, healthyRestarts } = figures
  const rate = (per: number): BoundedRate => ({ rate: count / per, atMost95: upperBound95(count) / per })
  return {
    count,
    perDeclaration: declarations > 0 ? rate(declarations) : null,
    perServiceHour: rate(serviceHours),
    healthyRestarts,
  }
}

function checked(options: RunOptions): ScenarioEntry {
  const { scenario, hours, loss, services, seed } = options
  const entry = Object.hasOwn(scenarios, scenario) ? scenarios[scenario] : undefined
  if (!entry) {
    throw new MedykError('ERR_SCENARIO', `there is no scenario "${scenario}"`, {
      hint: `one of: ${Object.keys(scenarios).join(', ')}`,
    })
  }
  const check = (name: string, value: number | undefined, fits: (value: number) => boolean, expected: string) => {
    if (value !== undefined && !fits(value)) {
      throw new MedykError('ERR_SCENARIO', `${name} must be ${expected}, not ${value}`, { hint: `give ${expected}` })
    }
  }
  check('hours', hours, (value) => value > 0 && value <= 1e7, 'a number of service-hours above 0')
  check('loss', loss, (value) => value >= 0 && value < 1, 'a share from 0 to below 1, for example 0.05')
  check(
    'services',
    services,
    (n) => Number.isInteger(n) && n >= 1 && n <= MAX_SERVICES,
    `a whole number from 1 to ${MAX_SERVICES}`,
  )
  check('seed', seed, Number.isSafeInteger, 'a whole number')
  return entry
}

/** The scenario of one run. The rest of the options that shape it must be given to a replay as well. */
function buildScenario(entry: ScenarioEntry, seed: number, options: RunOptions, hoursLeft: number): Scenario {
  const services = options.services ?? 100
  const left = hoursLeft > 0 ? (hoursLeft * 3_600_000) / services : FLEET_RUN_MS
  const size: ScenarioSize = { services, durationMs: Math.min(FLEET_RUN_MS, left) }
  const scenario = entry.build(seeded(seed).fork('scenario'), size)
  return options.loss === undefined ? scenario : { ...scenario, network: { ...scenario.network, loss: options.loss } }
}
