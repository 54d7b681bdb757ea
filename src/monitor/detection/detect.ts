import { startupGrace, type Now, type RuntimeEvent, type Verdict } from '../model/index.ts'
import { applyRules, silentAt } from './dead.ts'
import { describe } from './describe.ts'
import { findings, initialFinding, type Finding } from './finding.ts'
import type { Detected, DetectionInput, ObserverInput, PaceChange } from './input.ts'
import { judge } from './judge.ts'
import { sameNames } from './names.ts'
import { isExamined, wantedHedge, wantedInterval } from './pace.ts'
import { rules } from './rules.ts'
import type { DetectionState } from './state.ts'
import { attemptFinished, attemptStarted, saysIll } from './outcome.ts'
import { beginRun, counts, discardInFlight, isIll, replaceStandIns, type Track } from './track.ts'

const none: readonly never[] = []

/**
 * One step of detection for one instance. `state` is changed in place. Inputs must come in the order in which they
 * happened, `now.mono` never going back; what belongs to a former run, to a probe that does not exist or to the time of
 * an unwell observer is ignored.
 */
export function detect(state: DetectionState, input: DetectionInput, now: Now): Detected {
  let probeNow: readonly string[] = none
  switch (input.type) {
    case 'attempt.started': {
      const track = trackOf(state, input.probe)
      if (track && state.unwell) track.lastStarted = input.attempt
      else if (track) attemptStarted(track, input.attempt, input.group, now.mono)
      break
    }
    case 'attempt.finished': {
      const track = trackOf(state, input.observation.probe)
      if (track && !state.unwell && isExamined(state)) finish(state, track, input.observation, now.mono)
      break
    }
    case 'observer':
      observe(state, input, now.mono)
      break
    case 'tick':
      break
    default:
      probeNow = runtimeEvent(state, input, now.mono)
  }
  return conclude(state, probeNow, now.mono)
}

type Finished = Extract<DetectionInput, { type: 'attempt.finished' }>['observation']

function finish(state: DetectionState, track: Track, seen: Finished, now: number): void {
  attemptFinished(track, seen, now, {
    up: state.phase === 'up',
    healthy: state.status === 'healthy',
    stretched: state.stretched,
  })
  replaceStandIns(track, state.tracks)
  const { class: said } = seen.outcome
  if (state.phase === 'starting' && said !== 'ok' && said !== 'void') state.sawUnready = true
  if (state.blind && seen.attempt >= track.validFrom && opensEyes(state, track, seen)) state.blind = false
}

/**
 * Whether a fresh look makes what was concluded before worth something again: an ill one where this very probe was ill, a good
 * one of liveness where nothing is. Good looks alone do not bring an old illness back: it may be over, and will be soon.
 */
function opensEyes(state: DetectionState, track: Track, seen: Finished): boolean {
  if (seen.outcome.class === 'void') return false
  if (saysIll(track, seen.outcome)) return isIll(track)
  return track.role === 'liveness' && !state.tracks.some(isIll)
}

function observe(state: DetectionState, input: ObserverInput, now: number): void {
  state.stretched = input.stretched
  if (input.unwell === state.unwell) return
  state.unwell = input.unwell
  for (const track of state.tracks) discardInFlight(track, now)
  state.blind = !input.unwell && state.tracks.some(isOfLiveness)
}

