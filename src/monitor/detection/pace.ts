import { failuresNeeded } from './dead.ts'
import { rules } from './rules.ts'
import { isSuspect } from './slow.ts'
import type { DetectionState } from './state.ts'
import type { Track } from './track.ts'

const never = Infinity

/** How soon after the last primary the next one should start. */
export function wantedInterval(state: DetectionState, track: Track, now: number): number {
  if (!isExamined(state) || (track.role === 'startup' && track.succeeded)) return never
  return Math.min(track.intervalMs, soonest(state, track, now))
}

function soonest(state: DetectionState, track: Track, now: number): number {
  const { starting, ill, explicit, errors, slow, healthy } = rules
  if (!track.succeeded) {
    const age = now - state.seenAt
    if (age < starting.forMs) return starting.paceMs
    return age < starting.thenForMs ? starting.thenPaceMs : never
  }
  if (track.dead !== 'no' || track.isMisconfigured) {
    return track.good.count > 0 || now - track.deadAt < ill.forMs ? ill.paceMs : never
  }
  if (track.explicit.count > 0) {
    const burst = track.role === 'liveness' && track.answered && !track.errors.active
    return burst && track.explicit.count < failuresNeeded(track) ? explicit.answeredPaceMs : explicit.paceMs
  }
  if (track.errors.active) return slow.paceMs
  if (track.errors.score > errors.suspectScore) return errors.paceMs
  // A second attempt without an answer to the first: silence or slowness, and either wants a closer look.
  if (track.series.count >= 2 || track.misconfigured.count > 0 || isSuspect(track.slow)) return slow.paceMs
  const toldOnce = track.reported.active !== track.reported.count > 0
  return toldOnce || (state.phase === 'starting' && state.wasIll) ? healthy.paceMs : never
}

/** No hedges while starting or ill: the pace is enough, and an ill target gets no double load. */
export function wantedHedge(state: DetectionState, track: Track): number | null {
  if (!isExamined(state) || !track.succeeded || track.dead !== 'no') return null
  const { minMs, p99Factor, maxShareOfSilence } = rules.hedge
  const usual = Math.ceil((p99Factor * track.slow.p99.value) / 10) * 10
  return Math.min(Math.max(minMs, usual), maxShareOfSilence * track.silenceMs)
}

/** Only what runs is examined; a suspended process runs, as far as its port is concerned. */
export function isExamined(state: DetectionState): boolean {
  return !state.removed && (state.instance.state === 'running' || state.instance.state === 'suspended')
}
