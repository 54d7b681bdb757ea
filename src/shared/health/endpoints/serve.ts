import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Health } from '../health.ts'
import { MedykError, messageOf } from '../internal/index.ts'
import { nodeListener, type NodeListenerOptions } from './node.ts'

export interface ServeOptions extends NodeListenerOptions {
  /** 0: any free one. */
  readonly port: number
  /** Default `127.0.0.1`. */
  readonly host?: string
  /** Connections at a time; more are closed at once. Default 1024. */
  readonly maxConnections?: number
}

export interface HealthServer extends AsyncDisposable {
  readonly port: number
  readonly host: string
  /** Stops accepting and waits for the requests under way, at most `graceMs` (default 1000), then cuts them. */
  close(graceMs?: number): Promise<void>
}

/** An own HTTP server for the endpoints. Rejects with `ERR_PORT_TAKEN` or `ERR_LISTEN`. */
export async function serveHealth(health: Health, options: ServeOptions): Promise<HealthServer> {
  const { port, host = '127.0.0.1', maxConnections = 1_024 } = options
  const server = createServer(
    { headersTimeout: 5_000, requestTimeout: 30_000, keepAliveTimeout: 5_000, connectionsCheckingInterval: 1_000 },
    nodeListener(health, options),
  )
  server.maxConnections = maxConnections
  await listen(server, port, host)
  const close = (graceMs = 1_000) => closeServer(server, graceMs)
  return { port: (server.address() as AddressInfo).port, host, close, [Symbol.asyncDispose]: () => close() }
}

function listen(server: Server, port: number, host: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const fail = (cause: unknown) => reject(listenError(cause, port, host))
    server.once('error', fail)
    try {
      server.listen({ port, host }, () => {
        server.off('error', fail)
        resolve()
      })
    } catch (error) {
      fail(error)
    }
  })
}

function listenError(cause: unknown, port: number, host: string): MedykError {
  if ((cause as NodeJS.ErrnoException).code === 'EADDRINUSE') {
    return new MedykError('ERR_PORT_TAKEN', `port ${port} on ${host} is taken by another process`, {
      hint: `see who has it with "ss -ltnp 'sport = :${port}'", end that, or choose another port`,
      cause,
    })
  }
  return new MedykError('ERR_LISTEN', `cannot listen on port ${port} of ${host}: ${messageOf(cause)}`, {
    hint: 'choose a port from 1024 to 65535 and an address of this machine',
    cause,
  })
}

async function closeServer(server: Server, graceMs: number): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()))
  server.closeIdleConnections()
  const timer = setTimeout(() => server.closeAllConnections(), graceMs)
  await closed
  clearTimeout(timer)
}