function runtimeEvent(state: DetectionState, event: RuntimeEvent, now: number): readonly string[] {
  if (event.type === 'instance.removed') {
    state.removed = true
    return none
  }
  const before = state.instance
  state.instance = event.instance
  state.removed = false
  if (event.type === 'instance.changed') return none
  const runs = isExamined(state)
  // Events are hints and may come twice: only another run, or one that had ended, begins anew.
  const another = before.startedAt !== event.instance.startedAt || !wasRunning(before.state)
  if (runs && (another || before.state === 'paused')) {
    state.phase = 'starting'
    state.blind = false
    state.seenAt = now
    // One that was frozen, or was lost from sight, has not just been started.
    state.sawStart = another && before.state !== 'unknown'
    state.bornAt = now
    state.sawUnready = false
    state.graceUntil = now + startupGrace(state.spec, state.bootMs)
    for (const track of state.tracks) beginRun(track, now, another)
  } else if (!runs) for (const track of state.tracks) discardInFlight(track, now)
  else if (before.state === 'unknown' || before.state === 'stopping') {
    for (const track of state.tracks) discardInFlight(track, now)
    state.blind = state.phase === 'up' && state.tracks.some(isOfLiveness)
  }
  if (event.instance.state !== 'suspended' || before.state === 'suspended') return none
  // A stopped process will not answer: begin the silence now rather than at the next turn.
  return state.tracks.filter(isOfLiveness).map((track) => track.name)
}

function isOfLiveness(track: Track): boolean {
  return track.role === 'liveness' && counts(track)
}

function wasRunning(was: DetectionState['instance']['state']): boolean {
  return was !== 'created' && was !== 'exited' && was !== 'failed' && was !== 'restarting'
}

function conclude(state: DetectionState, probeNow: readonly string[], now: number): Detected {
  let pace: PaceChange[] | null = null
  let wakeAt = Infinity
  const examined = isExamined(state)
  if (examined && !state.unwell) {
    for (const track of state.tracks) if (applyRules(track, now, state.stretched) && counts(track)) state.blind = false
  }
  const verdict = state.removed ? null : publish(state, judge(state, now), now)
  for (const track of state.tracks) {
    const interval = wantedInterval(state, track, now)
    const hedge = wantedHedge(state, track)
    if (track.pace === null || track.pace.intervalMs !== interval || track.pace.hedgeAfterMs !== hedge) {
      track.pace = { intervalMs: interval, hedgeAfterMs: hedge }
      pace ??= []
      pace.push({ probe: track.name, pace: track.pace })
    }
    if (examined && !state.unwell && track.dead === 'no') {
      const at = silentAt(track, state.stretched)
      if (at > now && at < wakeAt) wakeAt = at
    }
  }
  if (examined && state.phase === 'starting') wakeAt = Math.min(wakeAt, nextOfStart(state, now))
  return { verdict, pace: pace ?? none, probeNow, wakeAt }
}

function nextOfStart(state: DetectionState, now: number): number {
  if (!state.tracks.some(counts) && state.seenAt + rules.unprobed.settleMs > now)
    return state.seenAt + rules.unprobed.settleMs
  return state.graceUntil > now ? state.graceUntil : Infinity
}

/** A verdict only when status, symptom or the failing checks change; the first one always. */
function publish(state: DetectionState, found: Finding, now: number): Verdict | null {
  if (found === state.finding && !found.named) return null
  const previous = state.status
  const failing = found.named ? describe.failing(state, found) : none
  const same = found.status === previous && found.symptom === state.finding.symptom
  if (same && sameNames(failing, state.failing) && state.finding !== initialFinding) {
    state.finding = found
    return null
  }
  const verdict: Verdict = {
    instance: state.instance.id,
    service: state.service,
    startedAt: state.instance.startedAt,
    status: found.status,
    previous,
    evidence: found.evidence,
    symptom: found.symptom,
    reason: describe.reason(state, found, now),
    failing,
    firstEvidenceAt: describe.firstEvidenceAt(state, found, now),
    ...(found === findings.healthy && state.bootMs > state.toldBootMs ? { bootMs: state.bootMs } : {}),
  }
  if (verdict.bootMs !== undefined) state.toldBootMs = verdict.bootMs
  state.finding = found
  state.status = found.status
  state.failing = failing
  if (found.status === 'unhealthy') state.wasIll = true
  else if (found === findings.healthy) state.wasIll = false
  return verdict
}

function trackOf(state: DetectionState, probe: string): Track | null {
  for (const track of state.tracks) if (track.name === probe) return track
  return null
}
