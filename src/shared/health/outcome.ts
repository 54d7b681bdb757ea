import { isMedykError, messageOf, printable } from './internal/index.ts'
import { isStatus, type Status } from './status.ts'

const MAX_DATA = 20

/** A check's result after validation: bounded, redacted and safe to show to an operator. */
export interface Outcome {
  readonly status: Status
  readonly message: string | null
  readonly data: Readonly<Record<string, string | number | boolean | null>>
  readonly timedOut: boolean
}

const none = Object.freeze({})

/** What came of a check that returned `value`. Nonsense is a failure of the check and says so. */
export function outcomeOfValue(value: unknown): Outcome {
  if (value === undefined) return { status: 'healthy', message: null, data: none, timedOut: false }
  try {
    const { status, message, data } = value as { status?: unknown; message?: unknown; data?: unknown }
    if (isStatus(status)) {
      const text = typeof message === 'string' && message !== '' ? printable(message) : null
      return { status, message: text, data: boundedData(data), timedOut: false }
    }
  } catch {
    // null, or an object whose getters throw: nonsense like any other.
  }
  const message = `the check returned ${printable(messageOf(value), 60)}; expected nothing or { status: "healthy" | "degraded" | "unhealthy" }`
  return { status: 'unhealthy', message, data: none, timedOut: false }
}

/** What came of a check that threw `thrown`, whatever that is. */
export function outcomeOfThrow(thrown: unknown): Outcome {
  const text = printable(reasonOf(thrown))
  return {
    status: 'unhealthy',
    message: text === '' ? 'the check threw an error without a message' : text,
    data: none,
    timedOut: isMedykError(thrown, 'ERR_DEADLINE'),
  }
}

/** The message with those of its causes: `fetch failed` alone says nothing. */
function reasonOf(thrown: unknown): string {
  let text = messageOf(thrown)
  try {
    let error = thrown
    for (let depth = 0; depth < 3 && error instanceof Error && error.cause !== undefined; depth += 1) {
      error = error.cause
      const cause = messageOf(error)
      if (!text.includes(cause)) text += `: ${cause}`
    }
  } catch {
    // A getter that throws: what is known so far has to do.
  }
  return text
}

function boundedData(data: unknown): Outcome['data'] {
  if (typeof data !== 'object' || data === null) return none
  const kept: [string, string | number | boolean | null][] = []
  for (const [key, value] of Object.entries(data)) {
    if (kept.length === MAX_DATA) break
    if (typeof value === 'string') kept.push([printable(key, 60), printable(value)])
    else if (value === null || typeof value === 'boolean' || Number.isFinite(value)) {
      kept.push([printable(key, 60), value as number | boolean | null])
    }
  }
  return Object.fromEntries(kept)
}
