import type { RecoveryPolicy } from '../../model/index.ts'
import { globalRules, type RecoveryState } from './state.ts'

/** Attempts that still count at `mono`; forgets the others. */
export function attemptsInWindow(state: RecoveryState, service: string, policy: RecoveryPolicy, mono: number): number {
  const kept = (state.attempts.get(service) ?? []).filter((at) => at > mono - policy.windowMs)
  if (kept.length > 0) state.attempts.set(service, kept)
  else state.attempts.delete(service)
  return kept.length
}

/** Why the domain of a service, all its services taken together, may have no more actions for now; else null. */
export function domainSpent(
  state: RecoveryState,
  domain: string | undefined,
  mono: number,
): { readonly reason: string; readonly until: number } | null {
  const { domainPerService, domainAtLeast, domainWindowMs } = globalRules
  const members = [...state.services.values()].filter((spec) => spec.domain === domain && spec.runtime !== null)
  // Whoever gives one service more attempts means it.
  const most = Math.max(0, ...members.map(({ recovery }) => recovery.attempts))
  const allowed = Math.max(domainAtLeast, domainPerService * members.length, most)
  const since = mono - domainWindowMs
  const used = members.flatMap(({ name }) => (state.attempts.get(name) ?? []).filter((at) => at > since))
  if (used.length < allowed) return null
  const oldest = used.toSorted((a, b) => a - b)[used.length - allowed] ?? mono
  const whose = domain === undefined ? 'this host' : domain
  const minutes = domainWindowMs / 60_000
  return {
    reason: `${used.length} actions on ${whose} within ${minutes} min are enough`,
    until: oldest + domainWindowMs,
  }
}

/**
 * Milliseconds to wait before attempt `n` (from 0), spread by ± jitter. The spread comes from the text `salt`, not from a
 * generator: the same incident replays the same way, and two services never march in step.
 */
export function backoff(policy: RecoveryPolicy, n: number, salt: string): number {
  const delays = policy.delaysMs
  const base = delays[Math.min(n, delays.length - 1)] ?? 0
  return Math.round(base * (1 + policy.jitter * (2 * unitHash(`${salt}:${n}`) - 1)))
}

/** FNV-1a, folded into [0, 1). */
export function unitHash(text: string): number {
  let hash = 0x811c9dc5
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193)
  // FNV's low bits move little between texts that differ at the end only.
  hash ^= hash >>> 15
  hash = Math.imul(hash, 0x2c1b3c6d)
  hash ^= hash >>> 12
  return (hash >>> 0) / 2 ** 32
}

/**
 * Takes global tokens; otherwise says when to ask again. A start of what is dead can do no harm and costs half, so that a
 * whole host that went down is up again in half the time.
 */
export function takeGlobal(
  state: RecoveryState,
  mono: number,
  cost: number,
): { readonly ok: true } | { readonly ok: false; readonly at: number | null } {
  if (state.acting.size >= globalRules.concurrent) return { ok: false, at: null }
  const since = state.refilledAt ?? mono
  const earned = Math.floor((mono - since) / globalRules.refillMs)
  state.tokens = Math.min(globalRules.burst, state.tokens + earned)
  state.refilledAt = state.tokens === globalRules.burst ? mono : since + earned * globalRules.refillMs
  if (state.tokens < cost) return { ok: false, at: state.refilledAt + globalRules.refillMs }
  state.tokens -= cost
  return { ok: true }
}
