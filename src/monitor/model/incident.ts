import type { Action, ActionOutcome } from './action.ts'
import type { EvidenceClass, Symptom } from './verdict.ts'

export type Cause = 'self' | 'dependency' | 'host' | 'observer' | 'operator'

/** A service that suffers under an incident whose root is another. */
export interface Impact {
  readonly service: string
  readonly since: string
  readonly reason: string
}

/** Everything that follows from one root cause. Times are ISO 8601 UTC; null: not yet. */
export interface Incident {
  readonly id: string
  /** The root: the service that is ill itself, or that shows an illness whose root is not watched. */
  readonly service: string
  readonly instance: string | null
  readonly cause: Cause
  readonly severity: 'degraded' | 'unhealthy'
  readonly symptom: Symptom
  readonly evidence: EvidenceClass | null
  readonly reason: string
  /** First evidence. */
  readonly openedAt: string
  /** The verdict. */
  readonly detectedAt: string
  /** The root is healthy again (verified after an action). */
  readonly recoveredAt: string | null
  /** Stable since `recoveredAt` for as long as the policy asks. */
  readonly closedAt: string | null
  readonly impacted: readonly Impact[]
}

/** What recovery did for an incident, joined for showing. */
export interface IncidentAction {
  readonly action: Action
  readonly decidedAt: string
  readonly finishedAt: string | null
  readonly outcome: ActionOutcome | null
}
