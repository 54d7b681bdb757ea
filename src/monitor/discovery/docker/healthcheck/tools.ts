import { postgresDraft, redisDraft, tcpDraft } from '../draft.ts'
import { parseOptions } from './options.ts'
import { portOf, probes, verdict, type Context, type Reading } from './reading.ts'
import { unknown } from './shell.ts'

/** Where a tool without `-h` looks: at home. */
const home = 'localhost'

function at(host: string | true | undefined, context: Context): Reading | null {
  const name = typeof host === 'string' ? host : home
  if (name.includes(unknown)) return verdict('its host depends on a variable that only the container knows')
  // A path is a socket in the file system, and that is at home too.
  return name.startsWith('/') || context.isSelf(name) ? null : { kind: 'elsewhere', host: name }
}

const text = (value: string | true | undefined) => (typeof value === 'string' ? value : undefined)

const pgValued = new Set(['d', 'dbname', 'h', 'host', 'p', 'port', 't', 'timeout', 'U', 'username'])

export function readPgIsready(words: readonly string[], context: Context): Reading {
  const { options } = parseOptions(words, pgValued)
  const other = at(options.get('h') ?? options.get('host'), context)
  if (other) return other
  const given = text(options.get('p')) ?? text(options.get('port')) ?? String(context.ports['PGPORT'] ?? 5_432)
  const port = portOf(given)
  if (port === null) return verdict('its port was not understood')
  const isName = (name: string | undefined): name is string => name !== undefined && /^[^\0=/:[\]]{1,63}$/.test(name)
  const user = text(options.get('U')) ?? text(options.get('username'))
  const database = text(options.get('d')) ?? text(options.get('dbname'))
  return probes(postgresDraft(port, { ...(isName(user) ? { user } : {}), ...(isName(database) ? { database } : {}) }))
}

const redisValued = new Set([
  'h',
  'p',
  'a',
  'u',
  'n',
  't',
  's',
  'r',
  'i',
  'user',
  'pass',
  'cacert',
  'cert',
  'key',
  'sni',
])

export function readRedisCli(words: readonly string[], context: Context): Reading {
  const { options } = parseOptions(words, redisValued)
  if (options.has('tls')) return verdict('it speaks TLS to an inside name, which cannot be verified from outside')
  const uri = text(options.get('u'))
  const url = uri === undefined ? null : URL.parse(uri.replaceAll('[redacted]', 'x'))
  if (uri !== undefined && url?.protocol !== 'redis:') return verdict('its URL was not understood')
  const other = at(url?.hostname ?? options.get('h'), context)
  if (other) return other
  const port = portOf(url ? url.port || '6379' : (text(options.get('p')) ?? '6379'))
  return port === null ? verdict('its port was not understood') : probes(redisDraft(port))
}

const mysqlValued = new Set(['h', 'P', 'u', 'S', 'host', 'port', 'user', 'socket', 'protocol', 'connect-timeout'])

export function readMysqladmin(words: readonly string[], context: Context): Reading {
  // `-psecret` takes its value joined or not at all.
  const { operands, options } = parseOptions(
    words.filter((word) => !/^-p./.test(word)),
    mysqlValued,
  )
  if (!operands.includes('ping') && !operands.includes('status')) return verdict('its command was not understood')
  const other = at(options.get('h') ?? options.get('host'), context)
  if (other) return other
  const port = portOf(text(options.get('P')) ?? text(options.get('port')) ?? '3306')
  return port === null ? verdict('its port was not understood') : probes(tcpDraft(port))
}

export function readNc(words: readonly string[], context: Context): Reading {
  const { operands, options } = parseOptions(words, new Set(['w', 'i', 'p', 's', 'q', 'x', 'X']))
  const [host = '', port] = operands
  const number = portOf(port)
  if (!options.has('z') || number === null || operands.length !== 2) return verdict('its use of nc was not understood')
  return at(host, context) ?? probes(tcpDraft(number))
}

export function readGrpcProbe(words: readonly string[], context: Context): Reading {
  const valued = ['addr', 'service', 'connect-timeout', 'rpc-timeout', 'user-agent', 'tls-ca-cert', 'tls-server-name']
  const { options } = parseOptions(words, new Set(valued), 'single')
  const [, host = '', port] = /^(?:dns:\/*)?(.*):(\d+)$/.exec(text(options.get('addr')) ?? '') ?? []
  const number = portOf(port)
  if (number === null) return verdict('its address was not understood')
  return at(host === '' ? home : host.replace(/^\[|\]$/g, ''), context) ?? probes(tcpDraft(number))
}
