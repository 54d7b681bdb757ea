/**
 * Reading JSON that somebody else wrote. A wrong shape yields the neutral value, never a throw: an engine of another version,
 * or one that only claims to be Docker, must not take the watch down.
 */
export type Unknown = { readonly [key: string]: unknown }

export function record(value: unknown): Unknown {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Unknown) : {}
}

export function list(value: unknown, max = 1_000): readonly unknown[] {
  return Array.isArray(value) ? value.slice(0, max) : []
}

export function text(value: unknown, max = 1_000): string {
  return typeof value === 'string' ? value.slice(0, max).toWellFormed() : ''
}

export function texts(value: unknown, max = 1_000): readonly string[] {
  return list(value, max).filter((one): one is string => typeof one === 'string' && one.length <= 4_096)
}

export function integer(value: unknown, otherwise = 0): number {
  return typeof value === 'number' && Number.isSafeInteger(value) ? value : otherwise
}

const MAX_PORT = 65_535

export function portOf(value: unknown): number | null {
  const port = typeof value === 'string' && /^\d{1,5}$/.test(value) ? Number(value) : value
  return typeof port === 'number' && Number.isInteger(port) && port >= 1 && port <= MAX_PORT ? port : null
}
