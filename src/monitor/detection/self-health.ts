import type { Now } from '../model/index.ts'
import { rules } from './rules.ts'

/**
 * lag: the loop came late · gap: it was gone, and so is the worth of everything in flight · drift: wall and monotonic
 * time parted · local: no descriptor, no port, no name service · sentinel: its own echo did not come back
 */
export type SelfHealthSign = 'lag' | 'gap' | 'drift' | 'local' | 'sentinel'

export interface ObserverCondition {
  /** Verdicts are worth nothing; all actions stop. */
  readonly unwell: boolean
  /** Silence needs more time, slowness is not counted. */
  readonly stretched: boolean
  /** Empty when well. */
  readonly reason: string
}

/** The prober's doubt in itself (after Lifeguard): a score that signs raise and clean seconds lower. */
export interface SelfHealth {
  score: number
  last: Now
  lastSignAt: number
  /** By kind, so that one fault that shows in a hundred attempts at once counts once. */
  readonly signAt: Record<SelfHealthSign, number>
  lastRaisedAt: number
  /** The host is short of processor or memory: answers are late without anybody's fault. */
  pressed: string | null
  unwellUntil: number
  condition: ObserverCondition
}

const well: ObserverCondition = { unwell: false, stretched: false, reason: '' }

const words: Readonly<Record<SelfHealthSign, string>> = {
  lag: 'its event loop lags',
  gap: 'it stood still',
  drift: 'the wall clock jumped',
  local: 'it lacks descriptors, ports or a name service',
  sentinel: 'its own loopback echo fails',
}

export function initialSelfHealth(now: Now): SelfHealth {
  return {
    score: 0,
    last: now,
    lastSignAt: now.mono,
    signAt: { lag: -Infinity, gap: -Infinity, drift: -Infinity, local: -Infinity, sentinel: -Infinity },
    lastRaisedAt: now.mono,
    pressed: null,
    unwellUntil: -Infinity,
    condition: well,
  }
}

/**
 * Call every `rules.observer.tickMs`, and before anything that was in flight is believed. Returns the new condition when
 * it changed, else null.
 */
export function observeTick(self: SelfHealth, now: Now): ObserverCondition | null {
  const { tickMs, lagMs, gapMs, driftMs, cleanMs } = rules.observer
  const passed = now.mono - self.last.mono
  const parted = Math.abs(now.wall - self.last.wall - passed)
  self.last = now
  if (passed > gapMs) sign(self, 'gap', now.mono)
  else if (passed - tickMs > lagMs) sign(self, 'lag', now.mono)
  if (parted > driftMs) sign(self, 'drift', now.mono)
  if (self.score > 0 && now.mono - self.lastSignAt >= cleanMs && now.mono - self.lastRaisedAt >= cleanMs) {
    self.score--
    self.lastRaisedAt = now.mono
  }
  return renew(self, now.mono)
}

/** A sign that shows elsewhere than in the tick. */
export function penalize(self: SelfHealth, kind: 'local' | 'sentinel', now: Now): ObserverCondition | null {
  sign(self, kind, now.mono)
  return renew(self, now.mono)
}

/** How much of the last second was waited for processor (by somebody) and memory (by everybody); shares from 0 to 1. */
export function press(
  self: SelfHealth,
  { cpu, memory }: { readonly cpu: number; readonly memory: number },
  now: Now,
): ObserverCondition | null {
  const { cpu: forCpu, memory: forMemory, release } = rules.pressure
  const ease = self.pressed === null ? 1 : release
  if (memory >= forMemory * ease) self.pressed = 'memory'
  else self.pressed = cpu >= forCpu * ease ? 'processor time' : null
  return renew(self, now.mono)
}

function sign(self: SelfHealth, kind: SelfHealthSign, now: number): void {
  const { unwell, max, lagMs } = rules.observer
  if (now - self.signAt[kind] < lagMs) return
  self.signAt[kind] = now
  self.lastSignAt = now
  self.lastRaisedAt = now
  self.score = kind === 'gap' ? Math.max(unwell, self.score) : Math.min(max, self.score + 1)
}

function renew(self: SelfHealth, now: number): ObserverCondition | null {
  const { unwell: limit, holdMs } = rules.observer
  if (self.score >= limit) self.unwellUntil = now + holdMs
  const unwell = now < self.unwellUntil
  const stretched = unwell || self.score > 0 || self.pressed !== null
  if (unwell === self.condition.unwell && stretched === self.condition.stretched) return null
  self.condition = stretched ? { unwell, stretched, reason: reasonOf(self) } : well
  return self.condition
}

function reasonOf(self: SelfHealth): string {
  if (self.score === 0 && self.pressed !== null) return `the host is short of ${self.pressed}`
  let latest: SelfHealthSign = 'lag'
  for (const kind of Object.keys(words) as SelfHealthSign[]) if (self.signAt[kind] > self.signAt[latest]) latest = kind
  return `the monitor doubts itself: ${words[latest]}`
}
