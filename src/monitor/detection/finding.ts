import type { EvidenceClass, InstanceStatus, Symptom } from '../model/index.ts'

/** What an instance is found to be. One constant object each, so that a change is a comparison of references. */
export interface Finding {
  readonly status: InstanceStatus
  readonly symptom: Symptom | null
  readonly evidence: EvidenceClass | null
  /** It comes with the names of failing checks, which may change by themselves. */
  readonly named: boolean
}

const finding = (
  status: InstanceStatus,
  symptom: Symptom | null = null,
  evidence: EvidenceClass | null = null,
  named = false,
): Finding => ({ status, symptom, evidence, named })

/** Before the first verdict; equal to no other. */
export const initialFinding = finding('unknown')

export const findings = {
  healthy: finding('healthy'),
  starting: finding('starting'),
  unexamined: finding('unknown'),
  observer: finding('unknown', 'observer'),
  stale: finding('unknown', 'observer'),
  exited: finding('unhealthy', 'exited', 'certain'),
  failedToStart: finding('unhealthy', 'failed-to-start', 'certain'),
  oom: finding('unhealthy', 'oom', 'certain'),
  finished: finding('unknown', 'finished'),
  stopping: finding('unknown', 'stopped'),
  runtimeAway: finding('unknown', 'runtime'),
  paused: finding('unhealthy', 'paused', 'certain'),
  failing: finding('unhealthy', 'failing', 'explicit', true),
  hung: finding('unhealthy', 'hung', 'silence'),
  /** Without evidence: a probe that never succeeded may simply be wrong. */
  neverReady: finding('unhealthy', 'never-ready'),
  neverReadyFailing: finding('unhealthy', 'never-ready', 'explicit', true),
  neverReadyHung: finding('unhealthy', 'never-ready', 'silence'),
  notReady: finding('degraded', 'not-ready', 'explicit', true),
  notReadySilent: finding('degraded', 'not-ready', 'silence'),
  erroring: finding('degraded', 'erroring', 'explicit'),
  slow: finding('degraded', 'slow', 'slow'),
  reported: finding('degraded', 'reported', 'explicit', true),
  misconfigured: finding('degraded', 'misconfigured'),
  misconfiguredEver: finding('unknown', 'misconfigured'),
} as const
