import { expecting, type ScenarioEntry } from '../expectation.ts'
import { databaseAndThree, pipeline, quiet } from './fleets.ts'

const MINUTE = 60_000

/** Anyone of the pipeline. */
const names = pipeline().map(({ spec }) => spec.name)
/** Who depends on nobody. */
const roots = pipeline().filter(({ spec }) => spec.dependsOn.length === 0).length
const anyone = (share: number) => names[Math.floor(share * names.length)] ?? 'camera'

/** One service is truly ill. The deadlines are the gates of the reference's targets. */
export const faultScenarios = {
  crash: {
    title: 'one service of a pipeline is killed by SIGKILL',
    build: (random) => ({
      ...quiet('crash', pipeline(), 2 * MINUTE),
      faults: [{ at: random.between(10_000, 12_000), service: anyone(random.next()), kind: 'crash' }],
    }),
    expect: (result) =>
      expecting(result)
        .nothingFalse()
        .detectedWithin('crash', 2_000)
        .curedWithin('crash', 6_000)
        .actions(1)
        .that(result.incidents.length === 1 && result.incidents[0]?.cause === 'self', 'not one incident of cause self')
        .that(result.incidents[0]?.closedAt !== null, 'the incident was not closed')
        .allHealthy().problems,
  },
  hang: {
    title: 'one service of a pipeline stops answering, its process stays',
    build: (random) => ({
      ...quiet('hang', pipeline(), 2 * MINUTE),
      faults: [{ at: random.between(10_000, 12_000), service: anyone(random.next()), kind: 'hang' }],
    }),
    expect: (result) =>
      expecting(result)
        .nothingFalse()
        .detectedWithin('hang', 3_600)
        .curedWithin('hang', 8_000)
        .actions(1)
        .that(result.incidents.length === 1 && result.incidents[0]?.cause === 'self', 'not one incident of cause self')
        .allHealthy().problems,
  },
  suspend: {
    title: 'one service of a pipeline is stopped by SIGSTOP',
    build: (random) => ({
      ...quiet('suspend', pipeline(), 2 * MINUTE),
      faults: [{ at: random.between(10_000, 12_000), service: anyone(random.next()), kind: 'suspend' }],
    }),
    expect: (result) =>
      expecting(result)
        .nothingFalse()
        .detectedWithin('suspend', 3_600)
        .curedWithin('suspend', 8_000)
        .actions(1)
        .that(result.incidents.length === 1 && result.incidents[0]?.cause === 'self', 'not one incident of cause self')
        .allHealthy().problems,
  },
  slow: {
    title: 'one service answers 800 ms later for a minute',
    build: (random) => ({
      ...quiet('slow', pipeline(), 2 * MINUTE),
      faults: [
        { at: random.between(10_000, 12_000), service: anyone(random.next()), kind: 'slow', addMs: 800, forMs: MINUTE },
      ],
    }),
    expect: (result) =>
      expecting(result)
        .nothingFalse()
        .detectedWithin('slow', 4_000)
        .actions(0)
        .that(
          [...result.declarations.values()].flat().every((status) => status === 'degraded'),
          'called unhealthy',
        )
        .allHealthy().problems,
  },
  errors: {
    title: 'one service answers every second request with 500, for five minutes',
    build: (random) => ({
      ...quiet('errors', pipeline(), 7 * MINUTE),
      faults: [
        {
          at: random.between(10_000, 12_000),
          service: anyone(random.next()),
          kind: 'errors',
          share: 0.5,
          forMs: 5 * MINUTE,
        },
      ],
    }),
    expect: (result) =>
      expecting(result).nothingFalse().detectedWithin('errors', 20_000).actions(0).allHealthy().problems,
  },
  database: {
    title: 'a database dies and cannot be started; three services depend on it',
    build: (random) => {
      const at = random.between(10_000, 12_000)
      return {
        ...quiet('database', databaseAndThree(), 5 * MINUTE),
        faults: [
          { at, service: 'database', kind: 'cannot-start' },
          { at, service: 'database', kind: 'crash', code: 1 },
        ],
      }
    },
    expect: (result) => {
      const dependants = result.views.filter(({ name }) => name !== 'database')
      const [root] = result.incidents
      return expecting(result)
        .nothingFalse()
        .incidents('database: self')
        .actions(5)
        .actions(5, 'database')
        .that(result.quarantined.join() === 'database', 'the database is not quarantined')
        .that(result.figures.quarantines === 1, `quarantined ${result.figures.quarantines} times instead of once`)
        .that(root?.impacted.length === 3, `${root?.impacted.length} services impacted instead of 3`)
        .that(
          dependants.every(({ status, cause }) => status === 'degraded' && cause === 'dependency'),
          'a dependant is not shown as degraded by its dependency',
        ).problems
    },
  },
  'database-returns': {
    title: 'a database is killed and comes back; three services depend on it and settle by themselves',
    build: (random) => ({
      ...quiet('database-returns', databaseAndThree(), 3 * MINUTE),
      faults: [{ at: random.between(10_000, 12_000), service: 'database', kind: 'crash' }],
    }),
    expect: (result) =>
      expecting(result).nothingFalse().incidents('database: self').actions(1, 'database').actions(1).allHealthy()
        .problems,
  },
  'stopped-under-root': {
    title:
      'a database dies and cannot be started, and ten seconds later a service that depends on it is stopped by SIGSTOP',
    build: (random) => {
      const at = random.between(10_000, 12_000)
      return {
        ...quiet('stopped-under-root', databaseAndThree(), 3 * MINUTE),
        faults: [
          { at, service: 'database', kind: 'cannot-start' },
          { at, service: 'database', kind: 'crash', code: 1 },
          { at: at + 10_000, service: 'orders', kind: 'suspend' },
        ],
      }
    },
    expect: (result) => {
      const decided = (service: string) =>
        result.actions.find(({ action }) => action.service === service)?.decidedAt ?? Infinity
      const after = decided('orders') - decided('database') - 10_000
      return expecting(result)
        .nothingFalse()
        .incidents('database: self', 'orders: self')
        .actions(1, 'orders')
        .that(after <= 3_600, `killed and started ${Math.round(after)} ms after it was stopped`).problems
    },
  },
  'hung-under-root': {
    title: 'a database is killed and comes back, and meanwhile a service that depends on it hangs',
    build: (random) => {
      const at = random.between(10_000, 12_000)
      return {
        ...quiet('hung-under-root', databaseAndThree(), 3 * MINUTE),
        faults: [
          { at, service: 'database', kind: 'crash' },
          { at: at + random.between(-1_500, 0), service: 'orders', kind: 'hang' },
        ],
      }
    },
    expect: (result) =>
      expecting(result)
        .nothingFalse()
        .curedWithin('hang', 30_000)
        .actions(1, 'database')
        .actions(1, 'orders')
        .allHealthy().problems,
  },
  'crash-at-boot': {
    title: 'a service dies 300 ms after every start',
    build: (random) => ({
      ...quiet('crash-at-boot', pipeline(), 5 * MINUTE),
      faults: [{ at: random.between(10_000, 12_000), service: 'camera', kind: 'crash-loop', afterMs: 300 }],
    }),
    expect: (result) =>
      expecting(result)
        .nothingFalse()
        .incidents('camera: self')
        .actions(5)
        .that(result.figures.quarantines === 1, `quarantined ${result.figures.quarantines} times instead of once`)
        .allHealthy(['camera', 'rtsp-capture']).problems,
  },
  'all-killed': {
    title: 'every process is killed, one after the other in any order',
    build: (random) => {
      const at = random.between(10_000, 12_000)
      const apart = random.between(0, 20)
      const order = names
        .map((name) => ({ name, key: random.next() }))
        .sort((a, b) => a.key - b.key)
        .map(({ name }) => name)
      return {
        ...quiet('all-killed', pipeline(), 3 * MINUTE),
        faults: order.map((service, index) => ({ at: at + apart * index, service, kind: 'crash' as const })),
      }
    },
    expect: (result) => {
      const decidedAt = new Map(result.actions.map(({ action, decidedAt: at }) => [action.service, at]))
      const edges = pipeline().flatMap(({ spec }) => spec.dependsOn.map((edge) => [spec.name, edge.service] as const))
      const disorder = edges.filter(([name, on]) => (decidedAt.get(name) ?? Infinity) < (decidedAt.get(on) ?? Infinity))
      return expecting(result)
        .nothingFalse()
        .actions(names.length)
        .curedWithin('crash', 30_000)
        .that(result.incidents.length <= roots, `${result.incidents.length} incidents of ${roots} roots`)
        .that(disorder.length === 0, `started before its dependency: ${disorder.map(([name]) => name).join(', ')}`)
        .allHealthy().problems
    },
  },
  misconfigured: {
    title: 'a probe asks for something that is not there',
    build: (random) => ({
      ...quiet('misconfigured', pipeline(), 3 * MINUTE),
      faults: [{ at: random.between(10_000, 12_000), service: anyone(random.next()), kind: 'misconfigured' }],
    }),
    expect: (result) =>
      expecting(result)
        .nothingFalse()
        .actions(0)
        .that(result.quarantined.length === 0, 'quarantined').problems,
  },
} as const satisfies Record<string, ScenarioEntry>
