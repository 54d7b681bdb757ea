import { printable } from '@medyk/health/internal'
import type { TargetReport } from '../../model/index.ts'

const maxNames = 20
const maxName = 80
const maxDepth = 32

/** Words for the three states: this project's own report, the health+json draft and Spring's. */
const words: Readonly<Record<string, NonNullable<TargetReport['status']>>> = {
  healthy: 'healthy',
  degraded: 'degraded',
  unhealthy: 'unhealthy',
  pass: 'healthy',
  warn: 'degraded',
  fail: 'unhealthy',
  up: 'healthy',
  down: 'unhealthy',
  out_of_service: 'unhealthy',
}

/**
 * What a target says of itself, where its body is a JSON object with a `status` that is understood; else null, which is no
 * fault. Whatever the body holds, nothing but a few printable words comes out.
 */
export function readReport(body: Buffer): TargetReport | null {
  if (body[0] !== 0x7b || tooDeep(body)) return null
  let parsed: unknown
  try {
    parsed = JSON.parse(body.toString('utf8'))
  } catch {
    return null
  }
  const status = statusOf(parsed)
  if (status === null) return null
  const failing: string[] = []
  for (const [name, check] of Object.entries(objectAt(parsed, 'checks') ?? objectAt(parsed, 'components') ?? {})) {
    if (failing.length === maxNames) break
    const said = typeof check === 'string' ? wordOf(check) : statusOf(Array.isArray(check) ? check[0] : check)
    if (said !== null && said !== 'healthy') failing.push(printable(name, maxName))
  }
  const version = own(parsed, 'version')
  return { status, failing, version: typeof version === 'string' ? printable(version, maxName) : null }
}

function statusOf(value: unknown): TargetReport['status'] {
  const status = own(value, 'status')
  return typeof status === 'string' ? wordOf(status) : null
}

function wordOf(text: string): TargetReport['status'] {
  const key = text.length <= 20 ? text.toLowerCase() : ''
  return Object.hasOwn(words, key) ? (words[key] ?? null) : null
}

function own(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, key)
    ? (value as Record<string, unknown>)[key]
    : undefined
}

function objectAt(value: unknown, key: string): object | null {
  const found = own(value, key)
  return typeof found === 'object' && found !== null && !Array.isArray(found) ? found : null
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
