import { messageOf, systemClock, type Clock, type MedykError } from '../internal/index.ts'
import { authorize, pickChallenge, type Challenge } from './auth.ts'
import { deadline, RtspConnection } from './connection.ts'
import { rtspError } from './errors.ts'
import { header, type RtspResponse } from './message.ts'
import { controlUri, parseSdp, selectVideo, type VideoTrack } from './sdp.ts'
import { parseRtspUrl, type RtspTarget } from './url.ts'

export interface PlayOptions {
  /** RTP packets of the video track. The view is overwritten after the call: copy what has to stay. */
  readonly onRtp: (packet: Uint8Array) => void
  readonly signal?: AbortSignal
  readonly clock?: Clock
  /** For each of connect, OPTIONS, DESCRIBE, SETUP, PLAY and TEARDOWN. Default 3,000. */
  readonly stepTimeoutMs?: number
}

export interface RtspSession extends AsyncDisposable {
  readonly video: VideoTrack
  /** The server's `Server` header; null when it sends none. */
  readonly server: string | null
  /** Resolves with the reason when the session is over, `close` included; never rejects. */
  readonly ended: Promise<MedykError>
  readonly bytesRead: number
  /** TEARDOWN and the end of the connection, within `timeoutMs` (default: one step's time). Never rejects. */
  close(timeoutMs?: number): Promise<void>
}

const MAX_SESSION_S = 3_600

/**
 * Connects, asks for the first H.264 track over TCP-interleaved RTP and plays it: OPTIONS, DESCRIBE, SETUP, PLAY, then
 * a keep-alive at half the session's time-out. Credentials come from the URL. Rejects with a code of `RTSP_ERRORS`, or
 * with the signal's reason; nothing stays open then.
 */
export async function playRtsp(url: string, options: PlayOptions): Promise<RtspSession> {
  const target = parseRtspUrl(url)
  const { clock = systemClock, stepTimeoutMs = 3_000, signal = new AbortController().signal } = options
  let packets = 0
  let rtpChannel = 0
  const connection = await RtspConnection.open(target, {
    clock,
    signal,
    timeoutMs: stepTimeoutMs,
    onInterleaved(channel, packet) {
      if (channel !== rtpChannel) return
      packets += 1
      options.onRtp(packet)
    },
  })
  try {
    const dialogue = new Dialogue(connection, target, stepTimeoutMs)
    const offered = await dialogue.step('OPTIONS', target.uri)
    const description = await dialogue.step('DESCRIBE', target.uri, { Accept: 'application/sdp' })
    const sdp = parseSdp(description.body)
    const video = selectVideo(sdp)
    const base = header(description, 'content-base') ?? header(description, 'content-location') ?? target.uri
    const aggregate = controlUri(base.trim(), sdp.control)
    const setup = await dialogue.step('SETUP', controlUri(base.trim(), video.control), {
      Transport: 'RTP/AVP/TCP;unicast;interleaved=0-1',
    })
    const { session, timeoutMs } = parseSession(setup, target)
    rtpChannel = parseChannel(setup, target)
    await dialogue.step('PLAY', aggregate, { Session: session, Range: 'npt=0.000-' })

    const method = /\bGET_PARAMETER\b/.test(header(offered, 'public') ?? '') ? 'GET_PARAMETER' : 'OPTIONS'
    const keepAlive = keepAlives(clock, timeoutMs / 2, async () => {
      const before = packets
      try {
        const answer = await dialogue.ask(method, aggregate, { Session: session })
        if (answer.status === 454)
          connection.destroy(rtspError('ERR_RTSP_CLOSED', `${target.shown}: the session is gone`))
      } catch (error) {
        // Some cameras play on and never answer a keep-alive. As long as pictures come, that is their business.
        if (packets === before) connection.destroy(error as MedykError)
      }
    })
    void connection.ended.then(() => keepAlive[Symbol.dispose]())

    const close = async (withinMs = stepTimeoutMs) => {
      keepAlive[Symbol.dispose]()
      await dialogue.ask('TEARDOWN', aggregate, { Session: session }, withinMs).catch(() => {})
      connection.destroy(rtspError('ERR_RTSP_CLOSED', `${target.shown}: closed by this side`))
    }
    return {
      video,
      server: header(description, 'server') ?? header(offered, 'server'),
      ended: connection.ended,
      get bytesRead() {
        return connection.bytesRead
      },
      close,
      [Symbol.asyncDispose]: () => close(),
    }
  } catch (error) {
    connection.destroy(rtspError('ERR_RTSP_CLOSED', `${target.shown}: given up: ${messageOf(error)}`, { cause: error }))
    throw signal.aborted ? signal.reason : error
  }
}

