import { printable } from '@medyk/health/internal'
import type { ExitInfo } from '../model/index.ts'
import { findings, type Finding } from './finding.ts'
import { staleAfter } from './judge.ts'
import type { DetectionState } from './state.ts'
import { counts, type Track } from './track.ts'

/** The words of a verdict: built only when one is published, from the evidence that led to it. */
export const describe = { reason, failing, firstEvidenceAt }

const nothing: readonly string[] = []

/** Names of the checks that the target itself gave; of several probes all, each once, in order. */
function failing(state: DetectionState, found: Finding): readonly string[] {
  if (found !== findings.reported) {
    const named = state.tracks
      .filter((track) => counts(track) && track.dead === 'failing')
      .map((track) => track.names.current)
    const said = union(named)
    return said.length > 0 ? said : reportedNames(state)
  }
  return reportedNames(state)
}

function reportedNames(state: DetectionState): readonly string[] {
  return union(state.tracks.filter((track) => track.reported.active).map((track) => track.reported.names.current))
}

function union(lists: readonly (readonly string[])[]): readonly string[] {
  return lists.length <= 1 ? (lists[0] ?? nothing) : [...new Set(lists.flat())]
}

function reason(state: DetectionState, found: Finding, now: number): string {
  const { instance } = state
  switch (found) {
    case findings.finished:
      return 'ran once and ended well'
    case findings.stopping:
      return 'somebody is stopping it'
    case findings.runtimeAway:
      return 'its runtime does not answer'
    case findings.oom:
    case findings.exited: {
      const how = instance.exit ? exitReason(instance.exit) : 'exited, nobody saw how'
      return instance.state === 'restarting' ? `${how}; its runtime is starting it again` : how
    }
    case findings.failedToStart:
      return printable(`could not be started: ${instance.failure?.reason ?? 'no reason given'}`)
    case findings.paused:
      return 'paused: frozen by its runtime'
    case findings.observer:
      return 'the monitor does not trust its own eyes'
    case findings.stale:
      return staleReason(state, now)
    case findings.starting:
      return 'starting: not every probe has succeeded yet'
    case findings.unexamined:
      return instance.state === 'created' ? 'not started yet' : 'not examined yet'
    default:
      return evidenceReason(state, found, now)
  }
}

function exitReason(exit: ExitInfo): string {
  if (exit.oomKilled) return 'killed: out of memory'
  if (exit.signal !== null) return `ended by ${printable(exit.signal, 20)}`
  return exit.code === null ? 'exited, nobody saw how' : `exited with code ${exit.code}`
}

function staleReason(state: DetectionState, now: number): string {
  const track = state.tracks.find((one) => counts(one) && now - one.lastValidAt > staleAfter(one))
  const why = track?.lastVoid ? `: ${track.lastVoid}` : ''
  return `no valid look for ${seconds(now - (track?.lastValidAt ?? now))}${why}`
}

function evidenceReason(state: DetectionState, found: Finding, now: number): string {
  const track = source(state, found)
  if (!track) return ''
  switch (found.symptom) {
    case 'hung':
      return state.instance.state === 'suspended' ? `stopped process (state T): ${track.deadReason}` : track.deadReason
    case 'failing':
    case 'not-ready':
      return withName(track, track.deadReason)
    case 'never-ready':
      return withName(track, `no success within ${seconds(now - state.seenAt)} of its start: ${latest(track)}`)
    case 'misconfigured':
      return withName(track, track.misconfigured.reason)
    case 'erroring':
      return withName(track, `about ${Math.round(track.share * 100)} % of the answers are errors`)
    case 'slow':
      return withName(track, `answers take longer than ${Math.round(track.slow.thresholdMs)} ms`)
    case 'reported':
      return 'reports itself as degraded'
    default:
      return ''
  }
}

function firstEvidenceAt(state: DetectionState, found: Finding, now: number): number {
  const track = source(state, found)
  if (!track) return now
  switch (found.symptom) {
    case 'misconfigured':
      return track.misconfigured.firstAt
    case 'erroring':
      return track.errors.firstAt
    case 'slow':
      return track.slow.firstAt
    case 'reported':
      return track.reported.firstAt
    default:
      return track.deadSince
  }
}

/** The probe whose evidence the finding rests on; null when it rests on none. */
function source(state: DetectionState, found: Finding): Track | null {
  return state.tracks.find((track) => counts(track) && speaksFor(track, found)) ?? null
}

function speaksFor(track: Track, found: Finding): boolean {
  switch (found.symptom) {
    case 'hung':
    case 'failing':
      return track.role === 'liveness' && track.dead === found.symptom
    case 'never-ready':
      return track.dead !== 'no' && !track.succeeded
    case 'not-ready':
      return track.role === 'readiness' && track.dead === (found === findings.notReady ? 'failing' : 'hung')
    case 'misconfigured':
      return track.isMisconfigured
    case 'erroring':
      return track.errors.active
    case 'slow':
      return track.slow.active
    case 'reported':
      return track.reported.active
    default:
      return false
  }
}

function latest(track: Track): string {
  return track.explicit.count > 0 ? track.explicit.reason : track.deadReason
}

function withName(track: Track, text: string): string {
  return printable(`${track.name}: ${text}`)
}

function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(1)} s`
}
