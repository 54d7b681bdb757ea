import type { DerivedEvent, Effect, Incident, Now, ServiceSpec, ServiceView, Verdict } from '../model/index.ts'
import { buildGraph, type Graph } from './graph.ts'

/** Numbers of diagnosis, milliseconds. Source: reference "Recovery", root cause. */
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
  /** A process that falls silent shows it first by whichever probe is asked first: wait so long for liveness. */
  livenessMs: 1_500,
} as const

/**
 * Why a service that is ill has no incident yet.
 * confirming: dependencies are being asked · awaiting-root: a dependency is doubted, its own verdict is due ·
 * awaiting-liveness: its readiness is silent, and liveness may be so in a moment · dying: it is dead, and a dependency may be
 * seen dead in a moment; not waited for beyond `latest`
 */
export type Doubt =
  | { readonly kind: 'confirming'; readonly token: string; readonly instance: string; readonly until: number }
  | {
      readonly kind: 'awaiting-root'
      readonly instance: string
      readonly suspects: readonly string[]
      readonly until: number
    }
  | { readonly kind: 'awaiting-liveness'; readonly instance: string; readonly until: number }
  | { readonly kind: 'dying'; readonly instance: string; readonly until: number; readonly latest: number }

export interface ServiceRecord {
  spec: ServiceSpec
  /** Last verdict of each instance. */
  readonly verdicts: Map<string, Verdict>
  /** startedAt of the run that the runtime reported last, by instance. */
  readonly runs: Map<string, string | null>
  /** Instances whose process is stopped (state T), as the runtime saw it. */
  readonly suspended: Set<string>
  doubt: Doubt | null
  /** Incident of another service that this one suffers under. */
  impactedBy: string | null
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
  tokens: number
  /** Incident ids given within the last millisecond that gave any: an id is never given twice. */
  readonly given: { stamp: string; count: number }
}

export const initialState = (): DiagnosisState => ({
  services: new Map(),
  incidents: new Map(),
  graph: buildGraph([]),
  observerUnwell: false,
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

export const freshView = (name: string): ServiceView => ({
  name,
  status: 'unknown',
  cause: null,
  symptom: null,
  reason: 'not examined yet',
  since: null,
  incident: null,
})
