import { expecting, type ScenarioEntry } from '../expectation.ts'
import { localNetwork, simulatedService, type Fault } from '../scenario.ts'
import { pipeline, quiet, strangers } from './fleets.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE

/** Every service is well; the network, the clock or the monitor is not. */
export const disturbanceScenarios = {
  loss: {
    title: 'every twentieth packet is lost, each way, for ten minutes',
    build: () => ({ ...quiet('loss', strangers(10), 10 * MINUTE), network: { ...localNetwork, loss: 0.05 } }),
    expect: (result) => expecting(result).nothingDeclared().problems,
  },
  blackout: {
    title: 'ten blackouts of a second each',
    build: (random) => ({
      ...quiet('blackout', strangers(20), 5 * MINUTE),
      faults: Array.from({ length: 10 }, (_, index): Fault => {
        return { at: 10_000 + index * 25_000 + random.between(0, 5_000), kind: 'blackout', forMs: 1_000 }
      }),
    }),
    expect: (result) => expecting(result).nothingDeclared().problems,
  },
  'long-blackout': {
    title: 'nobody can be reached for 10 s, three times: nothing is restarted for that',
    build: (random) => ({
      ...quiet('long-blackout', strangers(10), 8 * MINUTE),
      faults: [0, 1, 2].map((n): Fault => {
        return { at: 20_000 + n * 140_000 + random.between(0, 5_000), kind: 'blackout', forMs: 10_000 }
      }),
    }),
    expect: (result) => expecting(result).actions(0).allHealthy().problems,
  },
  'slow-boot': {
    title: 'a service needs 30 s to boot',
    build: () =>
      quiet('slow-boot', [simulatedService('model', { boot: { medianMs: 30_000 }, warm: false })], 2 * MINUTE),
    expect: (result) => expecting(result).nothingDeclared().allHealthy().problems,
  },
  'monitor-pause': {
    title: 'the monitor is stopped for 10 s, three times',
    build: (random) => ({
      ...quiet('monitor-pause', pipeline(), 3 * MINUTE),
      faults: [0, 1, 2].map((n): Fault => {
        return { at: 20_000 + n * 40_000 + random.between(0, 2_000), kind: 'monitor-pause', forMs: 10_000 }
      }),
    }),
    expect: (result) => expecting(result).nothingDeclared().allHealthy().problems,
  },
  'monitor-starved': {
    title: 'the monitor gets the processor 400 ms late, for a minute',
    build: (random) => ({
      ...quiet('monitor-starved', pipeline(), 2 * MINUTE),
      faults: [{ at: random.between(20_000, 22_000), kind: 'monitor-starved', lagMs: 400, forMs: MINUTE }],
    }),
    expect: (result) => expecting(result).nothingDeclared().allHealthy().problems,
  },
  'clock-jump': {
    title: 'the wall clock jumps an hour ahead, and back',
    build: (random) => ({
      ...quiet('clock-jump', pipeline(), 3 * MINUTE),
      faults: [
        { at: random.between(20_000, 22_000), kind: 'clock-jump', byMs: HOUR },
        { at: random.between(90_000, 92_000), kind: 'clock-jump', byMs: -HOUR },
      ],
    }),
    expect: (result) => expecting(result).nothingDeclared().allHealthy().problems,
  },
} as const satisfies Record<string, ScenarioEntry>