/** Requests that authenticate themselves and turn refusals into errors. */
class Dialogue {
  readonly #connection: RtspConnection
  readonly #target: RtspTarget
  readonly #timeoutMs: number
  #challenge: Challenge | null = null
  #uses = 0

  constructor(connection: RtspConnection, target: RtspTarget, timeoutMs: number) {
    this.#connection = connection
    this.#target = target
    this.#timeoutMs = timeoutMs
  }

  /** The answer, 401s included once the credentials have been tried. */
  async ask(
    method: string,
    uri: string,
    headers: Record<string, string> = {},
    timeoutMs = this.#timeoutMs,
  ): Promise<RtspResponse> {
    const first = await this.#send(method, uri, headers, timeoutMs)
    if (first.status !== 401 || this.#target.credentials === null) return first
    const challenge = pickChallenge(first.headers.get('www-authenticate') ?? [])
    if (challenge === null) return first
    this.#challenge = challenge
    this.#uses = 0
    // Once, never in a loop: cameras lock accounts that fail too often.
    return await this.#send(method, uri, headers, timeoutMs)
  }

  async step(method: string, uri: string, headers: Record<string, string> = {}): Promise<RtspResponse> {
    const answer = await this.ask(method, uri, headers)
    const { status, reason } = answer
    if (status >= 200 && status < 300) return answer
    const said = `${this.#target.shown}: ${method} answered ${status} ${reason}`
    if (status === 401 || status === 403) {
      const hint = this.#target.credentials
        ? 'user or password are wrong, or may not see this stream'
        : 'put user and password into the URL: rtsp://user:password@host/path'
      throw rtspError('ERR_RTSP_AUTH', said, { hint })
    }
    if (status === 404 || status === 410) throw rtspError('ERR_RTSP_NOT_FOUND', said, { hint: 'check the path' })
    throw rtspError('ERR_RTSP_PROTOCOL', said)
  }

  #send(method: string, uri: string, headers: Record<string, string>, timeoutMs: number): Promise<RtspResponse> {
    const credentials = this.#target.credentials
    const authorization =
      this.#challenge && credentials
        ? authorize(this.#challenge, credentials, method, uri, (this.#uses += 1))
        : undefined
    return this.#connection.request(method, uri, { ...headers, Authorization: authorization }, timeoutMs)
  }
}

function parseSession(setup: RtspResponse, target: RtspTarget): { session: string; timeoutMs: number } {
  const [, session, timeout] =
    /^\s*([^\s;]{1,256})\s*(?:;\s*timeout\s*=\s*(\d{1,9}))?/i.exec(header(setup, 'session') ?? '') ?? []
  if (session === undefined) throw rtspError('ERR_RTSP_PROTOCOL', `${target.shown}: SETUP answered without a Session`)
  // RFC 2326 12.37: 60 s when the server does not say.
  const seconds = Math.min(Math.max(Number(timeout ?? 60), 2), MAX_SESSION_S)
  return { session, timeoutMs: seconds * 1_000 }
}

/** The channel that RTP comes on: the server may choose another than it was asked for. */
function parseChannel(setup: RtspResponse, target: RtspTarget): number {
  const transport = header(setup, 'transport') ?? ''
  const channel = /^RTP\/AVP\/TCP\b.*;\s*interleaved=(\d{1,3})\b/i.exec(transport)?.[1]
  if (channel === undefined || Number(channel) > 255) {
    throw rtspError('ERR_RTSP_PROTOCOL', `${target.shown}: asked for RTP over TCP, SETUP answered "${transport}"`)
  }
  return Number(channel)
}

function keepAlives(clock: Clock, everyMs: number, ping: () => Promise<void>): Disposable {
  let timer: Disposable
  let open = true
  const arm = () => {
    timer = deadline(clock, everyMs, () => {
      void ping().finally(() => {
        if (open) arm()
      })
    })
  }
  arm()
  return {
    [Symbol.dispose]() {
      open = false
      timer[Symbol.dispose]()
    },
  }
}
