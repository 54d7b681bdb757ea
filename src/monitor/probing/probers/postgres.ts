import { connect, type Socket } from 'node:net'
import { printable } from '@medyk/health/internal'
import { z } from 'zod'
import type { Prober } from '../../model/index.ts'
import { ByteSink } from './byte-sink.ts'
import { converse, type Conversation, type Finding } from './conversation.ts'

export const kind = 'postgres'

const identifier = z.string().regex(/^[^\0]{1,63}$/, 'expected a name of at most 63 characters')

export const schema = z.strictObject({
  host: z.string().min(1).max(253).optional().meta({ description: 'Name or address.', default: '127.0.0.1' }),
  port: z.int().min(1).max(65_535).optional().meta({ description: 'Port of the server.', default: 5432 }),
  user: identifier.optional().meta({
    description: 'Role to knock with. It need not exist, and no password is ever sent.',
    default: 'medyk',
  }),
  database: identifier.optional().meta({ description: 'Database to knock at.', default: 'postgres' }),
})

type Options = z.infer<typeof schema>

const maxBytes = 8_192
const authentication = 0x52
const errorResponse = 0x45
const terminate = Buffer.from([0x58, 0, 0, 0, 4])

/**
 * Opens a session on the wire as far as a stranger gets, without a driver and without a password: whoever asks for a
 * password, or refuses the role, has forked a backend and lives.
 */
export async function create(): Promise<Prober> {
  return {
    kind,
    async probe(options, limits) {
      const parsed = schema.safeParse(options)
      if (!parsed.success) return { class: 'void', reason: 'the postgres prober does not understand its options' }
      const { host = '127.0.0.1', port = 5432 } = parsed.data
      return await converse(() => connect({ host: limits.dial ?? host, port }), conversation(parsed.data), limits)
    },
  }
}

function conversation(options: Options): Conversation {
  const heard = new ByteSink()
  let socket: Socket | null = null
  return {
    connectEvent: 'connect',
    begin(opened) {
      socket = opened
      opened.write(startupMessage(options))
      return null
    },
    data(chunk) {
      heard.append(chunk.subarray(0, maxBytes - heard.length))
      const finding = judge(heard.bytes)
      // A session that is open ends with a good-bye. Who is still asked for a password may simply go: the server takes
      // that in silence, and would note down a good-bye as a wrong answer.
      if (finding && isOpen(heard.bytes)) socket?.write(terminate)
      return finding
    },
    end: () => ({ class: 'explicit', reason: 'closed without an answer', report: null, answered: heard.length > 0 }),
  }
}

/** Protocol 3.0: length, version, pairs of zero-terminated texts, zero. */
function startupMessage({ user = 'medyk', database = 'postgres' }: Options): Buffer {
  const pairs = Object.entries({ user, database, application_name: 'medyk' }).flat()
  const body = Buffer.from(`${pairs.join('\0')}\0\0`, 'utf8')
  const head = Buffer.alloc(8)
  head.writeInt32BE(8 + body.byteLength, 0)
  head.writeInt32BE(3 << 16, 4)
  return Buffer.concat([head, body])
}

function judge(bytes: Buffer): Finding | null {
  const kindOf = bytes[0]
  if (kindOf !== authentication && kindOf !== errorResponse) return garbage(bytes)
  if (bytes.byteLength < 5) return null
  const length = bytes.readUInt32BE(1)
  if (length < 8 || length > maxBytes - 1) return garbage(bytes)
  if (bytes.byteLength < length + 1) return null
  return kindOf === authentication ? { class: 'ok', report: null } : judgeError(fieldsOf(bytes.subarray(5, length + 1)))
}

/** AuthenticationOk. */
function isOpen(bytes: Buffer): boolean {
  return bytes[0] === authentication && bytes.byteLength >= 9 && bytes.readUInt32BE(5) === 0
}

/** Classes of SQLSTATE: https://www.postgresql.org/docs/current/errcodes-appendix.html. */
function judgeError(fields: ReadonlyMap<string, string>): Finding {
  const code = fields.get('C') ?? ''
  const text = printable(fields.get('M') ?? `error ${code}`, 80)
  // Authorisation, no such database, and what a connection pooler says of a role that it does not know.
  if (/^(?:28|3D|08)/.test(code)) return { class: 'ok', report: null }
  // Operator intervention: starting up, shutting down, in recovery.
  if (code.startsWith('57')) return { class: 'explicit', reason: text, report: null, answered: true }
  return { class: 'ok', report: { status: 'degraded', failing: [text], version: null } }
}

function fieldsOf(body: Buffer): ReadonlyMap<string, string> {
  const fields = body.toString('utf8').split('\0')
  return new Map(fields.filter((field) => field !== '').map((field) => [field.slice(0, 1), field.slice(1)]))
}

function garbage(bytes: Buffer): Finding {
  const shown = printable(bytes.toString('latin1', 0, 60), 60)
  return { class: 'explicit', reason: `not an answer of PostgreSQL: "${shown}"`, report: null, answered: true }
}
