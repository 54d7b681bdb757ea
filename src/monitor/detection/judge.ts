import { longestBootMs, type ProbeRole } from '../model/index.ts'
import { findings, type Finding } from './finding.ts'
import { rules } from './rules.ts'
import type { DetectionState } from './state.ts'
import { sustained } from './streak.ts'
import { counts, type Track } from './track.ts'

/** The worst that holds, in the order of what it says about the instance. Pure but for ending the start-up phase. */
export function judge(state: DetectionState, now: number): Finding {
  switch (state.instance.state) {
    // What the runtime saw is certain, whatever the prober's eyes are worth.
    case 'exited':
    case 'restarting':
      return judgeEnd(state)
    case 'stopping':
      return findings.stopping
    case 'unknown':
      return findings.runtimeAway
    case 'failed':
      return findings.failedToStart
    case 'paused':
      return findings.paused
    case 'created':
      return findings.unexamined
    case 'running':
    case 'suspended':
      break
  }
  if (state.unwell) return findings.observer
  const found = state.phase === 'starting' ? judgeStart(state, now) : judgeProbes(state, now)
  return state.blind ? findings.observer : found
}

function judgeEnd({ instance, job, mayFinish }: DetectionState): Finding {
  const { exit } = instance
  if (exit?.oomKilled) return findings.oom
  // Nobody who kills or stops it is told a code 0 as a rule, so one that nobody saw end is most likely done.
  const asked = exit?.endedBy === 'kill' || exit?.endedBy === 'stop' || exit?.endedBy === 'medyk'
  const well = exit?.code === 0 && !asked && instance.state === 'exited'
  return well && (job || mayFinish) ? findings.finished : findings.exited
}

function judgeStart(state: DetectionState, now: number): Finding {
  const tracks = state.tracks.filter(counts)
  if (hasArrived(state, tracks, now)) {
    // One that answered well at the first look had booted at some time before.
    if (state.sawStart || state.sawUnready)
      state.bootMs = Math.max(1, state.bootMs, Math.min(longestBootMs, now - state.bornAt))
    state.phase = 'up'
    state.wasIll = false
    return judgeProbes(state, now)
  }
  if (tracks.length === 0 && isUnseen(state)) return findings.unexamined
  const inGrace = now < state.graceUntil
  for (const track of tracks) {
    if (track.isMisconfigured && !track.proven) return findings.misconfiguredEver
  }
  for (const track of tracks) {
    if (track.role !== 'liveness' || track.dead === 'no') continue
    if (track.succeeded) return track.dead === 'failing' ? findings.failing : findings.hung
    if (inGrace) continue
    if (!track.proven) return findings.neverReady
    return track.dead === 'failing' ? findings.neverReadyFailing : findings.neverReadyHung
  }
  if (inGrace) return findings.starting
  for (const track of tracks) {
    if (track.isMisconfigured) return findings.misconfigured
  }
  for (const track of tracks) {
    if (track.role === 'liveness' || track.succeeded || track.dead === 'no') continue
    // A start-up probe that never passes means a run that never became what it should be.
    if (track.role === 'startup') return track.proven ? findings.neverReadyFailing : findings.neverReady
    return track.dead === 'failing' ? findings.notReady : findings.notReadySilent
  }
  return state.finding.status === 'starting' || tracks.some((track) => track.succeeded)
    ? findings.starting
    : findings.unexamined
}

/** Nobody has seen it run, and nothing but guesses would tell: then it is not known to be well either. */
function isUnseen({ tracks, instance }: DetectionState): boolean {
  return tracks.length > 0 && instance.startedAt === null
}

/** All probes have succeeded in this run; after an illness for long enough. */
function hasArrived(state: DetectionState, tracks: readonly Track[], now: number): boolean {
  if (tracks.length === 0) return !isUnseen(state) && now >= state.seenAt + rules.unprobed.settleMs
  for (const track of tracks) {
    if (!track.succeeded || track.dead !== 'no' || track.isMisconfigured) return false
    if (state.wasIll && track.role !== 'startup' && !sustained(track.good)) return false
  }
  return true
}

function judgeProbes(state: DetectionState, now: number): Finding {
  let found: Finding = findings.healthy
  for (const track of state.tracks) {
    if (track.role === 'startup' || !counts(track)) continue
    const one = judgeTrack(track, now)
    if (rank(one) > rank(found)) found = one
  }
  return isSettling(state, found) ? state.finding : found
}

/** Alive again, and readiness is on its way: that it has not been seen ready for long enough is no new illness. */
function isSettling({ finding, status, tracks }: DetectionState, found: Finding): boolean {
  if (status !== 'unhealthy' || (found !== findings.notReady && found !== findings.notReadySilent)) return false
  if (finding !== findings.hung && finding !== findings.failing) return false
  return tracks.every((track) => track.role !== 'readiness' || track.dead === 'no' || track.good.count > 0)
}

function judgeTrack(track: Track, now: number): Finding {
  if (track.dead !== 'no') return deadFindings[track.role][track.dead]
  if (now - track.lastValidAt > staleAfter(track)) return findings.stale
  if (track.isMisconfigured) return findings.misconfigured
  if (track.errors.active) return findings.erroring
  if (track.slow.active) return findings.slow
  return track.reported.active ? findings.reported : findings.healthy
}

export function staleAfter(track: Track): number {
  return Math.max(rules.stale.ms, rules.stale.intervals * track.intervalMs)
}

const deadFindings: Readonly<Record<ProbeRole, Readonly<Record<'failing' | 'hung', Finding>>>> = {
  liveness: { failing: findings.failing, hung: findings.hung },
  readiness: { failing: findings.notReady, hung: findings.notReadySilent },
  startup: { failing: findings.healthy, hung: findings.healthy },
}

const order: readonly Finding[] = [
  findings.healthy,
  findings.reported,
  findings.slow,
  findings.erroring,
  findings.misconfigured,
  findings.notReadySilent,
  findings.notReady,
  // Unknown is never shown as healthy, nor as a mere degradation; a death that another probe proves still counts.
  findings.stale,
  findings.hung,
  findings.failing,
]

function rank(found: Finding): number {
  return found === findings.healthy ? 0 : order.indexOf(found)
}
