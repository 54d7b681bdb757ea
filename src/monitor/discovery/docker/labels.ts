import { isMedykError, parseDuration, printable } from '@medyk/health/internal'
import { isoOf, wallOf } from '../../model/index.ts'

/** What the labels `io.medyk.*` of a container say. null: nothing. */
export interface MedykLabels {
  readonly health: LabelTarget | null
  readonly ready: LabelTarget | null
  readonly port: number | null
  readonly intervalMs: number | null
  readonly timeoutMs: number | null
  readonly recovery: 'act' | 'dry-run' | 'off' | null
  readonly restartHung: boolean | null
  readonly job: boolean
  readonly dependsOn: readonly string[]
  readonly restartWith: readonly string[]
  /** Leave it alone until then. */
  readonly maintenance: { readonly until: string; readonly reason: string } | null
  /** What could not be understood, one sentence each. */
  readonly problems: readonly string[]
}

export type LabelTarget =
  | { readonly kind: 'path'; readonly path: string }
  | { readonly kind: 'url'; readonly url: string }
  | { readonly kind: 'tcp'; readonly port: number }

const prefix = 'io.medyk.'
const known = new Set(
  'ignore role health ready port interval timeout recovery restart-hung job depends-on restart-with maintenance'.split(
    ' ',
  ),
)
const maxNames = 50

export function readLabels(labels: Readonly<Record<string, string>>): MedykLabels {
  const problems: string[] = []
  const read = <T>(key: string, expected: string, parse: (text: string) => T | null): T | null => {
    const text = labels[prefix + key]?.trim()
    if (text === undefined || text === '') return null
    const value = parse(text)
    if (value === null) problems.push(`label ${prefix}${key} is "${printable(text, 60)}"; expected ${expected}`)
    return value
  }
  const duration = (key: string, min: number, max: number) =>
    read(key, 'a duration such as 2s', (text) => {
      const ms = millisecondsOf(text)
      return ms !== null && ms >= min && ms <= max ? ms : null
    })
  for (const key of Object.keys(labels)) {
    if (!key.startsWith(prefix) || known.has(key.slice(prefix.length))) continue
    // Labels of that name with a dot or a dash may be those of a later version.
    if (problems.length < 10) problems.push(`label ${printable(key, 80)} is not known`)
  }
  const wanted = 'a path such as /health, a URL, or tcp:8080'
  return {
    health: read('health', wanted, targetOf),
    ready: read('ready', wanted, targetOf),
    port: read('port', 'a port', portOf),
    intervalMs: duration('interval', 100, 3_600_000),
    timeoutMs: duration('timeout', 10, 60_000),
    recovery: read('recovery', 'act, dry-run or off', (text) =>
      text === 'act' || text === 'dry-run' || text === 'off' ? text : null,
    ),
    restartHung: read('restart-hung', 'true or false', booleanOf),
    job: read('job', 'true or false', booleanOf) ?? false,
    dependsOn: listOf(labels[`${prefix}depends-on`]),
    restartWith: listOf(labels[`${prefix}restart-with`]),
    maintenance: read('maintenance', 'a time and a reason such as "2026-01-31T18:00:00Z moving the disk"', heldUntil),
    problems,
  }
}

function targetOf(text: string): LabelTarget | null {
  const tcp = /^tcp:(?:\/\/)?(\d{1,5})$/i.exec(text)
  if (tcp) {
    const port = portOf(tcp[1] ?? '')
    return port === null ? null : { kind: 'tcp', port }
  }
  if (/^\/[\u0021-\u007e]{0,1000}$/.test(text)) return { kind: 'path', path: text }
  const url = text.length <= 2_048 ? URL.parse(text) : null
  const isHttp = url !== null && /^https?:$/.test(url.protocol) && url.username === '' && url.password === ''
  return isHttp ? { kind: 'url', url: text } : null
}

function portOf(text: string): number | null {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : 0
  return port >= 1 && port <= 65_535 ? port : null
}

function heldUntil(text: string): MedykLabels['maintenance'] {
  const [, until = '', reason = ''] = /^(\S{1,30})\s+(\S.{0,199})$/.exec(text) ?? []
  return Number.isNaN(wallOf(until)) ? null : { until: isoOf(wallOf(until)), reason: printable(reason) }
}

function booleanOf(text: string): boolean | null {
  const lower = text.toLowerCase()
  return lower === 'true' ? true : lower === 'false' ? false : null
}

function listOf(text: string | undefined): readonly string[] {
  const names = (text ?? '').split(',').map((name) => name.trim())
  return names.filter((name) => name !== '').slice(0, maxNames)
}

function millisecondsOf(text: string): number | null {
  try {
    return parseDuration(text)
  } catch (error) {
    if (isMedykError(error)) return null
    throw error
  }
}
