import { connect } from 'node:net'
import type { Check } from '../check.ts'

export interface TcpOptions {
  readonly host: string
  readonly port: number
}

/**
 * Whether something accepts TCP connections there. The operating system accepts on behalf of a program that hangs, so
 * where the protocol allows it `http` or `ping` say more.
 */
export function tcp({ host, port }: TcpOptions): Check {
  return (signal) =>
    new Promise((resolve, reject) => {
      if (signal.aborted) return reject(signal.reason as Error)
      const socket = connect({ host, port })
      const onAbort = () => end(() => reject(signal.reason as Error))
      const end = (settle: () => void) => {
        signal.removeEventListener('abort', onAbort)
        socket.destroy()
        settle()
      }
      signal.addEventListener('abort', onAbort, { once: true })
      socket.on('error', (error) => end(() => reject(error)))
      socket.on('connect', () => end(() => resolve()))
    })
}
