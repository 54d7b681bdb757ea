import type { Incident, ServiceView, Step } from '../model/index.ts'
import { scheduleFaults } from './faults.ts'
import type { Figures, SimulatedAction } from './figures.ts'
import { CoreLoop, HOP_MS } from './loop.ts'
import { seeded } from './random.ts'
import { Recorder, type StoryLine } from './recorder.ts'
import { SimulatedRuntime } from './runtime.ts'
import type { Fault, Scenario } from './scenario.ts'
import { SimulatedShard } from './shard.ts'
import type { TraceSink } from './trace.ts'
import { World } from './world.ts'

export interface SimulateOptions {
  /** Diagnosis and recovery, composed. */
  readonly core: Step<unknown>
  readonly scenario: Scenario
  readonly seed: number | string
  /** Takes everything that goes into the pure code and comes out, as the daemon's recorder would. */
  readonly recordTrace?: TraceSink
  /** Share of the run that is over, [0, 1], about a hundred times. */
  readonly onProgress?: (share: number) => void
}

export interface SimulationResult {
  readonly scenario: string
  readonly seed: number | string
  /** The same for the same code, scenario and seed. */
  readonly digest: string
  readonly figures: Figures
  readonly incidents: readonly Incident[]
  readonly actions: readonly SimulatedAction[]
  /** How each service is shown at the end. */
  readonly views: readonly ServiceView[]
  /** What each service was declared to be, in order. */
  readonly declarations: ReadonlyMap<string, readonly string[]>
  readonly quarantined: readonly string[]
  readonly withheld: readonly { readonly service: string; readonly reason: string }[]
  /** How often the monitor came to doubt itself. */
  readonly observerUnwell: number
  readonly story: readonly StoryLine[]
}

/** Runs a scenario from a seed: the pure code of the monitor, everything around it simulated, in virtual time. */
export function simulate(options: SimulateOptions): SimulationResult {
  const { core, scenario, seed, recordTrace: trace = null, onProgress } = options
  let attached = false
  const world = new World(scenario, seeded(seed), {
    runtimeEvent(event) {
      if (!attached) return
      world.observerAt(world.now, () => {
        recorder.seen(event)
        // The runtimes are watched on the main thread: the core knows at once, the shard a hop later.
        loop.feed(event)
        world.observerAt(world.now + HOP_MS, () => shard.runtimeEvent(event))
      })
    },
    truth: (service, what) => recorder.tell('truth', service, what),
    changed: (target) => recorder.changed(target),
  })
  const recorder = new Recorder(world)
  const runtime = new SimulatedRuntime(world)
  const shard = new SimulatedShard({
    world,
    trace,
    watchesItself: scenario.faults.some(disturbsMonitor),
    observed: (target, outcome) => recorder.observed(target.name, outcome),
    verdict(verdict, target) {
      recorder.verdict(verdict, target)
      loop.send({ type: 'verdict', verdict })
    },
    observer(unwell, reason) {
      recorder.doubtedItself(unwell, reason)
      loop.send({ type: 'observer.changed', unwell, reason })
    },
  })
  const loop = new CoreLoop(core, {
    world,
    trace,
    concluded: (event) => recorder.concluded(event),
    act(action, done) {
      const entry = recorder.acting(action, world.target(action.service))
      runtime.act(action, (outcome) => {
        recorder.acted(entry, outcome)
        done(outcome)
      })
    },
    confirm(effect, done) {
      const sound: string[] = []
      const doubtful: string[] = []
      for (const name of effect.services) {
        shard.lookOnce(world.target(name), effect.withinMs, (answered) => {
          ;(answered ? sound : doubtful).push(name)
          if (sound.length + doubtful.length === effect.services.length) done(sound, doubtful)
        })
      }
    },
  })
  runtime.populate()
  attached = true
  loop.feed({ type: 'services.changed', services: scenario.services.map(({ spec }) => spec) })
  for (const target of world.targets.values()) {
    const instance = runtime.instance(target)
    loop.feed({ type: 'instance.started', instance })
    shard.watch(target, instance, target.process === null ? 0 : world.now - target.process.bornAt)
  }
  scheduleFaults(world, runtime, scenario.faults, (fault) => recorder.injected(fault))
  const start = world.now
  for (let part = 1; part <= 100; part += 1) {
    world.run(start + (scenario.durationMs * part) / 100)
    onProgress?.(part / 100)
  }
  recorder.figures.attempts = shard.attempts
  recorder.finish(scenario.services.length)
  return {
    scenario: scenario.name,
    seed,
    digest: recorder.digest(),
    figures: recorder.figures,
    incidents: [...recorder.incidents.values()],
    actions: recorder.actions,
    views: [...recorder.views.values()],
    declarations: recorder.declarationsOf,
    quarantined: recorder.quarantined,
    withheld: recorder.withheld,
    observerUnwell: recorder.observerUnwell,
    story: recorder.story,
  }
}

function disturbsMonitor(fault: Fault): boolean {
  return fault.kind === 'monitor-pause' || fault.kind === 'monitor-starved' || fault.kind === 'clock-jump'
}
