import { connect } from 'node:net'
import { z } from 'zod'
import type { Prober } from '../../model/index.ts'
import { converse, type Conversation } from './conversation.ts'

export const kind = 'tcp'

export const schema = z.strictObject({
  host: z.string().min(1).max(253).optional().meta({ description: 'Name or address.', default: '127.0.0.1' }),
  port: z.int().min(1).max(65_535).meta({ description: 'Port that must accept a connection.' }),
})

/** Healthy when a connection is accepted. A hung process whose kernel still accepts looks healthy to it: prefer http. */
export async function create(): Promise<Prober> {
  return {
    kind,
    async probe(options, limits) {
      const parsed = schema.safeParse(options)
      if (!parsed.success) return { class: 'void', reason: 'the tcp prober does not understand its options' }
      const { host = '127.0.0.1', port } = parsed.data
      return await converse(() => connect({ host: limits.dial ?? host, port }), accepted, limits)
    },
  }
}

const accepted: Conversation = {
  connectEvent: 'connect',
  begin: () => ({ class: 'ok', report: null }),
  data: () => null,
  end: () => ({ class: 'explicit', reason: 'closed at once', report: null }),
}
