import { forgetErrors } from './errors.ts'
import { rules } from './rules.ts'
import { lasted } from './run.ts'
import { firstStart } from './series.ts'
import type { Track } from './track.ts'

/** Failures in a row that E1 asks for. */
export function failuresNeeded(track: Track): number {
  const { attempts, answeredAttempts, chance, shareMax } = rules.explicit
  if (track.role !== 'liveness' || !track.answered) return attempts
  const share = Math.min(shareMax, track.shareBefore)
  const byChance = share > 0 ? Math.ceil(Math.log(chance) / Math.log(share)) : 0
  return Math.max(answeredAttempts, byChance)
}

/** When silence would be long enough; Infinity while too few attempts have begun. */
export function silentAt(track: Track, stretched: boolean): number {
  const { attempts, unanswered, stretchMs } = rules.silence
  if (track.series.count < attempts || track.series.count - track.series.answered < unanswered) return Infinity
  const patient = stretched || track.slow.isLossy
  return firstStart(track.series) + track.silenceMs + (patient ? stretchMs : 0)
}

/** E1 and E2; true when one of them declares. Once failing it is not called hung: nothing takes back what was said. */
export function applyRules(track: Track, now: number, stretched: boolean): boolean {
  if (track.dead === 'failing') return false
  if (track.explicit.count > 0 && lasted(track.explicit, failuresNeeded(track), rules.explicit.spanMs)) {
    declare(track, 'failing', now, track.explicit.firstAt, track.explicit.reason)
    return true
  }
  if (track.dead === 'no' && track.series.count > 0 && now >= silentAt(track, stretched)) {
    const seconds = ((now - firstStart(track.series)) / 1_000).toFixed(1)
    declare(track, 'hung', now, firstStart(track.series), `no answer to ${track.series.count} attempts in ${seconds} s`)
    return true
  }
  return false
}

function declare(track: Track, dead: 'failing' | 'hung', now: number, since: number, reason: string): void {
  if (track.dead === 'no') track.deadSince = since
  track.dead = dead
  track.deadAt = now
  track.deadReason = reason
  // The outage has its verdict; counted as errors too, it would be held against the target after its recovery.
  forgetErrors(track.errors)
}
