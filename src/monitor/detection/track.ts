import type { AttemptOutcome, Observation, Pace, ProbeRole, ProbeSpec } from '../model/index.ts'
import { countFailure, countSuccess, emptyErrors, forgetErrors, type Errors } from './errors.ts'
import { believe, countReport, emptyReported, hear, type Names, type Reported } from './names.ts'
import { rules } from './rules.ts'
import { addStart, clearSeries, countAnswered, emptySeries, firstStart, removeStart, type Series } from './series.ts'
import {
  emptySlowness,
  forgetSamples,
  groupAnswered,
  groupStarted,
  groupUnanswered,
  learnLatency,
  type Slowness,
} from './slow.ts'
import { emptyStreak, extend, sustained, type Streak } from './streak.ts'

/** Failures of one kind in a row. */
export interface Run {
  count: number
  firstStart: number
  lastStart: number
  /** When the first of them was known. */
  firstAt: number
  reason: string
}

/** The evidence of one probe about one run of one instance. */
export interface Track {
  readonly name: string
  readonly role: ProbeRole
  readonly intervalMs: number
  readonly timeoutMs: number
  /** E2's span before it is stretched. */
  readonly silenceMs: number
  /** The last attempt that was announced, and the first that is not to be thrown away. Attempts count from 1. */
  lastStarted: number
  validFrom: number
  /** Succeeded in this run; succeeded ever. */
  succeeded: boolean
  proven: boolean
  lastSuccessAt: number
  /** Since when nothing valid was seen. */
  lastValidAt: number
  lastVoid: string
  readonly series: Series
  readonly explicit: Run
  /** Every failure of the run was an answer. */
  answered: boolean
  /** Weighted share of failures among answers, and as it was when the run of failures began. */
  share: number
  shareBefore: number
  readonly names: Names
  readonly misconfigured: Run
  isMisconfigured: boolean
  /** E1 or E2 holds, until a streak of successes. */
  dead: 'no' | 'failing' | 'hung'
  deadAt: number
  /** First evidence of it. */
  deadSince: number
  deadReason: string
  readonly good: Streak
  readonly slow: Slowness
  readonly errors: Errors
  readonly reported: Reported
  pace: Pace | null
}

/** Circumstances that an attempt's outcome is judged in. */
export interface Circumstances {
  /** The instance is past its start. */
  readonly up: boolean
  readonly healthy: boolean
  readonly stretched: boolean
}

export function newTrack(spec: ProbeSpec, proven: boolean, at: number): Track {
  const { spanMs, afterTimeoutMs } = rules.silence
  const run = (): Run => ({ count: 0, firstStart: 0, lastStart: 0, firstAt: 0, reason: '' })
  return {
    name: spec.name,
    role: spec.role,
    intervalMs: spec.intervalMs,
    timeoutMs: spec.timeoutMs,
    silenceMs: Math.max(spanMs, spec.timeoutMs + afterTimeoutMs),
    lastStarted: 0,
    validFrom: 1,
    succeeded: false,
    proven,
    lastSuccessAt: -Infinity,
    lastValidAt: at,
    lastVoid: '',
    series: emptySeries(),
    explicit: run(),
    answered: true,
    share: 0,
    shareBefore: 0,
    names: { current: [], candidate: null },
    misconfigured: run(),
    isMisconfigured: false,
    dead: 'no',
    deadAt: 0,
    deadSince: 0,
    deadReason: '',
    good: emptyStreak(),
    slow: emptySlowness(spec.timeoutMs),
    errors: emptyErrors(),
    reported: emptyReported(),
    pace: null,
  }
}

/** Everything in flight and every unfinished series is void; conclusions stay. */
export function discardInFlight(track: Track, at: number): void {
  track.validFrom = track.lastStarted + 1
  track.lastValidAt = at
  clearSeries(track.series)
  track.explicit.count = 0
  track.misconfigured.count = 0
  track.good.count = 0
  const { active } = track.slow
  forgetSamples(track.slow)
  track.slow.active = active
}

/** A new run of the instance, or (not `another`) the same one unfrozen: nothing that was concluded before holds. */
export function beginRun(track: Track, at: number, another: boolean): void {
  discardInFlight(track, at)
  if (another) track.succeeded = false
  track.isMisconfigured = false
  track.dead = 'no'
  track.share = 0
  track.slow.active = false
  forgetErrors(track.errors)
  track.reported.count = 0
  track.reported.active = false
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

/** Something is concluded against the target from this probe. */
export function isIll(track: Track): boolean {
  const { dead, isMisconfigured, errors, slow, reported } = track
  return dead !== 'no' || isMisconfigured || errors.active || slow.active || reported.active
}

/** Whether an outcome speaks against the target in any way. */
export function saysIll(track: Track, outcome: Exclude<AttemptOutcome, { class: 'void' }>): boolean {
  if (outcome.class !== 'ok') return true
  return outcome.latencyMs > track.slow.thresholdMs || outcome.report?.status === 'degraded'
}

/** Failures in a row that E1 asks for. */
export function failuresNeeded(track: Track): number {
  const { attempts, answeredAttempts, chance, shareMax } = rules.explicit
  if (track.role !== 'liveness' || !track.answered) return attempts
  const share = Math.min(shareMax, track.shareBefore)
  const byChance = share > 0 ? Math.ceil(Math.log(chance) / Math.log(share)) : 0
  return Math.max(answeredAttempts, byChance)
}

/** When silence would be long enough; Infinity while too few attempts have begun. */
export function silentAt(track: Track, stretched: boolean): number {
  const { attempts, unanswered, stretchMs } = rules.silence
  if (track.series.count < attempts || track.series.count - track.series.answered < unanswered) return Infinity
  const patient = stretched || track.slow.loss > rules.lossy.share
  return firstStart(track.series) + track.silenceMs + (patient ? stretchMs : 0)
}

/** E1 and E2; true when one of them declares. Once failing it is not called hung: nothing takes back what was said. */
export function applyRules(track: Track, now: number, stretched: boolean): boolean {
  if (track.dead === 'failing') return false
  if (track.explicit.count > 0 && lasted(track.explicit, failuresNeeded(track), rules.explicit.spanMs)) {
    declare(track, 'failing', now, track.explicit.firstAt, track.explicit.reason)
    return true
  }
  if (track.dead === 'no' && track.series.count > 0 && now >= silentAt(track, stretched)) {
    const seconds = ((now - firstStart(track.series)) / 1_000).toFixed(1)
    declare(track, 'hung', now, firstStart(track.series), `no answer to ${track.series.count} attempts in ${seconds} s`)
    return true
  }
  return false
}

function declare(track: Track, dead: 'failing' | 'hung', now: number, since: number, reason: string): void {
  if (track.dead === 'no') track.deadSince = since
  track.dead = dead
  track.deadAt = now
  track.deadReason = reason
  // The outage has its verdict; counted as errors too, it would be held against the target after its recovery.
  forgetErrors(track.errors)
}

function prolong(run: Run, seen: Observation, reason: string): void {
  if (run.count++ === 0) {
    run.firstStart = seen.startedAt
    run.lastStart = seen.startedAt
    run.firstAt = seen.endedAt
  }
  if (seen.startedAt < run.firstStart) run.firstStart = seen.startedAt
  if (seen.startedAt > run.lastStart) run.lastStart = seen.startedAt
  run.reason = reason
}

function lasted(run: Run, attempts: number, spanMs: number): boolean {
  return run.count >= attempts && run.lastStart - run.firstStart >= spanMs
}

function restart(streak: Streak, startedAt: number): void {
  streak.count = 0
  extend(streak, startedAt)
}
