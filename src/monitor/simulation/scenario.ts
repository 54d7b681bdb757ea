import {
  defaultProbe,
  defaultRecoveryPolicy,
  defaultStartupGraceMs,
  type ProbeRole,
  type ProbeSpec,
  type ServiceSpec,
} from '../model/index.ts'
import type { Spread } from './random.ts'

/** One service of a simulated fleet and how it behaves while nothing is wrong with it. */
export interface SimulatedService {
  readonly spec: ServiceSpec
  /** From the start of the process until it listens. */
  readonly boot: Spread
  /** From request to answer, inside the service. */
  readonly latency: Spread
  /** Its readiness is 503 and its health `degraded` from 1–2 s after a dependency stops answering. */
  readonly followsDependencies: boolean
  /** false: its process starts at time 0 and boots; true: it has been serving for long. */
  readonly warm: boolean
}

/** What can be wrong with a service. Milliseconds; without `forMs` it lasts until a restart cures it, or for good. */
export type ServiceTrouble =
  /** The process ends; without a code it is killed by SIGKILL. */
  | { readonly kind: 'crash'; readonly code?: number }
  /** The event loop is blocked: the kernel accepts, nobody answers, SIGTERM is ignored. A restart cures it. */
  | { readonly kind: 'hang'; readonly forMs?: number }
  /** Stopped by SIGSTOP, which the runtime can see. A restart cures it. */
  | { readonly kind: 'suspend'; readonly forMs?: number }
  | { readonly kind: 'slow'; readonly addMs: number; readonly forMs?: number }
  /** Answers 500 to this share of requests, [0, 1]. */
  | { readonly kind: 'errors'; readonly share: number; readonly forMs?: number }
  /** Alive, and says that these checks of its own fail. */
  | { readonly kind: 'not-ready'; readonly failing: readonly string[]; readonly forMs?: number }
  /** Answers 200 with a wrong body. */
  | { readonly kind: 'garbage'; readonly forMs?: number }
  /** Answers 404: the probe asks for the wrong thing. */
  | { readonly kind: 'misconfigured'; readonly forMs?: number }
  /** Every run, the next ones included, ends by itself this long after its start. */
  | { readonly kind: 'crash-loop'; readonly afterMs: number; readonly forMs?: number }
  /** A start fails. permanent: there is no such command. Tells only when the process is gone. */
  | { readonly kind: 'cannot-start'; readonly permanent?: boolean; readonly forMs?: number }

export type TroubleKind = ServiceTrouble['kind']

/** What can be wrong between the monitor and its targets, or with the monitor itself. */
export type Disturbance =
  /** Loss per packet and direction, in place of the scenario's own. */
  | { readonly kind: 'loss'; readonly share: number; readonly forMs: number }
  /** No packet passes, to and from these services (all of them when not given). */
  | { readonly kind: 'blackout'; readonly forMs: number; readonly services?: readonly string[] }
  /** The monitor is stopped, as by SIGSTOP. */
  | { readonly kind: 'monitor-pause'; readonly forMs: number }
  /** The monitor gets the processor late, by `lagMs` on average, several times a second. */
  | { readonly kind: 'monitor-starved'; readonly lagMs: number; readonly forMs: number }
  | { readonly kind: 'clock-jump'; readonly byMs: number }

export type Fault = { readonly at: number } & (({ readonly service: string } & ServiceTrouble) | Disturbance)

/** Plain data: a fleet, a network and what happens to them. All times are milliseconds of virtual time. */
export interface Scenario {
  readonly name: string
  readonly services: readonly SimulatedService[]
  readonly network: NetworkPlan
  readonly faults: readonly Fault[]
  readonly durationMs: number
}

export interface NetworkPlan {
  /** One way. */
  readonly delay: Spread
  /** Share of packets lost, each way. */
  readonly loss: number
}

/** Faults that concern a service, as opposed to network and monitor. */
export function isServiceFault(fault: Fault): fault is Extract<Fault, { readonly service: string }> {
  return 'service' in fault
}

/** A quiet local network. */
export const localNetwork: NetworkPlan = { delay: { medianMs: 0.15, sigma: 0.3 }, loss: 0 }

const simulatedProbe = (role: ProbeRole): ProbeSpec => ({
  name: role,
  role,
  kind: 'simulated',
  options: {},
  intervalMs: defaultProbe.intervalMs,
  timeoutMs: defaultProbe.timeoutMs,
})

export interface SimulatedServiceOptions extends Partial<Omit<SimulatedService, 'spec'>> {
  readonly dependsOn?: readonly string[]
  /** Default liveness and readiness. */
  readonly probes?: readonly ProbeRole[]
  readonly startupGraceMs?: number
  readonly recovery?: Partial<ServiceSpec['recovery']>
}

/** A small web service that has been serving for long, boots in about 400 ms and answers in about 3 ms. */
export function simulatedService(name: string, options: SimulatedServiceOptions = {}): SimulatedService {
  const { dependsOn = [], probes = ['liveness', 'readiness'], startupGraceMs = defaultStartupGraceMs } = options
  return {
    spec: {
      name,
      runtime: 'simulated',
      runtimeOptions: {},
      dependsOn: dependsOn.map((service) => ({ service, source: 'config' })),
      probes: probes.map(simulatedProbe),
      startupGraceMs,
      recovery: { ...defaultRecoveryPolicy, ...options.recovery },
    },
    boot: options.boot ?? { medianMs: 400, sigma: 0.2 },
    latency: options.latency ?? { medianMs: 3, sigma: 0.5 },
    followsDependencies: options.followsDependencies ?? true,
    warm: options.warm ?? true,
  }
}
