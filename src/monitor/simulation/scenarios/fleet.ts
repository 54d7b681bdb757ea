import { expecting, type ScenarioEntry, type ScenarioSize } from '../expectation.ts'
import type { Random } from '../random.ts'
import { localNetwork, simulatedService, type Fault, type ServiceTrouble, type SimulatedService } from '../scenario.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE

/** Groups of five that depend on one another like the example pipeline; liveness and readiness every second each. */
function groups(count: number): SimulatedService[] {
  const services: SimulatedService[] = []
  for (let group = 1; services.length < count; group += 1) {
    const name = (part: string) => `${part}-${group}`
    const edges: readonly (readonly [string, readonly string[]])[] = [
      ['camera', []],
      ['storage', []],
      ['buffer', []],
      ['capture', ['camera', 'buffer']],
      ['tracking', ['buffer', 'storage']],
    ]
    for (const [part, dependsOn] of edges.slice(0, count - services.length)) {
      services.push(simulatedService(name(part), { dependsOn: dependsOn.map(name) }))
    }
  }
  return services
}

/** Two troubles and one disturbance per service-hour and per fleet-hour; none overlap on one service. */
function turmoil(random: Random, services: readonly SimulatedService[], durationMs: number): Fault[] {
  const faults: Fault[] = []
  for (const { spec } of services) {
    for (
      let at = random.exponential(HOUR / 2);
      at < durationMs - 5 * MINUTE;
      at += 5 * MINUTE + random.exponential(HOUR / 2)
    ) {
      faults.push({ at, service: spec.name, ...anyTrouble(random) })
    }
  }
  for (let at = random.exponential(HOUR / 4); at < durationMs - MINUTE; at += MINUTE + random.exponential(HOUR / 4)) {
    faults.push({ at, ...anyDisturbance(random) })
  }
  return faults.sort((a, b) => a.at - b.at)
}

function anyTrouble(random: Random): ServiceTrouble {
  const forMs = random.between(30_000, 2 * MINUTE)
  const troubles: readonly ServiceTrouble[] = [
    { kind: 'crash' },
    { kind: 'crash', code: 1 },
    { kind: 'hang' },
    { kind: 'suspend' },
    { kind: 'slow', addMs: random.between(600, 1_000), forMs },
    { kind: 'errors', share: random.between(0.3, 0.6), forMs },
    { kind: 'not-ready', failing: ['disk'], forMs },
  ]
  return troubles[Math.floor(random.next() * troubles.length)] ?? { kind: 'crash' }
}

function anyDisturbance(random: Random) {
  const disturbances = [
    { kind: 'blackout', forMs: random.between(500, 2_000) },
    { kind: 'loss', share: 0.1, forMs: MINUTE },
    { kind: 'monitor-pause', forMs: random.between(500, 10_000) },
    { kind: 'monitor-starved', lagMs: random.between(50, 400), forMs: 20_000 },
  ] as const
  return disturbances[Math.floor(random.next() * disturbances.length)] ?? disturbances[0]
}

export const fleetScenarios = {
  fleet: {
    title: 'a fleet of any size on a lossy network, every service well: for the false-positive figure',
    build: (_random: Random, { services, durationMs }: ScenarioSize) => {
      return { name: 'fleet', services: groups(services), network: localNetwork, faults: [], durationMs }
    },
    expect: (result) => expecting(result).nothingFalse().problems,
  },
  turmoil: {
    title: 'a fleet of any size with faults of every kind, blackouts, loss and a monitor that is stopped now and then',
    build: (random: Random, { services: count, durationMs }: ScenarioSize) => {
      const services = groups(count)
      const faults = turmoil(random, services, durationMs)
      return { name: 'turmoil', services, network: localNetwork, faults, durationMs }
    },
    expect: (result) => expecting(result).nothingFalse().problems,
  },
} as const satisfies Record<string, ScenarioEntry>
