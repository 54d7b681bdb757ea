import { connect } from 'node:net'
import { printable } from '@medyk/health/internal'
import { z } from 'zod'
import type { Prober } from '../../model/index.ts'
import { ByteSink } from './byte-sink.ts'
import { converse, type Conversation, type Finding } from './conversation.ts'

export const kind = 'redis'

export const schema = z.strictObject({
  host: z.string().min(1).max(253).optional().meta({ description: 'Name or address.', default: '127.0.0.1' }),
  port: z.int().min(1).max(65_535).optional().meta({ description: 'Port of the server.', default: 6379 }),
})

const maxBytes = 1_024
const ping = Buffer.from('*1\r\n$4\r\nPING\r\n', 'latin1')

/** Refusals that only a server which is well can give: it wants to know who asks. */
const strangers = new Set(['NOAUTH', 'WRONGPASS', 'NOPERM', 'DENIED'])

/** What it says in words of its own while it lives but cannot serve everything; a restart would not help, or would harm. */
const troubles: Readonly<Record<string, string>> = {
  LOADING: 'loading its data',
  BUSY: 'busy with a script',
  MASTERDOWN: 'without its master',
  MISCONF: 'cannot persist',
}

/** PING on the wire, without a driver and without a password. Any answer of the protocol means that it lives. */
export async function create(): Promise<Prober> {
  return {
    kind,
    async probe(options, limits) {
      const parsed = schema.safeParse(options)
      if (!parsed.success) return { class: 'void', reason: 'the redis prober does not understand its options' }
      const { host = '127.0.0.1', port = 6379 } = parsed.data
      return await converse(() => connect({ host: limits.dial ?? host, port }), conversation(), limits)
    },
  }
}

function conversation(): Conversation {
  const heard = new ByteSink()
  return {
    connectEvent: 'connect',
    begin(socket) {
      socket.write(ping)
      return null
    },
    data(chunk) {
      heard.append(chunk.subarray(0, maxBytes - heard.length))
      const first = heard.bytes[0]
      if (first !== 0x2b && first !== 0x2d) return garbage(heard.bytes)
      const end = heard.bytes.indexOf('\r\n')
      if (end >= 0) return judge(heard.bytes.toString('latin1', 0, end))
      return heard.length < maxBytes ? null : garbage(heard.bytes)
    },
    end: () => ({ class: 'explicit', reason: 'closed without an answer', report: null, answered: heard.length > 0 }),
  }
}

function judge(line: string): Finding {
  if (line.startsWith('+')) return { class: 'ok', report: null }
  const [word = ''] = line.slice(1).split(' ', 1)
  if (strangers.has(word)) return { class: 'ok', report: null }
  const trouble = Object.hasOwn(troubles, word) ? troubles[word] : undefined
  const failing = [printable(trouble ?? line.slice(1), 80)]
  return { class: 'ok', report: { status: 'degraded', failing, version: null } }
}

function garbage(bytes: Buffer): Finding {
  const shown = printable(bytes.toString('latin1', 0, 60), 60)
  return { class: 'explicit', reason: `not an answer of Redis: "${shown}"`, report: null, answered: true }
}
