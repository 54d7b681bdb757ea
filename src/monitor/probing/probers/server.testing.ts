import { once } from 'node:events'
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net'

export interface RawServer extends AsyncDisposable {
  readonly port: number
  /** Connections so far, and those still open. */
  readonly connections: () => number
  readonly open: () => number
}

/** A server that does with each connection just what it is told, well-formed or not, once it has heard `ending`. */
export async function rawServer(
  onRequest: (socket: Socket, request: string) => void,
  ending = '\r\n\r\n',
): Promise<RawServer> {
  const sockets = new Set<Socket>()
  let connections = 0
  const server: Server = createServer((socket) => {
    connections++
    sockets.add(socket)
    socket.on('error', () => {})
    socket.on('close', () => sockets.delete(socket))
    let request = ''
    socket.on('data', (chunk) => {
      const wasWhole = request.includes(ending)
      request += chunk.toString('latin1')
      if (!wasWhole && request.includes(ending)) onRequest(socket, request)
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    connections: () => connections,
    open: () => sockets.size,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}

export const response = (body: string, more: readonly string[] = [], status = '200 OK'): string =>
  [`HTTP/1.1 ${status}`, `Content-Length: ${Buffer.byteLength(body)}`, ...more, '', body].join('\r\n')
