import type { Pace, ProbeRole, ProbeSpec } from '../model/index.ts'
import { emptyErrors, forgetErrors, type Errors } from './errors.ts'
import { emptyReported, type Names, type Reported } from './names.ts'
import { rules } from './rules.ts'
import { emptyRun, type Run } from './run.ts'
import { clearSeries, emptySeries, type Series } from './series.ts'
import { emptySlowness, forgetSamples, type Slowness } from './slow.ts'
import { emptyStreak, type Streak } from './streak.ts'

/** The evidence of one probe about one run of one instance. */
export interface Track {
  readonly name: string
  readonly role: ProbeRole
  intervalMs: number
  readonly mayQuicken: boolean
  readonly timeoutMs: number
  readonly guessed: boolean
  readonly standIn: boolean
  /** It was a stand-in, and what it stood in for has come. */
  replaced: boolean
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

export function newTrack(spec: ProbeSpec, proven: boolean, at: number): Track {
  const { spanMs, afterTimeoutMs } = rules.silence
  return {
    name: spec.name,
    role: spec.role,
    intervalMs: spec.intervalMs,
    mayQuicken: spec.mayQuicken === true,
    timeoutMs: spec.timeoutMs,
    guessed: spec.guessed === true,
    standIn: spec.standIn === true,
    replaced: false,
    silenceMs: Math.max(spanMs, spec.timeoutMs + afterTimeoutMs),
    lastStarted: 0,
    validFrom: 1,
    succeeded: false,
    // That the instance's probes were good once says nothing of those which never counted.
    proven: proven && spec.guessed !== true,
    lastSuccessAt: -Infinity,
    lastValidAt: at,
    lastVoid: '',
    series: emptySeries(),
    explicit: emptyRun(),
    answered: true,
    share: 0,
    shareBefore: 0,
    names: { current: [], candidate: null },
    misconfigured: emptyRun(),
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

/** A guess that was never right says nothing at all, neither good nor bad; nor does what stood in for one that was. */
export function counts(track: Track): boolean {
  return (track.proven || !track.guessed) && !track.replaced
}

/** A guess that was right takes the place of those that stood in for it. */
export function replaceStandIns(by: Track, tracks: readonly Track[]): void {
  if (!by.guessed || !by.proven) return
  for (const track of tracks) if (track.standIn && track.role === by.role) track.replaced = true
}

/** Something is concluded against the target from this probe. */
export function isIll(track: Track): boolean {
  const { dead, isMisconfigured, errors, slow, reported } = track
  if (!counts(track)) return false
  return dead !== 'no' || isMisconfigured || errors.active || slow.active || reported.active
}
