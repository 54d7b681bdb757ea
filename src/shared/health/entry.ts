import { messageOf, printable, type Logger } from './internal/index.ts'
import type { Outcome } from './outcome.ts'
import type { ResolvedRegistration } from './registration.ts'
import type { Job } from './runner.ts'
import type { Status } from './status.ts'
import { initialThresholdState, type ThresholdState } from './thresholds.ts'

/** All that is known of a check. For operators: messages and data are redacted but not for everybody's eyes. */
export interface CheckView {
  readonly name: string
  /** null: no result yet. */
  readonly status: Status | null
  /** Of the latest result, which below the thresholds may differ from `status`. */
  readonly message: string | null
  readonly data: Readonly<Record<string, string | number | boolean | null>>
  /** When `status` last changed; ISO 8601 UTC with milliseconds. */
  readonly since: string | null
  readonly lastResultAt: string | null
  /** Of the latest run that ended or timed out. */
  readonly durationMs: number | null
  readonly registration: ResolvedRegistration
}

/** A registered check with what it last found. */
export interface Entry extends Job {
  state: ThresholdState
  latest: Outcome | null
  durationMs: number | null
  sinceWallMs: number | null
  resultWallMs: number | null
}

export function entryOf(registration: ResolvedRegistration): Entry {
  return {
    registration,
    dueAt: 0,
    slot: -1,
    order: 0,
    run: null,
    state: initialThresholdState,
    latest: null,
    durationMs: null,
    sinceWallMs: null,
    resultWallMs: null,
  }
}

export function viewOf({ registration, state, latest, durationMs, sinceWallMs, resultWallMs }: Entry): CheckView {
  return {
    name: registration.name,
    status: state.status,
    message: latest?.message ?? null,
    data: latest?.data ?? {},
    since: iso(sinceWallMs),
    lastResultAt: iso(resultWallMs),
    durationMs,
    registration,
  }
}

/** Lets the check release what it holds between runs, if it says how. */
export function releaseCheck({ registration }: Entry, logger: Logger): void {
  try {
    const check: { [Symbol.dispose]?: unknown } = registration.check as object
    const dispose = check[Symbol.dispose]
    if (typeof dispose === 'function') dispose.call(check)
  } catch (error) {
    logger.warn({ check: registration.name, err: printable(messageOf(error)) }, 'a check could not be released')
  }
}

const iso = (wallMs: number | null) => (wallMs === null ? null : new Date(wallMs).toISOString())
