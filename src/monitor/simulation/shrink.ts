import type { Step } from '../model/index.ts'
import type { ScenarioEntry } from './expectation.ts'
import type { Scenario } from './scenario.ts'
import { simulate, type SimulationResult } from './simulate.ts'
import { formatStory } from './story.ts'

/** A run that did not end as it should, made as small as it will go. */
export interface Failure {
  readonly seed: number
  readonly problems: readonly string[]
  /** The command that shows it again. */
  readonly replay: string
  /** How many of the scenario's faults and services are needed for it to go wrong. */
  readonly needs: { readonly faults: number; readonly services: number }
  readonly story: readonly string[]
}

/** Tries at most this many smaller scenarios; each is a whole run. */
const MAX_TRIES = 60

/**
 * Leaves out faults and services for as long as the run still goes wrong in the same respect, then tells the story of what
 * is left. The whole scenario from the same seed stays what `replay` names.
 */
export function shrink(
  core: Step<unknown>,
  entry: ScenarioEntry,
  scenario: Scenario,
  seed: number,
  first: SimulationResult,
  maxTries = MAX_TRIES,
): Failure {
  const problems = entry.expect(first)
  // What is missed where nothing happens ("was not detected") says nothing about why this run went wrong.
  const still = new Set(maxTries > 0 ? complaints(core, entry, { ...scenario, faults: [] }, seed) : [])
  const respects = new Set(problems.map(respectOf).filter((respect) => !still.has(respect)))
  let best = { scenario, result: first }
  let tries = 0
  let smaller = true
  while (smaller) {
    smaller = false
    for (const candidate of simpler(best.scenario)) {
      if (++tries > maxTries) break
      const result = simulate({ core, scenario: candidate, seed })
      if (!entry.expect(result).some((problem) => respects.has(respectOf(problem)))) continue
      best = { scenario: candidate, result }
      smaller = true
      break
    }
  }
  const { faults, services } = best.scenario
  return {
    seed,
    problems,
    replay: `medyk simulate --scenario ${scenario.name} --seed ${seed}`,
    needs: { faults: faults.length, services: services.length },
    story: formatStory(best.result.story),
  }
}

function complaints(core: Step<unknown>, entry: ScenarioEntry, scenario: Scenario, seed: number): string[] {
  return entry.expect(simulate({ core, scenario, seed })).map(respectOf)
}

/** A complaint without its numbers. */
function respectOf(problem: string): string {
  return problem.replaceAll(/\d+/g, 'N')
}

function* simpler(scenario: Scenario): Generator<Scenario> {
  const { faults, services } = scenario
  for (const fault of faults) yield { ...scenario, faults: faults.filter((other) => other !== fault) }
  const needed = new Set(services.flatMap(({ spec }) => spec.dependsOn.map((edge) => edge.service)))
  for (const fault of faults) if ('service' in fault) needed.add(fault.service)
  for (const service of services) {
    if (!needed.has(service.spec.name)) yield { ...scenario, services: services.filter((other) => other !== service) }
  }
}
