import type { Target } from './target.ts'
import type { World } from './world.ts'

/** How far back a declaration may rest on what has happened. Source: reference, "what a false positive is". */
const LOOK_BACK_MS = 2_000

/**
 * true: something was wrong with it · unreachable: it was well, and nobody could have known, since no packet passed ·
 * false: it was well and said so to whoever asked
 */
export type Truth = 'true' | 'unreachable' | 'false'

/** Judges a declaration of `degraded` or `unhealthy` by the truth of the last two seconds. Knows nothing of detection. */
export function judge(world: World, target: Target): Truth {
  const { now } = world
  const since = now - LOOK_BACK_MS
  for (const attempt of world.inFlight(target)) attempt.log(now)
  // That it could not be started again does no harm to a process that runs.
  const troubled = target.troubles.some((t) => t.kind !== 'cannot-start' && (t.to === null || t.to >= since))
  if (troubled || target.process === null || target.lastBadAnswerAt >= since) return 'true'
  return world.network.cut(target.name, since, now) ? 'unreachable' : 'false'
}
