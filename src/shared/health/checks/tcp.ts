import { connect } from 'node:net'
import type { Check } from '../check.ts'
import { MedykError } from '../internal/index.ts'

export interface TcpOptions {
  readonly host: string
  readonly port: number
}

/**
 * Whether something accepts TCP connections there. The operating system accepts on behalf of a program that hangs, so
 * where the protocol allows it `http` or `ping` say more. Throws `ERR_OPTIONS` for a host or a port that cannot be.
 */
export function tcp({ host, port }: TcpOptions): Check {
  if (!Number.isInteger(port) || port < 1 || port > 65_535) {
    throw new MedykError('ERR_OPTIONS', `tcp(): port must be a whole number from 1 to 65535, got ${port}`)
  }
  if (typeof host !== 'string' || host === '')
    throw new MedykError('ERR_OPTIONS', 'tcp(): host must be a name or an address')
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
