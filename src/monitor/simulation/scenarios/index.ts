import type { ScenarioEntry } from '../expectation.ts'
import { disturbanceScenarios } from './disturbances.ts'
import { faultScenarios } from './faults.ts'
import { fleetScenarios } from './fleet.ts'

/** Every scenario by its name; add one to a map of these files and it is listed, run and tested. */
export const scenarios: Readonly<Record<string, ScenarioEntry>> = {
  ...faultScenarios,
  ...disturbanceScenarios,
  ...fleetScenarios,
}
