import { portOf, texts } from './untrusted.ts'
import type { EnvironmentHost } from './view.ts'

const MAX_VARIABLES = 500
const MAX_NAME = 200
const MAX_HOSTS = 64
/** A longer value is a certificate or a document, and no address. */
const MAX_VALUE = 2_000

export interface Environment {
  readonly environment: readonly string[]
  readonly hosts: readonly EnvironmentHost[]
  readonly ports: Readonly<Record<string, number>>
  /** Values that must not show up in any text about the container. Not to be kept. */
  readonly secrets: readonly string[]
}

const NAMES_A_HOST = /(?:^|_)(?:HOST|HOSTNAME|ADDR|ADDRESS|SERVERS?|BROKERS?|ENDPOINTS?|URLS?|URIS?|DSN)$|^PGHOST$/i
const NAMES_A_PORT = /(?:^|_)PORT$|^PGPORT$/i
/** What such a variable holds may look like a host name and be a password. */
const NAMES_A_SECRET = /PASS|PWD|SECRET|TOKEN|CREDENTIAL|AUTH|COOKIE|PRIVATE|SIGNATURE|SALT|(?:^|_)KEY(?:_|$)|API_?KEY/i

/** What may be known of `NAME=value` lines: names, and which hosts and ports the values name. Nothing else of a value. */
export function readEnvironment(lines: unknown): Environment {
  const variables = texts(lines, MAX_VARIABLES).flatMap((line): [string, string][] => {
    const at = line.indexOf('=')
    const name = (at < 0 ? line : line.slice(0, at)).slice(0, MAX_NAME)
    return name ? [[name, at < 0 ? '' : line.slice(at + 1)]] : []
  })
  const ports: Record<string, number> = Object.create(null) as Record<string, number>
  for (const [name, value] of variables) {
    const port = NAMES_A_PORT.test(name) && /^\d+$/.test(value) ? portOf(value) : null
    if (port !== null) ports[name] = port
  }
  const hosts = variables.flatMap(([variable, value]) =>
    hostsIn(variable, value.trim()).map((found) => ({
      variable,
      ...found,
      port: found.port ?? siblingPort(variable, ports),
    })),
  )
  return {
    environment: variables.map(([name]) => name),
    hosts: hosts.slice(0, MAX_HOSTS),
    ports: { ...ports },
    secrets: variables.flatMap(([name, value]) => secretsIn(name, value)).filter((secret) => secret.length >= 6),
  }
}

type Found = Omit<EnvironmentHost, 'variable'>

function hostsIn(variable: string, value: string): readonly Found[] {
  if (value === '' || value.length > MAX_VALUE) return []
  // A list of URLs; commas within one separate its hosts.
  const pieces = value.split(/,\s*(?=[a-z][a-z0-9+.-]{0,30}:\/\/)/i)
  if (/^(?:jdbc:)?[a-z][a-z0-9+.-]{0,30}:\/\//i.test(value)) return pieces.flatMap(hostsOfUrl)
  if (!NAMES_A_HOST.test(variable) || NAMES_A_SECRET.test(variable)) return []
  return /DSN$/i.test(variable) ? hostsOfDsn(value) : hostsOfList(value, null)
}

const NO_HOSTS_IN = new Set(['file', 'unix', 'sqlite', 'sqlite3', 'data', 'jar', 'npipe', 'fd'])

function hostsOfUrl(url: string): readonly Found[] {
  const [, named = '', rest = ''] = /^(?:jdbc:)?([a-z][a-z0-9+.-]*):\/\/(.*)$/is.exec(url) ?? []
  const scheme = named.toLowerCase()
  if (NO_HOSTS_IN.has(scheme)) return []
  const end = rest.search(/[/?#;\s\\]/)
  const authority = end < 0 ? rest : rest.slice(0, end)
  // A password with a slash in it: what stands before would be taken for the host, and it is none.
  if (end >= 0 && /@/.test(rest.slice(end)) && !/^(?:https?|rtsps?|wss?)$/.test(scheme)) return []
  if (end >= 0 && !authority.includes('@') && /^[^/?]*@/.test(rest.slice(end + 1))) return []
  return hostsOfList(authority.slice(authority.lastIndexOf('@') + 1), scheme)
}

/** `host=db port=5432 user=…`, or `user:password@tcp(db:3306)/name`. */
function hostsOfDsn(value: string): readonly Found[] {
  const inParentheses = /@\w{0,10}\(([^()]{1,300})\)/.exec(value)
  if (inParentheses) return hostsOfList(inParentheses[1]!, null)
  const keyed = /(?:^|\s)host\s?=\s?([^\s'"]{1,300})/i.exec(value)
  if (keyed) {
    const port = portOf(/(?:^|\s)port\s?=\s?(\d{1,5})(?:\s|$)/i.exec(value)?.[1])
    return hostsOfList(keyed[1]!, null).map((found) => ({ ...found, port: found.port ?? port }))
  }
  return hostsOfList(value, null)
}

function hostsOfList(list: string, scheme: string | null): readonly Found[] {
  const found = list.split(',').map((one) => hostOf(one.trim(), scheme))
  // One that is none shows that the whole is something else.
  return scheme === null && found.includes(undefined) ? [] : found.filter((one) => one !== undefined && one !== null)
}

const HERE = /^(?:localhost|.*\.localhost|127\.[\d.]+|0\.0\.0\.0|::1?|\*)$/i
const NO_HOST = /^(?:\d+|true|false|yes|no|on|off|none|null|nil|undefined|auto|default|enabled|disabled)$/i
const LABEL = '[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?'
const HOST = new RegExp(`^${LABEL}(?:\\.${LABEL}){0,20}\\.?$`, 'i')

/** undefined: no host at all; null: this machine, which is no dependency. */
function hostOf(one: string, scheme: string | null): Found | undefined | null {
  const [, bracketed, plain, digits] = /^(?:\[([0-9a-f:.]{2,45})\]|([^:[\]]{1,253}))(?::(\d{1,5}))?$/i.exec(one) ?? []
  const host = bracketed ?? plain ?? ''
  const port = portOf(digits)
  if (digits !== undefined && port === null) return undefined
  if (HERE.test(host)) return null
  if (bracketed === undefined && (!HOST.test(host) || NO_HOST.test(host))) return undefined
  return { host, port, scheme }
}

/** REDIS_PORT for REDIS_HOST, PGPORT for PGHOST. */
function siblingPort(variable: string, ports: Readonly<Record<string, number>>): number | null {
  const prefix = variable.replace(/_?(?:HOST|HOSTNAME|ADDR|ADDRESS|SERVERS?|BROKERS?|ENDPOINTS?)$/i, '')
  if (prefix === variable || prefix === '') return null
  return ports[`${prefix}_PORT`] ?? ports[`${prefix}PORT`] ?? ports[`${prefix.toLowerCase()}_port`] ?? null
}

function secretsIn(name: string, value: string): readonly string[] {
  if (NAMES_A_SECRET.test(name)) return [value]
  const password = /^(?:jdbc:)?[a-z][a-z0-9+.-]*:\/\/[^@\s]*?:([^\s]+)@/i.exec(value.slice(0, MAX_VALUE))?.[1]
  return password === undefined ? [] : [password]
}
