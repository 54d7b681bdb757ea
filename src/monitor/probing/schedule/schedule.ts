import type { Pace, ProbeSpec } from '../../model/index.ts'

/** Attempts of one probe that may run at the same time; more would only pile up on a target that hangs. */
export const maxInFlight = 5

/** An attempt that runs longer than its timeout and this is forgotten: its prober broke its promise. */
const overdueMs = 2_000

/** Start this attempt now. `group` is the attempt number of the primary that it hedges, or its own. */
export interface Launch {
  readonly probe: string
  readonly attempt: number
  readonly group: number
}

export type ScheduleEvent =
  /** Time has passed. */
  | { readonly type: 'due' }
  /** `answered`: the target said something, good or bad; false for silence and for void attempts. */
  | { readonly type: 'finished'; readonly probe: string; readonly attempt: number; readonly answered: boolean }
  /** As detection wants it. An interval of Infinity stops the probe. */
  | { readonly type: 'pace'; readonly probe: string; readonly pace: Pace }
  /** A primary at once, out of turn. */
  | { readonly type: 'now'; readonly probe: string }

export interface Scheduled {
  /** To be started at the `now` of the call; each must be answered by `finished`, come what may. */
  readonly launches: readonly Launch[]
  /** Monotonic ms of the next launch that is due by time; Infinity: none. */
  readonly wakeAt: number
}

interface ProbeSchedule {
  readonly name: string
  readonly timeoutMs: number
  /** Place within an interval, 0 ≤ phase < 1: where this probe starts, and again after a standstill. */
  readonly phase: number
  intervalMs: number
  hedgeAfterMs: number | null
  lastAttempt: number
  primaryAt: number
  /** The newest group: its primary's number and start, the start of its last attempt, whether anything of it was answered. */
  group: number
  groupStart: number
  lastStart: number
  answered: boolean
  /** Attempts in flight and when they began; a free slot has the number 0. */
  readonly flying: number[]
  readonly flyingSince: number[]
}

/** The schedule of one instance's probes. Owned by the caller, changed in place. */
export interface ScheduleState {
  readonly probes: readonly ProbeSchedule[]
}

const nothing: readonly Launch[] = []

/** `phaseOf` gives each probe its random place in [0, 1), so that a fleet's probes spread over the interval. */
export function initialSchedule(
  probes: readonly ProbeSpec[],
  now: number,
  phaseOf: (probe: ProbeSpec) => number,
): ScheduleState {
  return {
    probes: probes.map((probe) => {
      const phase = phaseOf(probe)
      return {
        name: probe.name,
        timeoutMs: probe.timeoutMs,
        phase,
        intervalMs: probe.intervalMs,
        hedgeAfterMs: null,
        lastAttempt: 0,
        primaryAt: now + phase * probe.intervalMs,
        group: 0,
        groupStart: -Infinity,
        lastStart: -Infinity,
        answered: true,
        flying: Array.from({ length: maxInFlight }, () => 0),
        flyingSince: Array.from({ length: maxInFlight }, () => 0),
      }
    }),
  }
}

/** One step: what to launch now, and when to ask again. `now` is monotonic and never goes back. */
export function schedule(state: ScheduleState, event: ScheduleEvent, now: number): Scheduled {
  if (event.type !== 'due') {
    for (const probe of state.probes) if (probe.name === event.probe) take(probe, event, now)
  }
  let launches: Launch[] | null = null
  let wakeAt = Infinity
  for (const probe of state.probes) {
    const launch = next(probe, now)
    if (launch) (launches ??= []).push(launch)
    const at = wake(probe)
    if (at < wakeAt) wakeAt = at
  }
  return { launches: launches ?? nothing, wakeAt }
}

function take(probe: ProbeSchedule, event: Exclude<ScheduleEvent, { type: 'due' }>, now: number): void {
  switch (event.type) {
    case 'finished': {
      const slot = probe.flying.indexOf(event.attempt)
      if (slot >= 0) probe.flying[slot] = 0
      // Only an answer to this group: a late one to an older group says nothing of this group's packets, and a group that
      // is denied its hedge for it looks slow where the network was lossy.
      if (event.answered && event.attempt >= probe.group) probe.answered = true
      break
    }
    case 'pace': {
      const { intervalMs, hedgeAfterMs } = event.pace
      const before = probe.intervalMs
      probe.hedgeAfterMs = hedgeAfterMs
      if (intervalMs === before) break
      probe.intervalMs = intervalMs
      if (intervalMs === Infinity) probe.primaryAt = Infinity
      else if (probe.lastAttempt === 0 || before === Infinity) probe.primaryAt = now + probe.phase * intervalMs
      else {
        // What made one probe fast made many fast at once. On the way back each waits its own share of the interval, or
        // the whole fleet would be asked in the same moment of every second from then on.
        const share = intervalMs > before ? 1 - probe.phase : 1
        probe.primaryAt = Math.max(now, probe.groupStart + share * intervalMs)
      }
      break
    }
    case 'now':
      probe.primaryAt = now
      break
  }
}

function next(probe: ProbeSchedule, now: number): Launch | null {
  const primary = now >= probe.primaryAt
  if (!primary && now < hedgeAt(probe)) return null
  const slot = freeSlot(probe, now)
  if (slot < 0) return null
  const attempt = ++probe.lastAttempt
  probe.flying[slot] = attempt
  probe.flyingSince[slot] = now
  probe.lastStart = now
  if (!primary) return { probe: probe.name, attempt, group: probe.group }
  // Late by more than an interval means a standstill, which hit every probe alike: each goes back to its own place.
  const late = now - probe.primaryAt > probe.intervalMs
  probe.group = attempt
  probe.groupStart = now
  probe.answered = false
  probe.primaryAt = now + probe.intervalMs * (late ? 1 + probe.phase : 1)
  return { probe: probe.name, attempt, group: attempt }
}

function hedgeAt(probe: ProbeSchedule): number {
  if (probe.answered || probe.hedgeAfterMs === null || probe.intervalMs === Infinity) return Infinity
  return probe.lastStart + probe.hedgeAfterMs
}

function wake(probe: ProbeSchedule): number {
  const at = Math.min(probe.primaryAt, hedgeAt(probe))
  if (at === Infinity || probe.flying.includes(0)) return at
  // Full: a `finished` will come sooner than the guard against attempts that never end.
  return Math.max(at, Math.min(...probe.flyingSince.map((since) => forgottenAt(probe, since))))
}

function freeSlot(probe: ProbeSchedule, now: number): number {
  const free = probe.flying.indexOf(0)
  if (free >= 0) return free
  return probe.flyingSince.findIndex((since) => now >= forgottenAt(probe, since))
}

/** One expression for both uses: rounded differently, it would be due without being over. */
function forgottenAt(probe: ProbeSchedule, since: number): number {
  return since + probe.timeoutMs + overdueMs
}
