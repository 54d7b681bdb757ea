import { tcpDraft } from '../draft.ts'
import { readCurl, readWget } from './http-clients.ts'
import { portOf, probes, verdict, type Context, type Reading } from './reading.ts'
import { readNode, readPython } from './scripts.ts'
import { parseShell, type SimpleCommand } from './shell.ts'
import { readGrpcProbe, readMysqladmin, readNc, readPgIsready, readRedisCli } from './tools.ts'
import type { Filter } from './url.ts'

export type { Context, Reading } from './reading.ts'

type Reader = (words: readonly string[], context: Context, filter: Filter | null) => Reading

/** Every program that is understood, by name. */
const readers: Readonly<Record<string, Reader>> = {
  curl: readCurl,
  wget: readWget,
  python: readPython,
  python3: readPython,
  node: readNode,
  nc: readNc,
  ncat: readNc,
  netcat: readNc,
  pg_isready: readPgIsready,
  'redis-cli': readRedisCli,
  'valkey-cli': readRedisCli,
  'keydb-cli': readRedisCli,
  mysqladmin: readMysqladmin,
  'mariadb-admin': readMysqladmin,
  'rabbitmq-diagnostics': () => probes(tcpDraft(5_672)),
  rabbitmqctl: () => probes(tcpDraft(5_672)),
  grpc_health_probe: readGrpcProbe,
}

const shells = new Set(['sh', 'bash', 'ash', 'dash'])

/** What `test` (as Docker has it: `CMD …` or `CMD-SHELL …`) asks, and how to ask it from outside. */
export function readHealthcheck(test: readonly string[], context: Context): Reading {
  const [form, ...words] = test
  if (form === 'CMD-SHELL') return readLine(words.join(' '), context)
  if (form !== 'CMD') return verdict('its form was not understood')
  return readWords(words, context, null)
}

/** The program that a HEALTHCHECK runs first, for saying that it is missing; null when that was not understood. */
export function programOf(test: readonly string[]): string | null {
  const [form, ...words] = test
  const all = form === 'CMD' ? words : (parseShell(words.join(' '), {})?.[0]?.words ?? [])
  const [program] = unwrapped(all)
  const line = lineOf(all)
  if (line !== null) return programOf(['CMD-SHELL', line])
  return program === undefined ? null : baseOf(program)
}

function readLine(line: string, context: Context): Reading {
  const tcp = /^[^|;]*\/dev\/tcp\/([A-Za-z0-9.-]+)\/(\d{1,5})\b/.exec(line)
  const commands = parseShell(line, context.ports)
  if (tcp) {
    const [, host = '', digits] = tcp
    const port = portOf(digits)
    if (port === null) return verdict('its port was not understood')
    return context.isSelf(host) ? probes(tcpDraft(port)) : { kind: 'elsewhere', host }
  }
  const [first, ...rest] = commands ?? []
  if (!first) return verdict('its shell was not understood')
  const filter = rest[0]?.joiner === '|' ? rest[0] : undefined
  const reading = readWords(first.words, context, filter ? filterOf(first, filter) : null)
  return reading.kind === 'verdict' ? reading : followed(reading, rest, context)
}

/** What comes after the first command must not turn its meaning round. */
function followed(reading: Reading, rest: readonly SimpleCommand[], context: Context): Reading {
  for (const { joiner, words } of rest) {
    if (joiner === '&&' || joiner === '|') continue
    if (isGivingUp(words)) continue
    const other = joiner === '||' ? readWords(words, context, null) : null
    // The same question with another tool, in case the first one is not there.
    if (other === null || JSON.stringify(other) !== JSON.stringify(reading)) return verdict('it does several things')
  }
  return reading
}

function isGivingUp([program = '']: readonly string[]): boolean {
  return ['exit', 'false', 'kill', 'echo', 'true', 'printf'].includes(baseOf(program))
}

function readWords(words: readonly string[], context: Context, filter: Filter | null): Reading {
  const line = lineOf(words)
  if (line !== null) return readLine(line, context)
  const [program = '', ...args] = unwrapped(words)
  const name = baseOf(program)
  const reader = Object.hasOwn(readers, name) ? readers[name] : undefined
  return reader ? reader(args, context, filter) : verdict('its program is not known')
}

/** The text that a shell is given with `-c`; null: no shell. */
function lineOf(words: readonly string[]): string | null {
  const [program = '', flag = '', line] = unwrapped(words)
  return shells.has(baseOf(program)) && /^-[a-z]*c$/.test(flag) && line !== undefined ? line : null
}

/** Without what only starts it: `exec`, `timeout 5`, a path. */
function unwrapped(words: readonly string[]): readonly string[] {
  if (words[0] === 'exec') return unwrapped(words.slice(1))
  if (baseOf(words[0] ?? '') !== 'timeout') return words
  const at = words.findIndex((word, i) => i > 0 && /^\d+(?:\.\d+)?[smh]?$/.test(word))
  return at < 0 ? words : unwrapped(words.slice(at + 1))
}

function baseOf(program: string): string {
  return program.slice(program.lastIndexOf('/') + 1)
}

/** `| grep 200` after a `curl -w`, `| grep ok` after any. Patterns that are more than plain text are left alone. */
function filterOf(first: SimpleCommand, filter: SimpleCommand): Filter {
  const [program = '', ...words] = filter.words
  const [pattern = '', ...more] = words.filter((word) => !/^-[qsEFwx]+$/.test(word))
  if (baseOf(program) !== 'grep' || more.length > 0) return {}
  const writesCode = first.words.some((word) => word.includes('http_code'))
  if (writesCode) return /^[1-5]\d\d$/.test(pattern) ? { status: Number(pattern) } : {}
  return /^[\w ":{},]{1,100}$/.test(pattern) ? { bodyContains: pattern } : {}
}
