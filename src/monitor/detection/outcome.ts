import type { AttemptOutcome, Observation } from '../model/index.ts'
import { countFailure, countSuccess } from './errors.ts'
import { believe, countReport, hear } from './names.ts'
import { rules } from './rules.ts'
import { lasted, prolong } from './run.ts'
import { addStart, clearSeries, countAnswered, removeStart } from './series.ts'
import { groupAnswered, groupStarted, groupUnanswered, learnLatency } from './slow.ts'
import { extend, sustained, type Streak } from './streak.ts'
import type { Track } from './track.ts'

/** Circumstances that an attempt's outcome is judged in. */
export interface Circumstances {
  /** The instance is past its start. */
  readonly up: boolean
  readonly healthy: boolean
  readonly stretched: boolean
}

export function attemptStarted(track: Track, attempt: number, group: number, at: number): void {
  track.lastStarted = attempt
  addStart(track.series, attempt, at)
  groupStarted(track.slow, attempt, group, at)
}

export function attemptFinished(track: Track, seen: Observation, now: number, where: Circumstances): void {
  const { outcome, attempt } = seen
  if (attempt < track.validFrom) return
  if (outcome.class === 'void') {
    removeStart(track.series, attempt)
    groupUnanswered(track.slow, attempt, true)
    track.lastVoid = outcome.reason
    return
  }
  track.lastValidAt = now
  if (outcome.class === 'ok') return succeeded(track, seen, outcome, now, where)
  groupUnanswered(track.slow, attempt, false)
  if (outcome.class === 'silence') {
    // A success meanwhile says that the network lost this one.
    if (track.lastSuccessAt < seen.startedAt) track.good.count = 0
    return
  }
  if (outcome.class === 'misconfigured') {
    // Something lives there, though not what was asked for: neither silence nor a failure goes on.
    clearSeries(track.series)
    track.explicit.count = 0
    prolong(track.misconfigured, seen, outcome.reason)
    const { attempts, spanMs } = rules.misconfigured
    if (lasted(track.misconfigured, attempts, spanMs)) track.isMisconfigured = true
    track.good.count = 0
    return
  }
  failed(track, seen, outcome)
}

function succeeded(
  track: Track,
  seen: Observation,
  outcome: Extract<AttemptOutcome, { class: 'ok' }>,
  now: number,
  where: Circumstances,
): void {
  track.lastSuccessAt = now
  clearSeries(track.series)
  track.explicit.count = 0
  track.misconfigured.count = 0
  extend(track.good, seen.startedAt)
  if (!track.succeeded) {
    track.succeeded = true
    track.proven = true
    track.dead = 'no'
    track.isMisconfigured = false
  } else if ((track.dead !== 'no' || track.isMisconfigured) && sustained(track.good)) {
    if (track.dead !== 'no') track.share = 0
    track.dead = 'no'
    track.isMisconfigured = false
  }
  groupAnswered(track.slow, seen.attempt, seen.startedAt, outcome.latencyMs, where.up && !where.stretched)
  // A late answer is no measure of what is usual; nor is one that was raced by its hedge.
  if (where.healthy && !where.stretched && outcome.latencyMs <= track.slow.thresholdMs) {
    learnLatency(track.slow, outcome.latencyMs, track.timeoutMs)
  }
  if (track.role === 'liveness') {
    track.share -= rules.explicit.shareWeight * track.share
    countSuccess(track.errors, seen.startedAt)
  }
  const report = outcome.report
  if (report?.library && track.mayQuicken) track.intervalMs = Math.min(track.intervalMs, rules.library.intervalMs)
  if (report?.status === 'degraded') countReport(track.reported, report.failing, now)
  else if (track.reported.count > 0) {
    // Its own word counts again from here; `good` says for how long it has been well.
    track.reported.count = 0
    if (track.reported.active) restart(track.good, seen.startedAt)
  } else if (track.reported.active && sustained(track.good)) track.reported.active = false
}

function failed(track: Track, seen: Observation, outcome: Extract<AttemptOutcome, { class: 'explicit' }>): void {
  const answered = outcome.answered === true
  if (answered) countAnswered(track.series, seen.attempt)
  if (track.explicit.count === 0) {
    track.shareBefore = track.errors.active ? Math.max(rules.explicit.shareErroring, track.share) : track.share
    track.answered = answered
  } else if (!answered) track.answered = false
  prolong(track.explicit, seen, outcome.reason)
  track.misconfigured.count = 0
  track.good.count = 0
  const failing = outcome.report?.failing ?? []
  if (track.dead === 'failing') hear(track.names, failing)
  else believe(track.names, failing)
  if (track.role !== 'liveness') return
  track.share += rules.explicit.shareWeight * (1 - track.share)
  if (track.dead === 'no') countFailure(track.errors, seen.startedAt, seen.endedAt)
}

/** Whether an outcome speaks against the target in any way. */
export function saysIll(track: Track, outcome: Exclude<AttemptOutcome, { class: 'void' }>): boolean {
  if (outcome.class !== 'ok') return true
  return outcome.latencyMs > track.slow.thresholdMs || outcome.report?.status === 'degraded'
}

function restart(streak: Streak, startedAt: number): void {
  streak.count = 0
  extend(streak, startedAt)
}
