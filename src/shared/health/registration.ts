import type { Check } from './check.ts'
import { MedykError, messageOf, printable } from './internal/index.ts'

/**
 * liveness: is the service itself sound? Never about a dependency · readiness: can it do its work? · startup: has it
 * come up?
 */
export type Probe = 'liveness' | 'readiness' | 'startup'

export const probes: readonly Probe[] = ['liveness', 'readiness', 'startup']

/** A check under a name, with when and how it runs and what follows from it. */
export interface Registration {
  /** A letter, then letters, digits and `_ . : / -`; at most 80 characters. Shown to anonymous callers: no secrets. */
  readonly name: string
  readonly check: Check
  /** What it belongs to. Default `['readiness']`. A check of startup alone stops running once it has succeeded. */
  readonly probes?: readonly Probe[]
  /** From start to start, in ms. Default 5000; 10 … 86,400,000. */
  readonly intervalMs?: number
  /** After this many ms it has failed and its signal aborts. Default 1500; 1 … 600,000. */
  readonly timeoutMs?: number
  /** Worse results in a row before the status gets worse. Default 3. The very first result counts at once. */
  readonly failureThreshold?: number
  /** Better results in a row before the status gets better. Default 1. */
  readonly successThreshold?: number
  /** Whether its failure fails the probe (503). When false it only degrades. Default true. */
  readonly critical?: boolean
  /** Name of the service that this check depends on. */
  readonly dependsOn?: string
  /** For grouping; at most 20. */
  readonly tags?: readonly string[]
}

export type ResolvedRegistration = Required<Omit<Registration, 'dependsOn'>> & { readonly dependsOn: string | null }

/**
 * timeoutMs: not 1000, since the first SYN retransmit of TCP comes after 1 s and a single lost packet would look like a
 * failure (9.85 % of probes at 5 % loss against 0.82 % with 1500 ms, measured). failureThreshold 3 and successThreshold 1
 * are kubelet's: what serves again is wanted back at once, what fails must do so more than once.
 */
export const registrationDefaults = {
  probes: ['readiness'],
  intervalMs: 5_000,
  timeoutMs: 1_500,
  failureThreshold: 3,
  successThreshold: 1,
  critical: true,
  tags: [],
} as const satisfies Partial<Registration>

export const MAX_CHECKS = 20_000
const MAX_PROBLEMS = 50
const KNOWN = new Set<string>(['name', 'check', 'dependsOn', ...Object.keys(registrationDefaults)])
const NAME = /^[A-Za-z][\w.:/-]{0,79}$/
const NUMBERS = { intervalMs: [10, 86_400_000], timeoutMs: [1, 600_000] } as const
const COUNTS = ['failureThreshold', 'successThreshold'] as const

/**
 * `list` with its defaults filled in. Throws one `ERR_REGISTRATION` that names every problem of the whole list, so that
 * nothing of a list with a mistake is registered. `taken` says whether a name is in use; `room` is how many more fit.
 */
export function resolveRegistrations(
  list: readonly unknown[],
  taken: (name: string) => boolean,
  room: number = MAX_CHECKS,
): ResolvedRegistration[] {
  const seen = new Set<string>()
  const problems: string[] = []
  for (const [index, item] of list.entries()) {
    if (typeof item !== 'object' || item === null) {
      problems.push(`registration ${index + 1} is ${printable(messageOf(item), 40)}, expected an object`)
      continue
    }
    const registration = item as Partial<Registration>
    const { name } = registration
    const label = typeof name === 'string' ? `check "${printable(name, 80)}"` : `registration ${index + 1}`
    problems.push(...problemsOf(registration).map((problem) => `${label}: ${problem}`))
    if (typeof name !== 'string') continue
    if (seen.has(name)) problems.push(`${label} appears more than once in this call`)
    else if (taken(name)) problems.push(`${label} is registered already`)
    seen.add(name)
  }
  if (list.length > room) problems.push(`${list.length} checks do not fit: at most ${MAX_CHECKS} can be registered`)
  if (problems.length > 0) throw registrationError(problems)
  return (list as readonly Registration[]).map(resolve)
}

function registrationError(problems: readonly string[]): MedykError {
  const shown = problems.slice(0, MAX_PROBLEMS).map((problem) => `\n  - ${problem}`)
  const rest = problems.length > MAX_PROBLEMS ? `\n  and ${problems.length - MAX_PROBLEMS} more` : ''
  return new MedykError('ERR_REGISTRATION', `no check was registered, because:${shown.join('')}${rest}`, {
    hint: 'mend every line above; a call registers all of its checks or none',
  })
}

function* each(value: unknown): Generator {
  if (Array.isArray(value)) yield* value
}

function problemsOf(item: Partial<Registration>): string[] {
  const problems: string[] = []
  const expect = (ok: boolean, field: string, wanted: string) => {
    if (ok) return
    const got = Object.entries(item).find(([key]) => key === field)?.[1] as unknown
    problems.push(`${field} must be ${wanted}, got ${printable(show(got), 60)}`)
  }
  const { name, check, critical, dependsOn } = item
  expect(typeof name === 'string' && NAME.test(name), 'name', 'a letter, then at most 79 of A-Z a-z 0-9 _ . : / -')
  expect(typeof check === 'function', 'check', 'a function')
  for (const [field, [min, max]] of Object.entries(NUMBERS) as [keyof typeof NUMBERS, readonly [number, number]][]) {
    const value: unknown = item[field]
    const ok = value === undefined || (typeof value === 'number' && value >= min && value <= max)
    expect(ok, field, `a number of milliseconds from ${min} to ${max}`)
  }
  for (const field of COUNTS) {
    const value: unknown = item[field]
    const ok = value === undefined || (Number.isInteger(value) && (value as number) >= 1 && (value as number) <= 1_000)
    expect(ok, field, 'a whole number from 1 to 1000')
  }
  expect(critical === undefined || typeof critical === 'boolean', 'critical', 'true or false')
  expect(
    dependsOn === undefined || (typeof dependsOn === 'string' && NAME.test(dependsOn)),
    'dependsOn',
    'the name of a service',
  )
  expect(
    item.probes === undefined || isProbeList(item.probes),
    'probes',
    `one or more of ${probes.join(', ')}, each once`,
  )
  const tags = [...each(item.tags)]
  const tagsOk =
    Array.isArray(item.tags) && tags.length <= 20 && tags.every((tag) => typeof tag === 'string' && tag.length <= 80)
  expect(item.tags === undefined || tagsOk, 'tags', 'at most 20 strings of at most 80 characters')
  for (const key of Object.keys(item)) {
    if (!KNOWN.has(key)) problems.push(`${printable(key, 60)} is not an option; there are ${[...KNOWN].join(', ')}`)
  }
  return problems
}

function isProbeList(value: unknown): boolean {
  const list = [...each(value)]
  return list.length > 0 && new Set(list).size === list.length && list.every((probe) => probes.includes(probe as Probe))
}

function show(value: unknown): string {
  return typeof value === 'function' ? 'a function' : typeof value === 'number' ? String(value) : messageOf(value)
}

function resolve(item: Registration): ResolvedRegistration {
  const given = Object.fromEntries(Object.entries(item).filter(([, value]) => value !== undefined))
  return Object.freeze({ dependsOn: null, ...registrationDefaults, ...(given as unknown as Registration) })
}
