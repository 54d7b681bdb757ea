import type {
  DerivedEvent,
  Effect,
  Incident,
  Maintenance,
  Now,
  ServiceSpec,
  ServiceView,
  Verdict,
} from '../model/index.ts'
import { buildGraph, type Graph } from './graph.ts'
import type { Stop } from './stops.ts'

/** Numbers of diagnosis, milliseconds where not said otherwise. Source: reference "Recovery" and "Detection". */
export const diagnosisRules = {
  /** A fresh probe of every dependency may take this long before silence is blamed on the service itself. */
  confirmMs: 1_500,
  /** A dependency that falls ill this soon after its dependant still takes the blame. */
  lateRootMs: 5_000,
  /** After the root is well again its dependants get this long to settle by themselves. */
  settleAfterRootMs: 60_000,
  /** Those that do not even pass liveness get this long: no illness of another explains that once the other is well. */
  reviveAfterRootMs: 10_000,
  /** Of several processes that end together, a dependant's end may be seen first: wait so long for its dependency's. */
  dyingMs: 120,
  /** The same where a runtime tells of deaths one after another, as Docker does within some hundreds of milliseconds. */
  dyingApartMs: 400,
  /** A process that falls silent shows it first by whichever probe is asked first: wait so long for liveness. */
  livenessMs: 1_500,
  /** What is stopped by somebody counts as dead after this long, unless it is removed or replaced, or others of its domain are stopped too. */
  stopMs: 15_000,
  /** A restart or a replacement by hand is over by then, and worth no word. */
  sayStopMs: 2_000,
  /** What was stopped together with others and is left so makes a later stop in its domain part of it for so long. */
  waveMs: 60_000,
  /**
   * So many services, and such a share of their domain, ill at once are no coincidence: the fault is elsewhere. Counted from
   * the first evidence of each, which silence needs 2.5 s to become a verdict.
   */
  mass: { services: 3, share: 0.55, withinMs: 12_500 },
  /** Who falls ill this soon after something that it depends on was removed does so for want of that. */
  missingMs: 300_000,
  /** So often down within so long is flapping: one incident, which closes only after as long without. */
  flapping: { downs: 3, withinMs: 600_000 },
} as const

/**
 * Why an instance that is ill has no incident yet.
 * confirming: dependencies are being asked · awaiting-root: a dependency is doubted, its own verdict is due ·
 * awaiting-liveness: its readiness is silent, and liveness may be so in a moment · dying: it is dead, and a dependency may be
 * seen dead in a moment; not waited for beyond `latest`
 */
export type Doubt =
  | {
      readonly kind: 'confirming'
      readonly token: string
      readonly until: number
      /** Those asked only to see whether the illness is general. */
      readonly peers: readonly string[]
    }
  | {
      readonly kind: 'awaiting-root'
      readonly suspects: readonly string[]
      readonly until: number
    }
  | { readonly kind: 'awaiting-liveness'; readonly until: number }
  | { readonly kind: 'dying'; readonly until: number; readonly latest: number }

export interface ServiceRecord {
  spec: ServiceSpec
  /** Last verdict of each instance. */
  readonly verdicts: Map<string, Verdict>
  /** startedAt of the run that the runtime reported last, by instance. */
  readonly runs: Map<string, string | null>
  /** When the last run that has ended did so, as its runtime says, by instance. */
  readonly ends: Map<string, string>
  /** Instances whose process is stopped (state T), as the runtime saw it. */
  readonly suspended: Set<string>
  /** Instances that somebody is stopping, and since when; monotonic. */
  readonly stopping: Map<string, number>
  /** Instances that somebody has stopped. */
  readonly stops: Map<string, Stop>
  /** Monotonic; when an instance of it was last removed. */
  removedAt: number | null
  /** Instances of which a new run began while we watched, by that run's start. */
  readonly renewed: Map<string, string>
  /** Instances that are to be restarted for another's sake: the incident it is for, and the run that is to end. */
  readonly rejoining: Map<string, { readonly incident: string; readonly run: string }>
  /** Instance → the one whose network namespace it shares. */
  readonly networkOf: Map<string, string>
  /** Monotonic times at which it went down. */
  downs: number[]
  /** By instance: of several copies each may be ill in its own way. */
  readonly doubts: Map<string, Doubt>
  /** Instance → incident of another service that it suffers under. */
  readonly impacts: Map<string, string>
  /** Dependencies that are not there any more, by when that was found; monotonic. */
  readonly missing: Map<string, number>
  /** Instances that their runtime is about to start again. */
  readonly restarting: Set<string>
  view: ServiceView
}

export interface OpenIncident {
  incident: Incident
  /** As it was told last; another object means that it has changed since. */
  published: Incident | null
  /** Monotonic; for re-parenting to a root that shows late. */
  readonly detectedMono: number
  /** Monotonic; when it may close, set at recovery. */
  closesAt: number | null
  /** Monotonic; when services that are still ill under it are judged on their own: the dead of liveness first, then all. */
  reviewAt: number | null
  settledAt: number
}

/** Owned by the step: `reduce` changes it in place and hands it back. */
export interface DiagnosisState {
  readonly services: Map<string, ServiceRecord>
  readonly incidents: Map<string, OpenIncident>
  graph: Graph
  observerUnwell: boolean
  readonly maintenance: Map<string, Maintenance>
  /** Services that went with their last instance: that somebody takes their domain apart is remembered for a while. */
  readonly removals: Map<string, { readonly domain: string; readonly at: number }>
  tokens: number
  /** Incident ids given within the last millisecond that gave any: an id is never given twice. */
  readonly given: { stamp: string; count: number }
}

export const initialState = (): DiagnosisState => ({
  services: new Map(),
  incidents: new Map(),
  graph: buildGraph([]),
  observerUnwell: false,
  maintenance: new Map(),
  removals: new Map(),
  tokens: 0,
  given: { stamp: '', count: 0 },
})

/** One call of `reduce`: where conclusions are collected. */
export interface Turn {
  readonly state: DiagnosisState
  readonly now: Now
  readonly events: DerivedEvent[]
  readonly effects: Effect[]
}

export const freshRecord = (spec: ServiceSpec): ServiceRecord => ({
  spec,
  verdicts: new Map(),
  runs: new Map(),
  ends: new Map(),
  suspended: new Set(),
  stopping: new Map(),
  stops: new Map(),
  removedAt: null,
  renewed: new Map(),
  rejoining: new Map(),
  networkOf: new Map(),
  downs: [],
  doubts: new Map(),
  impacts: new Map(),
  missing: new Map(),
  restarting: new Set(),
  view: freshView(spec.name),
})

const freshView = (name: string): ServiceView => ({
  name,
  status: 'unknown',
  cause: null,
  symptom: null,
  reason: 'not examined yet',
  since: null,
  incident: null,
})
