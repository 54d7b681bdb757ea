import { createServer as createHttpServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { getRequestListener } from '@hono/node-server'
import {
  MedykError,
  messageOf,
  printable,
  silentLogger,
  systemClock,
  type Clock,
  type Logger,
} from '@medyk/health/internal'
import { createAccess, type Access, type AccessTokens } from './access.ts'
import { createGuard } from './guard.ts'
import { createHttpApi } from './http-api.ts'
import { changingMethods, roleOf } from './mutations.ts'
import { noAudit, noCommands } from './no-commands.ts'
import { createPages } from './pages.ts'
import { findPortHolder } from './port-holder.ts'
import type { AuditTrail, MonitorCommands, MonitorState } from './port.ts'
import { problem } from './problem.ts'
import { createEventStreams, defaultEventStreamLimits, type EventStreamLimits } from './sse.ts'

export interface ServerLimits extends EventStreamLimits {
  /** Open connections; one more is closed unanswered. Default 256. */
  readonly maxConnections: number
  /** All headers of a request together. Default 16 KiB. */
  readonly maxHeaderBytes: number
  /** For a request's headers to arrive. Default 5 s. */
  readonly headersTimeoutMs: number
  /** For all of a request to arrive. Default 10 s. */
  readonly requestTimeoutMs: number
  /** An idle connection is kept this long. Default 5 s. */
  readonly keepAliveMs: number
  /** For the state to answer. Default 5 s. */
  readonly answerWithinMs: number
  /** Changes by operators within a minute. Default 30. */
  readonly changesPerMinute: number
}

export const defaultServerLimits: ServerLimits = {
  ...defaultEventStreamLimits,
  maxConnections: 256,
  maxHeaderBytes: 16 * 1024,
  headersTimeoutMs: 5_000,
  requestTimeoutMs: 10_000,
  keepAliveMs: 5_000,
  answerWithinMs: 5_000,
  changesPerMinute: 30,
}

export interface ServerOptions {
  readonly state: MonitorState
  /** Default: none, so that this server only reads. Both, or neither. */
  readonly commands?: MonitorCommands
  readonly audit?: AuditTrail
  /** Default: none, so that everybody may read and nobody may change anything. */
  readonly access?: AccessTokens
  readonly version: string
  /** Default 127.0.0.1. */
  readonly host?: string
  /** Default 7700; 0 takes any free one. */
  readonly port?: number
  /** More names that a Host header may carry, for a proxy in front. Default none. */
  readonly allowedHosts?: readonly string[]
  /** Folder of the built dashboard; null: none. Default: the one of this package. */
  readonly webFolder?: string | null
  readonly logger?: Logger
  readonly clock?: Clock
  readonly limits?: Partial<ServerLimits>
}

export interface MonitorServer extends AsyncDisposable {
  /** Rejects with MedykError ERR_PORT_TAKEN, ERR_PORT_DENIED or ERR_LISTEN. */
  listen(): Promise<{ readonly url: string; readonly host: string; readonly port: number }>
  /** Ends event streams, gives running answers a quarter of a second, then cuts. May be called twice. */
  [Symbol.asyncDispose](): Promise<void>
}

const CLOSE_GRACE_MS = 250
const SECURITY_HEADERS = {
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; " +
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'x-frame-options': 'DENY',
  'cross-origin-resource-policy': 'same-origin',
} as const

/** The daemon's HTTP side. Nothing is bound before `listen`. */
export function createServer(options: ServerOptions): MonitorServer {
  const { state, version, host = '127.0.0.1', port = 7700, logger = silentLogger, clock = systemClock } = options
  const limits = { ...defaultServerLimits, ...options.limits }
  const { commands = noCommands, audit = noAudit } = options
  const access = createAccess(options.access ?? { viewer: null, operator: null })
  const guard = createGuard({ boundTo: host, allowedHosts: options.allowedHosts ?? [] })
  const streams = createEventStreams(state, clock, limits)
  const pages = createPages(options.webFolder === undefined ? ownWebFolder() : options.webFolder)
  const api = createHttpApi({
    state,
    commands,
    audit,
    access,
    streams,
    pages,
    version,
    logger,
    clock,
    answerWithinMs: limits.answerWithinMs,
    changesPerMinute: limits.changesPerMinute,
  })

  const answer: Parameters<typeof getRequestListener>[0] = async (request, bindings) =>
    secured((await refusal(request, guard, audit, access)) ?? (await api.fetch(request, bindings)))
  const listener = getRequestListener(answer, {
    hostname: host,
    // It would replace Request and Response of the whole process.
    overrideGlobalObjects: false,
    errorHandler(error) {
      logger.debug({ err: messageOf(error) }, 'a request was not understood')
      return secured(
        problem({ status: 400, code: 'ERR_REQUEST', detail: 'the request target or its Host is not valid' }),
      )
    },
  })
  const server = createHttpServer(
    {
      maxHeaderSize: limits.maxHeaderBytes,
      headersTimeout: limits.headersTimeoutMs,
      requestTimeout: limits.requestTimeoutMs,
      keepAliveTimeout: limits.keepAliveMs,
      connectionsCheckingInterval: Math.min(1_000, limits.headersTimeoutMs),
    },
    (incoming, outgoing) => {
      // Whoever sends a body is answered and shown out: what is left of one that is too long is not listened to.
      if (hasBody(incoming.headers)) outgoing.shouldKeepAlive = false
      void listener(incoming, outgoing)
    },
  )
  server.maxConnections = limits.maxConnections
  // Without this a client that asks first would be told to go on and send.
  server.on('checkContinue', (incoming, outgoing) => server.emit('request', incoming, outgoing))

  return {
    async listen() {
      await bind(server, host, port)
      const bound = server.address() as AddressInfo
      const shown = bound.family === 'IPv6' ? `[${bound.address}]` : bound.address
      return { url: `http://${shown}:${bound.port}`, host: bound.address, port: bound.port }
    },

    async [Symbol.asyncDispose]() {
      streams.closeAll()
      if (!server.listening) return
      const closed = new Promise<void>((resolve) => server.close(() => resolve()))
      // close() waits for open connections without end, and an event stream is one.
      const cut = clock.timer(CLOSE_GRACE_MS, () => server.closeAllConnections(), { unref: true })
      await closed
      cut[Symbol.dispose]()
    },
  }
}

async function refusal(
  request: Request,
  guard: ReturnType<typeof createGuard>,
  audit: AuditTrail,
  access: Access,
): Promise<Response | null> {
  const { method } = request
  const isReading = method === 'GET' || method === 'HEAD'
  const path = isReading ? '' : new URL(request.url).pathname
  const changing = isReading ? [] : changingMethods(path)
  const refused = guard({
    host: request.headers.get('host') ?? undefined,
    origin: request.headers.get('origin') ?? undefined,
  })
  if (refused) {
    if (changing.includes(method)) {
      const role = roleOf(access.callerOf(request.headers.get('authorization')))
      const who = role === 'none' ? 'anonymous' : role
      const reason = `ERR_FORBIDDEN_HOST: ${refused}`
      await audit.refused({ who, role, method, path: printable(path, 200), service: null, reason, key: null })
    }
    return problem({
      status: 403,
      code: 'ERR_FORBIDDEN_HOST',
      detail: refused,
      hint: 'use http://localhost with the port; behind a proxy, allow its name in the configuration of the daemon',
    })
  }
  if (isReading || changing.includes(method)) return null
  const allow = changing.length > 0 ? changing.join(', ') : 'GET, HEAD'
  return problem({
    status: 405,
    code: 'ERR_METHOD',
    detail: `this path takes only ${allow}`,
    headers: { allow },
  })
}

function secured(response: Response): Response {
  for (const [name, value] of Object.entries(SECURITY_HEADERS)) response.headers.set(name, value)
  return response
}

function hasBody(headers: { readonly [name: string]: string | string[] | undefined }): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0
}

