/**
 * Every error that Medyk raises on purpose. `code` is stable and listed in one table per package; `hint` says what the
 * reader can do about it.
 */
export class MedykError extends Error {
  override readonly name = 'MedykError'
  readonly code: string
  readonly hint: string | undefined

  constructor(code: string, message: string, options: { hint?: string; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.code = code
    this.hint = options.hint
  }
}

export function isMedykError(value: unknown, code?: string): value is MedykError {
  return value instanceof MedykError && (code === undefined || value.code === code)
}

/** The message of anything that was thrown, strings and plain objects included; never throws itself. */
export function messageOf(thrown: unknown): string {
  try {
    if (thrown instanceof AggregateError && !thrown.message) return thrown.errors.map(messageOf).join('; ')
    if (thrown instanceof Error) {
      // Whoever sets `message` may set it to anything.
      const text: unknown = thrown.message || thrown.name
      return typeof text === 'string' ? text : 'an error that cannot be shown'
    }
    if (typeof thrown === 'string') return thrown
    return JSON.stringify(thrown) ?? String(thrown)
  } catch {
    return 'an error that cannot be shown'
  }
}
