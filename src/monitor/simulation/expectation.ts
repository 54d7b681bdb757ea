import type { Random } from './random.ts'
import type { Scenario, TroubleKind } from './scenario.ts'
import type { SimulationResult } from './simulate.ts'

/** For the scenarios that come in any size; the others take no notice. */
export interface ScenarioSize {
  readonly services: number
  readonly durationMs: number
}

/** A scenario that can be run from any seed: the seed shapes what `build` leaves open, and all the chance within the run. */
export interface ScenarioEntry {
  /** One sentence for a list. */
  readonly title: string
  build(random: Random, size: ScenarioSize): Scenario
  /** What is wrong with a result, one sentence each; empty when it is as it should be. */
  expect(result: SimulationResult): readonly string[]
}

/** Collects what is wrong, so that one run tells all of it. */
export class Expectation {
  readonly problems: string[] = []
  readonly #result: SimulationResult

  constructor(result: SimulationResult) {
    this.#result = result
  }

  that(holds: boolean, problem: string): this {
    if (!holds) this.problems.push(problem)
    return this
  }

  nothingFalse(): this {
    const { falseDeclarations, falseCount, healthyRestarts } = this.#result.figures
    const [first] = falseDeclarations
    const example = first ? `, the first: ${first.service} was called ${first.status} (${first.reason})` : ''
    return this.that(falseCount === 0, `${falseCount} false declarations${example}`).that(
      healthyRestarts === 0,
      `${healthyRestarts} restarts of services that were well`,
    )
  }

  nothingDeclared(): this {
    const { declarations, incidents } = this.#result.figures
    return this.nothingFalse()
      .that(declarations === 0, `${declarations} declarations, none was due`)
      .that(incidents === 0, `${incidents} incidents, none was due`)
      .actions(0)
  }

  actions(count: number, service?: string): this {
    const done = this.#result.actions.filter(({ action }) => service === undefined || action.service === service)
    const whom = service === undefined ? '' : ` on ${service}`
    return this.that(done.length === count, `${done.length} actions${whom} instead of ${count}`)
  }

  /** Every incident of the run: service and cause, in order of opening. */
  incidents(...expected: readonly `${string}: ${string}`[]): this {
    const found = this.#result.incidents.map(({ service, cause }) => `${service}: ${cause}`)
    return this.that(
      found.join() === expected.join(),
      `incidents [${found.join(', ')}] instead of [${expected.join(', ')}]`,
    )
  }

  detectedWithin(kind: TroubleKind, ms: number): this {
    const { detection, undetected } = this.#result.figures
    const worst = Math.max(0, ...(detection[kind] ?? []))
    return this.that(
      (detection[kind]?.length ?? 0) > 0 && !undetected[kind],
      `${kind} was not detected ${undetected[kind] ?? 0} times`,
    ).that(worst <= ms, `${kind} was detected after ${Math.round(worst)} ms instead of ${ms} ms`)
  }

  /** Its boot not counted. */
  curedWithin(kind: TroubleKind, ms: number): this {
    const { overhead } = this.#result.figures
    const worst = Math.max(0, ...(overhead[kind] ?? []))
    return this.that((overhead[kind]?.length ?? 0) > 0, `${kind} was not cured`).that(
      worst <= ms,
      `${kind} was cured after ${Math.round(worst)} ms and the boot, instead of ${ms} ms`,
    )
  }

  allHealthy(except: readonly string[] = []): this {
    const ill = this.#result.views.filter(({ name, status }) => status !== 'healthy' && !except.includes(name))
    const list = ill.map(({ name, status, reason }) => `${name} ${status} (${reason})`).join(', ')
    return this.that(ill.length === 0, `at the end not healthy: ${list}`)
  }
}

export function expecting(result: SimulationResult): Expectation {
  return new Expectation(result)
}
