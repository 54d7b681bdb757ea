const maxDepth = 32
const spaces = new Set([0x20, 0x09, 0x0a, 0x0d])

/** The JSON object in `body`; null where there is none, or none that may be built safely. */
export function parseBounded(body: Buffer): object | null {
  let start = 0
  while (spaces.has(body[start] ?? 0)) start++
  if (body[start] !== 0x7b || tooDeep(body)) return null
  try {
    return JSON.parse(body.toString('utf8', start)) as object
  } catch {
    return null
  }
}

/** A key of its own: what a prototype has was not said by the target. */
export function own(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, key)
    ? (value as Record<string, unknown>)[key]
    : undefined
}

export function isMap(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Counts brackets outside strings before anything is built from them. */
function tooDeep(body: Buffer): boolean {
  let depth = 0
  let quoted = false
  for (let i = 0; i < body.length; i++) {
    const byte = body[i]
    if (quoted) {
      if (byte === 0x5c) i++
      else if (byte === 0x22) quoted = false
    } else if (byte === 0x22) quoted = true
    else if (byte === 0x7b || byte === 0x5b) {
      if (++depth > maxDepth) return true
    } else if (byte === 0x7d || byte === 0x5d) depth--
  }
  return false
}
