import { emptyPercentile, learn, type Percentile } from './latency.ts'
import { rules } from './rules.ts'
import { emptyStreak, extend, sustained, type Streak } from './streak.ts'

const GROUPS = 6
const REMEMBERED = 32
const WINDOW = (1 << rules.slow.of) - 1

/** A primary and its hedges: one sample. */
interface Group {
  id: number
  startedAt: number
  attempts: number
  pending: number
  slow: number
  decided: boolean
}

/**
 * Slowness of one probe. A group is fast as soon as one attempt answers in time. It is slow when two attempts answered
 * late, or its only one did: a single late answer beside a silent hedge may as well be the network's retransmissions.
 */
export interface Slowness {
  readonly groups: readonly Group[]
  next: number
  /** Open groups with a late answer. */
  doubtful: number
  /** Group of an attempt, in slots by attempt number: an observation does not name it. */
  readonly groupOf: Float64Array
  readonly attemptAt: Float64Array
  /** The last samples, newest in bit 0; 1 is slow. */
  window: number
  active: boolean
  firstAt: number
  readonly fast: Streak
  readonly p99: Percentile
  thresholdMs: number
  /** Weighted share of answered groups that only a hedge answered. */
  loss: number
  /** The network loses so much that silence needs more time. */
  isLossy: boolean
}

export function emptySlowness(timeoutMs: number): Slowness {
  const group = (): Group => ({ id: 0, startedAt: 0, attempts: 0, pending: 0, slow: 0, decided: true })
  return {
    groups: Array.from({ length: GROUPS }, group),
    next: 0,
    doubtful: 0,
    groupOf: new Float64Array(REMEMBERED),
    attemptAt: new Float64Array(REMEMBERED),
    window: 0,
    active: false,
    firstAt: 0,
    fast: emptyStreak(),
    p99: emptyPercentile(),
    thresholdMs: timeoutMs * rules.slow.maxShareOfTimeout,
    loss: 0,
    isLossy: false,
  }
}

/** Forgets open groups and samples; what was learned of the probe's usual latency stays. */
export function forgetSamples(slowness: Slowness): void {
  for (const group of slowness.groups) group.decided = true
  slowness.doubtful = 0
  slowness.attemptAt.fill(0)
  slowness.window = 0
  slowness.active = false
  slowness.fast.count = 0
}

export function groupStarted(slowness: Slowness, attempt: number, id: number, at: number): void {
  const slot = attempt % REMEMBERED
  slowness.groupOf[slot] = id
  slowness.attemptAt[slot] = attempt
  if (attempt !== id) {
    const group = find(slowness, attempt)
    if (group) {
      group.attempts++
      group.pending++
    }
    return
  }
  const group = slowness.groups[slowness.next]
  slowness.next = (slowness.next + 1) % GROUPS
  if (!group) return
  decide(slowness, group)
  group.id = id
  group.startedAt = at
  group.attempts = 1
  group.pending = 1
  group.slow = 0
  group.decided = false
}

/** `counts`: the sample may be used at all; not while starting, or while the monitor's own lag would be measured. */
export function groupAnswered(
  slowness: Slowness,
  attempt: number,
  startedAt: number,
  latencyMs: number,
  counts: boolean,
): void {
  const group = find(slowness, attempt)
  if (!group) return
  group.pending--
  if (group.decided) return
  if (!counts) return decide(slowness, group)
  if (latencyMs <= slowness.thresholdMs) {
    decide(slowness, group)
    const { weight, share, untilShare } = rules.lossy
    slowness.loss += weight * ((attempt === group.id ? 0 : 1) - slowness.loss)
    slowness.isLossy = slowness.loss > (slowness.isLossy ? untilShare : share)
    sample(slowness, false, startedAt)
    return
  }
  if (group.slow++ === 0) slowness.doubtful++
  settle(slowness, group)
}

/** The attempt ended without an answer that tells a latency. `never`: it is to be forgotten as if it never was. */
export function groupUnanswered(slowness: Slowness, attempt: number, never: boolean): void {
  const group = find(slowness, attempt)
  if (!group) return
  group.pending--
  if (never) group.attempts--
  if (!group.decided) settle(slowness, group)
}

/** Learns the usual latency from an answer that was given in health, and sets the threshold by it. */
export function learnLatency(slowness: Slowness, latencyMs: number, timeoutMs: number): void {
  const { p99Factor, minMs, maxShareOfTimeout, baselineSamples } = rules.slow
  learn(slowness.p99, latencyMs)
  if (slowness.p99.samples < baselineSamples) return
  slowness.thresholdMs = Math.min(timeoutMs * maxShareOfTimeout, Math.max(minMs, p99Factor * slowness.p99.value))
}

export function isSuspect(slowness: Slowness): boolean {
  return slowness.doubtful > 0 || slowness.window !== 0 || (slowness.active && slowness.fast.count > 0)
}

function settle(slowness: Slowness, group: Group): void {
  if (group.slow >= 2 || (group.slow === 1 && group.attempts === 1)) {
    decide(slowness, group)
    sample(slowness, true, group.startedAt)
  } else if (group.pending <= 0) decide(slowness, group)
}

function decide(slowness: Slowness, group: Group): void {
  if (!group.decided && group.slow > 0) slowness.doubtful--
  group.decided = true
}

function sample(slowness: Slowness, slow: boolean, startedAt: number): void {
  if (!slow && slowness.window === 0 && !slowness.active) return
  if (slow && slowness.window === 0) slowness.firstAt = startedAt
  slowness.window = ((slowness.window << 1) | (slow ? 1 : 0)) & WINDOW
  if (slow) {
    slowness.fast.count = 0
    if (!slowness.active && ones(slowness.window) >= rules.slow.slow) slowness.active = true
  } else if (slowness.active) {
    extend(slowness.fast, startedAt)
    if (sustained(slowness.fast)) {
      slowness.active = false
      slowness.window = 0
    }
  }
}

function find(slowness: Slowness, attempt: number): Group | null {
  const slot = attempt % REMEMBERED
  if (slowness.attemptAt[slot] !== attempt) return null
  const id = slowness.groupOf[slot]
  for (const group of slowness.groups) if (group.id === id) return group
  return null
}

function ones(bits: number): number {
  let count = 0
  for (let rest = bits; rest !== 0; rest &= rest - 1) count++
  return count
}
