import type { Status } from './status.ts'

export interface Thresholds {
  /** Worse results in a row that make the status worse. */
  readonly failureThreshold: number
  /** Better results in a row that make the status better. */
  readonly successThreshold: number
}

/** Lengths of the runs of results that end with the latest one. */
interface Runs {
  readonly unhealthy: number
  /** Degraded or worse. */
  readonly unsound: number
  readonly healthy: number
  /** Degraded or better. */
  readonly bearable: number
}

export interface Judged {
  readonly status: Status
  readonly runs: Runs
  /** Latest results in a row that are not what the status says. */
  readonly wavering: number
}

export type ThresholdState = { readonly status: null } | Judged

export const initialThresholdState: ThresholdState = { status: null }

const noRuns: Runs = { unhealthy: 0, unsound: 0, healthy: 0, bearable: 0 }

/**
 * The status after one more result. The first result counts at once, since until then nothing is known; after that a run
 * of worse (better) results as long as its threshold moves the status, to the mildest (worst) of that run. Below the
 * threshold nothing changes, as with kubelet.
 */
export function applyResult(state: ThresholdState, result: Status, thresholds: Thresholds): Judged {
  const past = state.status === null ? noRuns : state.runs
  const runs: Runs = {
    unhealthy: result === 'unhealthy' ? past.unhealthy + 1 : 0,
    unsound: result === 'healthy' ? 0 : past.unsound + 1,
    healthy: result === 'healthy' ? past.healthy + 1 : 0,
    bearable: result === 'unhealthy' ? 0 : past.bearable + 1,
  }
  const status = state.status === null ? result : next(state.status, runs, thresholds)
  const before = state.status === null ? 0 : state.wavering
  return { status, runs, wavering: status === result ? 0 : before + 1 }
}

function next(status: Status, runs: Runs, { failureThreshold, successThreshold }: Thresholds): Status {
  if (runs.unhealthy >= failureThreshold) return 'unhealthy'
  if (status === 'healthy') return runs.unsound >= failureThreshold ? 'degraded' : 'healthy'
  if (runs.healthy >= successThreshold) return 'healthy'
  if (status === 'unhealthy') return runs.bearable >= successThreshold ? 'degraded' : 'unhealthy'
  return 'degraded'
}
