import type { Action, ActionOutcome, InstanceStatus, Symptom } from '../model/index.ts'
import type { Truth } from './oracle.ts'
import type { TroubleKind } from './scenario.ts'

/** A service was said to be ill. */
export interface Declaration {
  readonly at: number
  readonly service: string
  readonly status: InstanceStatus
  readonly symptom: Symptom | null
  readonly reason: string
  readonly truth: Truth
}

export interface SimulatedAction {
  readonly decidedAt: number
  readonly action: Action
  outcome: ActionOutcome | null
  finishedAt: number | null
}

/** Milliseconds of virtual time, one entry per fault. */
export type Samples = Partial<Record<TroubleKind, number[]>>

/** What a run came to, in figures that add up over runs. */
export interface Figures {
  serviceHours: number
  attempts: number
  declarations: number
  unreachable: number
  /** At most `MAX_LISTED`; `falseCount` counts all. */
  falseDeclarations: Declaration[]
  falseCount: number
  /** Restarts of services that were well, their dependencies apart. */
  healthyRestarts: number
  incidents: number
  actions: number
  quarantines: number
  /** From the fault to the first declaration. */
  detection: Samples
  /** Faults that ended or were never declared before the run ended. */
  undetected: Partial<Record<TroubleKind, number>>
  /** From the fault until the service truly serves again; only faults that do not end by themselves. */
  recovery: Samples
  /** The same without the boot of the last run. */
  overhead: Samples
}

export const MAX_LISTED = 100

export const noFigures = (): Figures => ({
  serviceHours: 0,
  attempts: 0,
  declarations: 0,
  unreachable: 0,
  falseDeclarations: [],
  falseCount: 0,
  healthyRestarts: 0,
  incidents: 0,
  actions: 0,
  quarantines: 0,
  detection: {},
  undetected: {},
  recovery: {},
  overhead: {},
})

export function addFigures(into: Figures, more: Figures): Figures {
  for (const key of ['serviceHours', 'attempts', 'declarations', 'unreachable', 'falseCount'] as const) {
    into[key] += more[key]
  }
  for (const key of ['healthyRestarts', 'incidents', 'actions', 'quarantines'] as const) into[key] += more[key]
  into.falseDeclarations = [...into.falseDeclarations, ...more.falseDeclarations].slice(0, MAX_LISTED)
  for (const key of ['detection', 'recovery', 'overhead'] as const) {
    for (const [kind, values] of entriesOf(more[key])) for (const value of values) sample(into[key], kind, value)
  }
  for (const [kind, count] of entriesOf(more.undetected)) into.undetected[kind] = (into.undetected[kind] ?? 0) + count
  return into
}

export function sample(samples: Samples, kind: TroubleKind, ms: number): void {
  const list = samples[kind]
  if (list) list.push(ms)
  else samples[kind] = [ms]
}

export function entriesOf<V>(record: Partial<Record<TroubleKind, V>>): [TroubleKind, V][] {
  return Object.entries(record) as [TroubleKind, V][]
}

export interface Percentiles {
  readonly n: number
  readonly p50: number
  readonly p99: number
  readonly max: number
}

/** Nearest rank; null without a sample. */
export function percentiles(samples: readonly number[] | undefined): Percentiles | null {
  if (!samples || samples.length === 0) return null
  const sorted = samples.toSorted((a, b) => a - b)
  const rank = (share: number) => sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] as number
  return { n: sorted.length, p50: rank(0.5), p99: rank(0.99), max: rank(1) }
}

/**
 * The largest mean that is still compatible, at 95 %, with having counted `count` rare events: 3 for none (rule of three), else
 * Wilson and Hilferty's approximation of the chi-square quantile. Divide by what was examined.
 */
export function upperBound95(count: number): number {
  if (count === 0) return 3
  const n = count + 1
  return n * (1 - 1 / (9 * n) + 1.645 / (3 * Math.sqrt(n))) ** 3
}