async function bind(server: Server, host: string, port: number): Promise<void> {
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen(port, host, () => {
        server.off('error', reject)
        resolve()
      })
    })
  } catch (error) {
    throw await explained(error, host, port)
  }
}

async function explained(error: unknown, host: string, port: number): Promise<MedykError> {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  if (code === 'EADDRINUSE') {
    const holder = await findPortHolder(port)
    const who = holder ? `by process ${holder.pid} (${holder.command})` : 'by another process'
    const stop = holder ? `stop it (kill ${holder.pid})` : 'stop what listens there'
    return new MedykError('ERR_PORT_TAKEN', `port ${port} on ${host} is taken ${who}`, {
      hint: `${stop}, or choose another port: MEDYK_PORT=${port < 65_535 ? port + 1 : port - 1}`,
      cause: error,
    })
  }
  if (code === 'EACCES') {
    return new MedykError('ERR_PORT_DENIED', `port ${port} on ${host} may not be opened by this user`, {
      hint: 'ports below 1024 need a privilege; choose a higher one: MEDYK_PORT=7700',
      cause: error,
    })
  }
  return new MedykError('ERR_LISTEN', `cannot listen on ${host} port ${port}: ${messageOf(error)}`, {
    hint: 'check that the address belongs to this machine',
    cause: error,
  })
}

/** From source the folder is a neighbour, from `dist` one further up. */
function ownWebFolder(): string {
  const [near, far] = ['../web/dist', '../../web/dist'].map((path) => join(import.meta.dirname, path)) as [
    string,
    string,
  ]
  return existsSync(near) ? near : far
}
