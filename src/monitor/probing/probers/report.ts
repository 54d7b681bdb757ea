import { printable } from '@medyk/health/internal'
import type { TargetReport } from '../../model/index.ts'
import { isMap, own, parseBounded } from './report-json.ts'

const maxNames = 20
const maxName = 80
const maxChecks = 1_000

/** ill: said in words that leave no doubt · doubtful: it may as well be said of something that it only looks at. */
type Said = 'healthy' | 'degraded' | 'ill' | 'doubtful'

/**
 * Words for the states, as services of many kinds have them: this project's own report, the health+json draft, Spring,
 * ASP.NET, terminus, Elasticsearch, Consul and home-made ones.
 */
const words: Readonly<Record<string, Said>> = {
  healthy: 'healthy',
  ok: 'healthy',
  up: 'healthy',
  pass: 'healthy',
  passing: 'healthy',
  true: 'healthy',
  green: 'healthy',
  alive: 'healthy',
  running: 'healthy',
  ready: 'healthy',
  degraded: 'degraded',
  warn: 'degraded',
  warning: 'degraded',
  yellow: 'degraded',
  unhealthy: 'ill',
  down: 'ill',
  fail: 'ill',
  out_of_service: 'ill',
  failed: 'doubtful',
  failing: 'doubtful',
  false: 'doubtful',
  red: 'doubtful',
  error: 'doubtful',
  critical: 'doubtful',
}

/** Where the single checks stand, the first of these that is there. Of a mere `details` not every `false` is bad news. */
const places = [
  { keys: ['checks'], plain: true },
  { keys: ['components'], plain: true },
  { keys: ['dependencies'], plain: true },
  { keys: ['services'], plain: true },
  { keys: ['entries'], plain: true },
  { keys: ['details'], plain: false },
  { keys: ['info', 'error'], plain: false },
] as const

/** Whole answers in one word: `{ "ready": false }`. */
const flags = ['ready', 'ok', 'healthy', 'alive', 'up'] as const

/**
 * What a target says of itself, where its body is a JSON object that is understood; else null, which is no fault.
 * Whatever the body holds, nothing but a few printable words comes out. `isGoodCode`: the answer came with a code that
 * is good. Then only words without doubt make it `unhealthy`: a service that can still say what it lacks is alive, and a
 * wrong reading would restart it.
 */
export function readReport(body: Buffer, isGoodCode = true): TargetReport | null {
  const parsed = parseBounded(body)
  if (parsed === null) return null
  const checks = checksOf(parsed)
  const said = saidBy(parsed) ?? concluded(parsed, checks)
  if (said === null) return null
  const failing = checks.filter((check) => check.said !== 'healthy').slice(0, maxNames)
  const version = own(parsed, 'version')
  return {
    status: said === 'ill' ? 'unhealthy' : said === 'doubtful' ? (isGoodCode ? 'degraded' : 'unhealthy') : said,
    failing: failing.map(({ name }) => printable(name, maxName)),
    version: typeof version === 'string' ? printable(version, maxName) : null,
    ...(isOurs(parsed) ? { library: true as const } : {}),
  }
}

/** Its own word for the whole: a status, or else what its flags say together. */
function saidBy(value: unknown): Said | null {
  const status = own(value, 'status')
  if (typeof status === 'string' || typeof status === 'boolean') return wordOf(String(status))
  const set = flags.map((flag) => own(value, flag)).filter((flag) => typeof flag === 'boolean')
  if (set.length === 0) return null
  return set.includes(false) ? 'doubtful' : 'healthy'
}

/** Nothing is said of the whole, but all of it is listed. A part that is ill is no death. */
function concluded(parsed: object, checks: readonly Check[]): Said | null {
  if (own(parsed, 'status') !== undefined || !(Object.hasOwn(parsed, 'checks') || Object.hasOwn(parsed, 'components')))
    return null
  if (checks.length === 0) return null
  return checks.every((check) => check.said === 'healthy') ? 'healthy' : 'degraded'
}

interface Check {
  readonly name: string
  readonly said: Said
}

function checksOf(parsed: object): readonly Check[] {
  for (const { keys, plain } of places) {
    const found = keys.map((key) => own(parsed, key)).filter((one) => typeof one === 'object' && one !== null)
    if (found.length === 0) continue
    const entries = found.flatMap((one) => entriesOf(one)).slice(0, maxChecks)
    return entries.flatMap(([name, value]) => {
      const said = saidByCheck(value, plain)
      return said === null ? [] : [{ name, said }]
    })
  }
  return []
}

function entriesOf(list: object): readonly (readonly [string, unknown])[] {
  if (!Array.isArray(list)) return Object.entries(list)
  return list.flatMap((one: unknown) => {
    const name = own(one, 'name') ?? own(one, 'id') ?? own(one, 'component') ?? own(one, 'service')
    return typeof name === 'string' ? [[name, one] as const] : []
  })
}

function saidByCheck(value: unknown, plain: boolean): Said | null {
  if (typeof value === 'string') return wordOf(value)
  if (typeof value === 'boolean') return plain ? wordOf(String(value)) : null
  const one: unknown = Array.isArray(value) ? value[0] : value
  return saidBy(one)
}

function wordOf(text: string): Said | null {
  const key = text.length <= 20 ? text.toLowerCase() : ''
  return Object.hasOwn(words, key) ? (words[key] ?? null) : null
}

/** The report of this project's own library, whole. */
function isOurs(parsed: object): boolean {
  const texts = ['status', 'timestamp', 'service', 'version'].every((key) => typeof own(parsed, key) === 'string')
  return texts && isMap(own(parsed, 'checks')) && typeof own(own(parsed, 'metadata'), 'uptime_seconds') === 'number'
}
