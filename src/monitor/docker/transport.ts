import { Agent, request, type ClientRequest, type IncomingMessage, type RequestOptions } from 'node:http'
import { Agent as SecureAgent, request as secureRequest } from 'node:https'
import { boundedRead, isMedykError, MedykError, messageOf, withDeadline, type Clock } from '@medyk/health/internal'
import { endpointOf } from './settings.ts'
import type { DockerSettings } from './view.ts'

/** Short calls share a few kept sockets; those that change something may take long and must not stand in their way. */
const SHORT_SOCKETS = 4
const LONG_SOCKETS = 16

export interface CallOptions {
  readonly deadlineMs: number
  readonly maxBytes: number
  readonly signal?: AbortSignal | undefined
  /** Keeps a connection of its own. */
  readonly long?: boolean
}

export interface Answer {
  readonly status: number
  readonly headers: IncomingMessage['headers']
  readonly body: Buffer
}

/** HTTP to one Docker endpoint: a unix socket, tcp, or tcp with TLS. Every call is bounded in time, bytes and sockets. */
export class DockerTransport {
  readonly #settings: DockerSettings
  readonly #clock: Clock
  readonly #base: RequestOptions
  readonly #short: Agent
  readonly #long: Agent

  /** Throws MedykError ERR_RUNTIME when the host is not supported. */
  constructor(settings: DockerSettings, clock: Clock) {
    this.#settings = settings
    this.#clock = clock
    const endpoint = endpointOf(settings.host)
    // An unpublished name: HTTP wants a Host header, and some proxies check that it is one.
    const headers = { host: endpoint.kind === 'unix' ? 'docker' : `${endpoint.host}:${endpoint.port}` }
    const { tls } = settings
    const secure = tls && {
      ...(tls.ca === null ? {} : { ca: tls.ca }),
      ...(tls.cert === null || tls.key === null ? {} : { cert: tls.cert, key: tls.key }),
    }
    this.#base =
      endpoint.kind === 'unix'
        ? { socketPath: endpoint.path, headers }
        : { host: endpoint.host, port: endpoint.port, headers, ...secure }
    const agent = (keepAlive: boolean, maxSockets: number) =>
      new (tls ? SecureAgent : Agent)({ keepAlive, maxSockets, maxFreeSockets: 2 })
    this.#short = agent(true, SHORT_SOCKETS)
    this.#long = agent(false, LONG_SOCKETS)
  }

