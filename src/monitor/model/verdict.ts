export type InstanceStatus = 'starting' | 'healthy' | 'degraded' | 'unhealthy' | 'unknown'

/** certain: the runtime saw it · explicit: it said so · silence: it said nothing · slow: it said so too late */
export type EvidenceClass = 'certain' | 'explicit' | 'silence' | 'slow'

export type Symptom =
  /** The process is gone, with certainty. */
  | 'exited'
  /** It could not be started. */
  | 'failed-to-start'
  /** It runs and does not answer. */
  | 'hung'
  /** It answers that it is ill, refuses, or answers garbage. */
  | 'failing'
  /** It is alive and says that it cannot serve. */
  | 'not-ready'
  | 'slow'
  /** Part of its answers are errors. */
  | 'erroring'
  /** It reports itself as degraded. */
  | 'reported'
  /** No success within the start-up grace. */
  | 'never-ready'
  /** The probe asks for something that is not there. Never a reason to act. */
  | 'misconfigured'
  /** Frozen by its runtime. */
  | 'paused'
  /** Ended for want of memory. */
  | 'oom'
  /** Somebody has asked it to end, or has ended it. */
  | 'stopped'
  /** It ran once and ended well, as it should. */
  | 'finished'
  /** Its runtime does not answer. */
  | 'runtime'
  /** The monitor does not trust its own eyes. */
  | 'observer'

/** A change of status with its reason. Published on change only; a change of symptom or of `failing` counts as one. */
export interface Verdict {
  readonly instance: string
  readonly service: string
  /** Which run was judged; null when it was not running. */
  readonly startedAt: string | null
  readonly status: InstanceStatus
  readonly previous: InstanceStatus
  readonly evidence: EvidenceClass | null
  readonly symptom: Symptom | null
  /** One printable sentence without a full stop; empty when healthy. */
  readonly reason: string
  /** Names of the checks that the target itself reports as not healthy. */
  readonly failing: readonly string[]
  /** Monotonic: the first sign of what led here. */
  readonly firstEvidenceAt: number
  /** With the good verdict after a boot that took longer than any before: how long, milliseconds. */
  readonly bootMs?: number
}
