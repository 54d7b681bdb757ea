import { connect, createServer, type AddressInfo, type Server } from 'node:net'
import { once } from 'node:events'
import { converse, type Conversation } from '../probing/probers/conversation.ts'

const timeoutMs = 1_000

/** An echo on the loopback of our own: what cannot even hear itself has no business judging others. */
export interface Sentinel extends Disposable {
  /** null: the question was void (the loop was late, we are stopping). Never rejects. */
  check(): Promise<boolean | null>
}

/** Rejects when not even a loopback port can be had. */
export async function openSentinel(): Promise<Sentinel> {
  const server: Server = createServer((socket) => {
    socket.on('error', () => {})
    socket.pipe(socket)
  })
  server.maxConnections = 16
  server.unref()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const abort = new AbortController()
  return {
    async check() {
      const open = () => connect({ host: '127.0.0.1', port })
      const outcome = await converse(open, echo, { timeoutMs, signal: abort.signal })
      if (outcome.class === 'ok') return true
      // Void for want of a descriptor is a failure as well: it is our own.
      return abort.signal.aborted || (outcome.class === 'void' && outcome.reason.includes('late')) ? null : false
    },
    [Symbol.dispose]() {
      abort.abort()
      server.close()
    },
  }
}

const echo: Conversation = {
  connectEvent: 'connect',
  begin(socket) {
    socket.write('?')
    return null
  },
  data: () => ({ class: 'ok', report: null }),
  end: () => ({ class: 'explicit', reason: 'closed', report: null }),
}