  /**
   * One request with its whole answer, whatever its status. Rejects with MedykError ERR_RUNTIME when Docker cannot be reached,
   * does not answer in time or answers too much, and with the signal's reason when that aborts.
   */
  async call(method: 'GET' | 'POST', path: string, options: CallOptions): Promise<Answer> {
    const what = `Docker's answer to ${method} ${path.replace(/\?.*/s, '')}`
    const once = async (signal: AbortSignal): Promise<Answer> => {
      const { response } = await this.#open(method, path, signal, options.long ? this.#long : this.#short)
      const body = Buffer.from(await boundedRead(response, options.maxBytes))
      return { status: response.statusCode ?? 0, headers: response.headers, body }
    }
    try {
      const limits = { parent: options.signal, clock: this.#clock, what, unref: true }
      return await withDeadline(
        options.deadlineMs,
        (signal) =>
          once(signal).catch((error: unknown) => {
            // A kept socket that the engine had closed meanwhile: the request never reached it.
            if (method === 'GET' && error instanceof StaleSocket) return once(signal)
            throw error
          }),
        limits,
      )
    } catch (error) {
      options.signal?.throwIfAborted()
      throw this.#explain(error, what)
    }
  }

  /** A response that goes on: its headers within the deadline, its body for as long as the signal does not abort. */
  async stream(path: string, deadlineMs: number, signal: AbortSignal): Promise<IncomingMessage> {
    const what = `Docker's answer to GET ${path.replace(/\?.*/s, '')}`
    const controller = new AbortController()
    const abort = () => controller.abort(signal.reason)
    signal.throwIfAborted()
    signal.addEventListener('abort', abort, { once: true })
    try {
      return await withDeadline(
        deadlineMs,
        async () => {
          const { response, sent } = await this.#open('GET', path, controller.signal, false)
          // It may stand idle for hours, and must not keep a process alive that has nothing else to do.
          response.socket.unref()
          sent.once('close', () => signal.removeEventListener('abort', abort))
          return response
        },
        { parent: signal, clock: this.#clock, what, unref: true },
      )
    } catch (error) {
      controller.abort(error)
      signal.removeEventListener('abort', abort)
      signal.throwIfAborted()
      throw this.#explain(error, what)
    }
  }

  close(): void {
    this.#short.destroy()
    this.#long.destroy()
  }

  #open(
    method: string,
    path: string,
    signal: AbortSignal,
    agent: Agent | false,
  ): Promise<{ readonly response: IncomingMessage; readonly sent: ClientRequest }> {
    return new Promise((resolve, reject) => {
      const send = this.#settings.tls ? secureRequest : request
      const sent = send({ ...this.#base, method, path, signal, agent })
      // Stays for the life of the request: an error after the response has begun must not become an uncaught one.
      sent.on('error', (error: NodeJS.ErrnoException) => {
        const stale = sent.reusedSocket && (error.code === 'ECONNRESET' || error.code === 'EPIPE')
        reject(stale ? new StaleSocket(error.message, { cause: error }) : error)
      })
      sent.once('response', (response) => resolve({ response, sent }))
      sent.end()
    })
  }

  #explain(error: unknown, what: string): unknown {
    if (isMedykError(error, 'ERR_DEADLINE') || isMedykError(error, 'ERR_TOO_LARGE')) {
      const problem = error.code === 'ERR_DEADLINE' ? error.message : `${what} is too large: ${error.message}`
      return new MedykError('ERR_RUNTIME', problem, {
        hint: error.code === 'ERR_DEADLINE' ? 'dockerd may hang or be overloaded' : 'see what is behind that address',
        cause: error,
      })
    }
    if (isMedykError(error)) return error
    const { host } = this.#settings
    const code = (error as NodeJS.ErrnoException).code ?? ''
    const [reason, hint] = UNREACHABLE[code] ?? [
      messageOf(error),
      'see whether dockerd is running and DOCKER_HOST is right',
    ]
    return new MedykError('ERR_RUNTIME', `Docker at ${host} cannot be reached: ${reason}`, { hint, cause: error })
  }
}

class StaleSocket extends Error {}

const UNREACHABLE: Readonly<Record<string, readonly [string, string]>> = {
  ENOENT: ['there is no such socket', 'start dockerd, or name the right socket by DOCKER_HOST'],
  ECONNREFUSED: ['nobody listens there', 'start dockerd'],
  EACCES: ['permission denied', 'add the user that runs Medyk to the group docker, or run Medyk as root'],
  EPERM: ['permission denied', 'add the user that runs Medyk to the group docker, or run Medyk as root'],
  ENOTFOUND: ['the name cannot be resolved', 'correct DOCKER_HOST'],
  ENOTSOCK: ['that is not a socket', 'correct DOCKER_HOST'],
  EPROTO: ['it does not speak TLS', 'leave out DOCKER_TLS_VERIFY and DOCKER_CERT_PATH, or name the port that has TLS'],
  ECONNRESET: ['it closed the connection', 'dockerd is ending, or it wants TLS'],
  HPE_INVALID_CONSTANT: ['it does not speak HTTP', 'name the port of dockerd; with TLS set DOCKER_CERT_PATH as well'],
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: ['its certificate cannot be verified', 'put the right ca.pem into DOCKER_CERT_PATH'],
  SELF_SIGNED_CERT_IN_CHAIN: ['its certificate cannot be verified', 'put the right ca.pem into DOCKER_CERT_PATH'],
  DEPTH_ZERO_SELF_SIGNED_CERT: ['its certificate cannot be verified', 'put the right ca.pem into DOCKER_CERT_PATH'],
  CERT_HAS_EXPIRED: ['its certificate has expired', 'renew it'],
  ERR_TLS_CERT_ALTNAME_INVALID: ['its certificate is for another name', 'use a name that stands in the certificate'],
}
