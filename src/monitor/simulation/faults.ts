import { isServiceFault, type Fault, type ServiceTrouble, type TroubleKind } from './scenario.ts'
import type { SimulatedRuntime } from './runtime.ts'
import type { World } from './world.ts'

/** Lets every fault of a scenario happen at its time, counted from now, and end at its time. */
export function scheduleFaults(
  world: World,
  runtime: SimulatedRuntime,
  faults: readonly Fault[],
  before: (fault: Fault) => void,
): void {
  const start = world.now
  for (const fault of faults) {
    world.at(start + fault.at, () => {
      before(fault)
      inject(world, runtime, fault)
    })
  }
}

function inject(world: World, runtime: SimulatedRuntime, fault: Fault): void {
  if (isServiceFault(fault)) return trouble(world, runtime, fault)
  const { now } = world
  switch (fault.kind) {
    case 'loss':
      world.network.lossy(now, fault.forMs, fault.share)
      return world.note(null, `${fault.share * 100} % of packets lost for ${fault.forMs} ms`)
    case 'blackout':
      world.network.blackout(now, fault.forMs, fault.services ?? null)
      return world.note(
        null,
        `no packet passes for ${fault.forMs} ms${fault.services ? ` (${fault.services.join(', ')})` : ''}`,
      )
    case 'monitor-pause':
      world.stopObserver(fault.forMs)
      return world.note(null, `the monitor is stopped for ${fault.forMs} ms`)
    case 'monitor-starved':
      world.starveObserver(fault.forMs, fault.lagMs)
      return world.note(null, `the monitor is starved for ${fault.forMs} ms`)
    case 'clock-jump':
      world.jumpClock(fault.byMs)
      return world.note(null, `the wall clock jumps by ${fault.byMs} ms`)
  }
}

function trouble(world: World, runtime: SimulatedRuntime, fault: Extract<Fault, { readonly service: string }>): void {
  const target = world.target(fault.service)
  target.begin(fault, world.now)
  world.note(target.name, describe(fault))
  if (fault.kind === 'crash') {
    const { code } = fault
    runtime.die(target, code === undefined ? { code: null, signal: 'SIGKILL' } : { code, signal: null })
  }
  if (fault.kind === 'suspend') runtime.suspended(target)
  if (fault.kind === 'crash-loop') {
    const { process } = target
    world.at(world.now + fault.afterMs, () => {
      if (target.process === process) runtime.die(target, { code: 1, signal: null })
    })
  }
  world.changed(target)
  if (fault.kind === 'crash' || fault.forMs === undefined) return
  world.at(world.now + fault.forMs, () => {
    // Cured meanwhile by a restart, or begun anew.
    if (target.trouble(fault.kind) !== fault) return
    world.note(target.name, `${fault.kind} is over`)
    if (fault.kind === 'suspend') return runtime.resume(target)
    target.end(fault.kind, world.now)
    world.changed(target)
  })
}

function describe(fault: Extract<Fault, { readonly service: string }>): string {
  const words: { readonly [K in TroubleKind]: (trouble: Extract<ServiceTrouble, { kind: K }>) => string } = {
    crash: () => 'crashes',
    hang: () => 'hangs',
    suspend: () => 'is suspended',
    slow: ({ addMs }) => `answers ${addMs} ms later`,
    errors: ({ share }) => `answers ${share * 100} % of requests with 500`,
    'not-ready': ({ failing }) => `is not ready: ${failing.join(', ')}`,
    garbage: () => 'answers garbage',
    misconfigured: () => 'answers 404',
    'crash-loop': ({ afterMs }) => `ends ${afterMs} ms after every start`,
    'cannot-start': () => 'could not be started again',
  }
  return (words[fault.kind] as (trouble: ServiceTrouble) => string)(fault)
}
