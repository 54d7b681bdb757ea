import type { AttemptClass, InputEvent, Instance, RuntimeEvent, ServiceSpec, Verdict } from '../model/index.ts'
import type { TraceRecord } from '../simulation/index.ts'

/** The last look at one probe of one instance. */
export interface ProbeSummary {
  readonly instance: string
  readonly probe: string
  readonly lastOutcome: AttemptClass
  /** null for a void attempt. */
  readonly lastLatencyMs: number | null
  /** Wall-clock milliseconds. */
  readonly lastAt: number
  /** As the target reported it in this look. Absent: it did not. */
  readonly version?: string
}

/** A second of probing; it comes every second, and so is the worker's heartbeat as well. */
export interface ShardSecond {
  readonly type: 'summary'
  /** Only those that were looked at in this second. */
  readonly probes: readonly ProbeSummary[]
  /** Finished in this second. */
  readonly attempts: number
  /** Of the good answers of this second; null when there was none. */
  readonly latencyP50Ms: number | null
  readonly latencyP99Ms: number | null
  /** How much later than wanted the loop woke up. */
  readonly latenessP99Ms: number
  readonly inFlight: number
}

export type Boots = readonly { readonly service: string; readonly bootMs: number }[]

/** What goes into detection and what comes out, for a trace that can be replayed. */
export type DetectionRecord = Extract<TraceRecord, { t: 'watch' | 'detect' | 'verdict' }>

export type ToShard =
  /** The whole truth: what is not named is no longer examined, what is unchanged goes on undisturbed. */
  | {
      readonly type: 'targets'
      readonly services: readonly ServiceSpec[]
      readonly instances: readonly Instance[]
      /** Ids of instances whose probes are known to have succeeded in a former life of the monitor. */
      readonly proven: readonly string[]
      /** The longest boot that is known, by service, milliseconds. */
      readonly boots: Boots
    }
  | { readonly type: 'instance'; readonly event: RuntimeEvent }
  | {
      readonly type: 'confirm'
      readonly token: string
      readonly services: readonly string[]
      readonly withinMs: number
    }
  | { readonly type: 'stop' }

export type FromShard =
  | { readonly type: 'ready' }
  | { readonly type: 'verdict'; readonly verdict: Verdict }
  | {
      readonly type: 'event'
      readonly event: Extract<InputEvent, { readonly type: 'observer.changed' | 'confirmed' }>
    }
  | ShardSecond
  | { readonly type: 'records'; readonly records: readonly DetectionRecord[] }
  /** Something that should not be; probing goes on. For the log. */
  | { readonly type: 'problem'; readonly message: string }

/** How a shard is set up; crosses the thread border. */
export interface ShardSettings {
  /** Also post every input and output of detection. */
  readonly record: boolean
  readonly userAgent: string
  /** Attempts in flight over all targets; more are void. Each is a socket. */
  readonly maxInFlight: number
}

export const defaultShardSettings: ShardSettings = { record: false, userAgent: 'medyk', maxInFlight: 2_000 }
