import { connect, type Socket } from 'node:net'
import { isMedykError, messageOf, systemClock, type Clock, type MedykError } from '../internal/index.ts'
import { rtspError } from './errors.ts'
import { formatMessage, header, RtspParser, type RtspRequest, type RtspResponse } from './message.ts'
import type { RtspTarget } from './url.ts'

export interface ConnectionOptions {
  readonly timeoutMs: number
  readonly signal: AbortSignal
  readonly clock?: Clock
  readonly onInterleaved: (channel: number, packet: Uint8Array) => void
}

interface Pending {
  readonly resolve: (response: RtspResponse) => void
  readonly reject: (reason: unknown) => void
  readonly timer: Disposable
}

/** What may wait in our own send buffer before the server counts as no longer reading. */
const MAX_UNSENT = 65_536

/**
 * One TCP connection that speaks RTSP. Requests are matched to answers by CSeq; each has a deadline for the whole
 * answer, however slowly it drips. Any error ends the connection: `ended` resolves with it, open requests reject.
 */
export class RtspConnection {
  readonly #socket: Socket
  readonly #clock: Clock
  readonly #target: RtspTarget
  readonly #pending = new Map<number, Pending>()
  readonly #end = Promise.withResolvers<MedykError>()
  #endReason: MedykError | null = null
  #cseq = 0
  #up = false

  /** Rejects with `ERR_RTSP_CONNECT` or `ERR_RTSP_TIMEOUT`, or with the signal's reason. */
  static async open(target: RtspTarget, options: ConnectionOptions): Promise<RtspConnection> {
    options.signal.throwIfAborted()
    const socket = connect({ host: target.host, port: target.port, noDelay: true })
    const connection = new RtspConnection(socket, target, options)
    const up = Promise.withResolvers<void>()
    socket.once('connect', () => {
      connection.#up = true
      up.resolve()
    })
    void connection.ended.then(up.reject)
    const timer = deadline(connection.#clock, options.timeoutMs, () =>
      connection.destroy(rtspError('ERR_RTSP_TIMEOUT', `${target.shown}: no connection in ${options.timeoutMs} ms`)),
    )
    try {
      await up.promise
    } catch (error) {
      throw options.signal.aborted ? options.signal.reason : error
    } finally {
      timer[Symbol.dispose]()
    }
    return connection
  }

  private constructor(socket: Socket, target: RtspTarget, options: ConnectionOptions) {
    this.#socket = socket
    this.#target = target
    this.#clock = options.clock ?? systemClock
    const parser = new RtspParser({
      message: (message) => (message.type === 'response' ? this.#answer(message) : this.#serve(message)),
      interleaved: options.onInterleaved,
    })
    socket.on('data', (chunk: Buffer) => {
      try {
        parser.push(chunk)
      } catch (error) {
        this.destroy(this.#wrap('ERR_RTSP_PROTOCOL', error))
      }
    })
    socket.on('error', (error) => this.destroy(this.#wrap(this.#up ? 'ERR_RTSP_CLOSED' : 'ERR_RTSP_CONNECT', error)))
    socket.on('end', () => this.destroy(this.#closed(parser.pending > 0 ? ' in the middle of a message' : '')))
    socket.on('close', () => this.destroy(this.#closed('')))
    const onAbort = () => this.destroy(this.#wrap('ERR_RTSP_CLOSED', options.signal.reason))
    options.signal.addEventListener('abort', onAbort, { once: true })
    void this.ended.then(() => options.signal.removeEventListener('abort', onAbort))
  }

  /** Resolves with why the connection is over; never rejects. */
  get ended(): Promise<MedykError> {
    return this.#end.promise
  }

  get bytesRead(): number {
    return this.#socket.bytesRead
  }

  /** Any status counts as an answer. Rejects with `ERR_RTSP_TIMEOUT` or the reason the connection ended. */
  request(
    method: string,
    uri: string,
    headers: Readonly<Record<string, string | undefined>>,
    timeoutMs: number,
  ): Promise<RtspResponse> {
    if (this.#endReason) return Promise.reject(this.#endReason)
    const cseq = (this.#cseq += 1)
    return new Promise<RtspResponse>((resolve, reject) => {
      const text = formatMessage(`${method} ${uri} RTSP/1.0`, { CSeq: cseq, 'User-Agent': 'medyk', ...headers })
      const timer = deadline(this.#clock, timeoutMs, () => {
        this.#pending.delete(cseq)
        reject(rtspError('ERR_RTSP_TIMEOUT', `${this.#target.shown}: no answer to ${method} in ${timeoutMs} ms`))
      })
      this.#pending.set(cseq, { resolve, reject, timer })
      this.#socket.write(text)
    })
  }

  destroy(reason: MedykError): void {
    if (this.#endReason) return
    this.#endReason = reason
    this.#socket.destroy()
    for (const { reject, timer } of this.#pending.values()) {
      timer[Symbol.dispose]()
      reject(reason)
    }
    this.#pending.clear()
    this.#end.resolve(reason)
  }

  #answer(response: RtspResponse): void {
    const cseq = header(response, 'cseq') ?? 'none'
    const pending = /^\d{1,9}$/.test(cseq) ? this.#pending.get(Number(cseq)) : undefined
    if (pending === undefined) {
      // An answer that came after its deadline is late, not wrong.
      if (Number(cseq) > 0 && Number(cseq) <= this.#cseq) return
      throw rtspError('ERR_RTSP_PROTOCOL', `an answer with CSeq ${cseq}, which was never asked`)
    }
    this.#pending.delete(Number(cseq))
    pending.timer[Symbol.dispose]()
    pending.resolve(response)
  }

  /** A server may ask as well. We offer nothing, but silence would make some of them hang up. */
  #serve(request: RtspRequest): void {
    if (this.#socket.writableLength > MAX_UNSENT)
      throw rtspError('ERR_RTSP_PROTOCOL', 'the server asks and never reads')
    const status = request.method === 'OPTIONS' ? '200 OK' : '501 Not Implemented'
    this.#socket.write(formatMessage(`RTSP/1.0 ${status}`, { CSeq: header(request, 'cseq') ?? '0' }))
  }

  #closed(where: string): MedykError {
    return rtspError('ERR_RTSP_CLOSED', `${this.#target.shown}: the server closed the connection${where}`)
  }

  #wrap(code: 'ERR_RTSP_CONNECT' | 'ERR_RTSP_CLOSED' | 'ERR_RTSP_PROTOCOL', cause: unknown): MedykError {
    const finalCode = isMedykError(cause, 'ERR_RTSP_PROTOCOL') ? 'ERR_RTSP_PROTOCOL' : code
    return rtspError(finalCode, `${this.#target.shown}: ${messageOf(cause)}`, { cause })
  }
}

/**
 * A timer that lets the loop read first. After the loop itself was late, timers fire before the data that has long
 * arrived is read, and the time-out would be ours, not the server's.
 */
export function deadline(clock: Clock, ms: number, fn: () => void): Disposable {
  let open = true
  const afterReads = (turns: number) => {
    if (!open) return
    if (turns === 0) fn()
    else setImmediate(afterReads, turns - 1)
  }
  const timer = clock.timer(ms, () => afterReads(3))
  return {
    [Symbol.dispose]: () => {
      open = false
      timer[Symbol.dispose]()
    },
  }
}
