import { randomBytes } from 'node:crypto'
import type { Socket } from 'node:net'
import { messageOf, type Clock } from '../internal/index.ts'
import { verifyAuthorization, type Challenge } from './auth.ts'
import { interleavedPacket, type Payload } from './h264-packetize.ts'
import { formatMessage, header, RtspParser, type RtspRequest } from './message.ts'
import type { RtspCredentials } from './url.ts'

export interface ReplayMedia {
  readonly path: string
  readonly fps: number
  readonly sps: Uint8Array
  readonly pps: Uint8Array
  readonly credentials: (RtspCredentials & { readonly scheme: 'basic' | 'digest' }) | null
  readonly sessionTimeoutMs: number
  readonly maxUnsentBytes: number
  readonly firstSequence: number
  readonly firstTimestamp: number
}

export interface ReplayClientHooks {
  readonly clock: Clock
  readonly playing: () => void
  /** `reason` is null when nothing was wrong. */
  readonly gone: (reason: string | null) => void
}

const PAYLOAD_TYPE = 96
const CLOCK_RATE = 90_000
const REALM = 'replay'
const METHODS = 'OPTIONS, DESCRIBE, SETUP, PLAY, GET_PARAMETER, TEARDOWN'
/** Time to get from one request to the next until it plays. */
const SETUP_MS = 10_000

type Headers = Record<string, string | number | undefined>

/** One connection to the ReplayServer: its signalling, and its own place in the clip. */
export class ReplayClient {
  readonly peer: string
  readonly #socket: Socket
  readonly #media: ReplayMedia
  readonly #hooks: ReplayClientHooks
  readonly #session: string
  readonly #ssrc: number
  readonly #challenge: Challenge
  #channel: number | null = null
  #playing = false
  #ended = false
  #heardAt: number
  #unit = 0
  #sequence: number
  #timestamp: number

  constructor(socket: Socket, media: ReplayMedia, ordinal: number, hooks: ReplayClientHooks) {
    this.#socket = socket
    this.#media = media
    this.#hooks = hooks
    this.#session = `${ordinal}-${randomBytes(4).toString('hex')}`
    this.#ssrc = 0x4d450000 + ordinal
    this.#sequence = media.firstSequence
    this.#timestamp = media.firstTimestamp
    this.#heardAt = hooks.clock.mono()
    this.#challenge =
      media.credentials?.scheme === 'basic'
        ? { scheme: 'basic', realm: REALM }
        : {
            scheme: 'digest',
            realm: REALM,
            nonce: randomBytes(16).toString('hex'),
            opaque: null,
            algorithm: null,
            qop: false,
            stale: false,
          }
    this.peer = `${socket.remoteAddress ?? '?'}:${socket.remotePort ?? '?'}`
    const parser = new RtspParser({
      message: (message) => this.#take(message),
      // Receiver reports: nobody needs what they say, but they are a sign of life.
      interleaved: () => {
        this.#heardAt = hooks.clock.mono()
      },
    })
    socket.on('data', (chunk: Buffer) => {
      try {
        parser.push(chunk)
      } catch (error) {
        this.end(messageOf(error))
      }
    })
    socket.on('error', () => this.end(null))
    socket.on('close', () => this.end(null))
  }

  get isPlaying(): boolean {
    return this.#playing
  }

  /** The picture at this client's place in the clip. A client that does not read is dropped, never waited for. */
  send(units: readonly (readonly Payload[])[], sendsPacket: () => boolean): void {
    if (this.#socket.writableLength > this.#media.maxUnsentBytes) return this.end('the client does not read')
    const packets: Buffer[] = []
    for (const payload of units[this.#unit % units.length] ?? []) {
      const fields = {
        payloadType: PAYLOAD_TYPE,
        sequence: this.#sequence,
        timestamp: this.#timestamp,
        ssrc: this.#ssrc,
      }
      this.#sequence = (this.#sequence + 1) & 0xffff
      if (sendsPacket()) packets.push(interleavedPacket(this.#channel ?? 0, fields, payload))
    }
    this.#unit += 1
    if (packets.length > 0) this.#socket.write(Buffer.concat(packets))
  }

  /** Time passes for a camera whether or not it sends. */
  advance(ms: number): void {
    this.#timestamp = (this.#timestamp + Math.round((CLOCK_RATE * ms) / 1_000)) >>> 0
  }

  /** Ends a client that has not been heard of for too long. */
  expire(): void {
    const quiet = this.#hooks.clock.mono() - this.#heardAt
    if (quiet > (this.#playing ? this.#media.sessionTimeoutMs : SETUP_MS)) this.end('the client fell silent')
  }

  end(reason: string | null): void {
    if (this.#ended) return
    this.#ended = true
    this.#playing = false
    this.#socket.destroy()
    this.#hooks.gone(reason)
  }

  #take(request: { type: string } | RtspRequest): void {
    if (!('method' in request)) return this.end('a client sent an answer')
    if (this.#socket.writableLength > this.#media.maxUnsentBytes) return this.end('the client does not read')
    this.#heardAt = this.#hooks.clock.mono()
    if (header(request, 'cseq') === null) return this.#reply(request, '400 Bad Request')
    if (request.method === 'OPTIONS') return this.#reply(request, '200 OK', { Public: METHODS })
    if (!this.#isAllowed(request)) {
      const { realm } = this.#challenge
      const nonce = this.#challenge.scheme === 'digest' ? `, nonce="${this.#challenge.nonce}"` : ''
      const scheme = this.#challenge.scheme === 'digest' ? 'Digest' : 'Basic'
      return this.#reply(request, '401 Unauthorized', { 'WWW-Authenticate': `${scheme} realm="${realm}"${nonce}` })
    }
    const path = URL.parse(request.uri)?.pathname.replace(/\/$/, '')
    const { path: own } = this.#media
    if (path !== own && path !== `${own}/track1`) return this.#reply(request, '404 Not Found')
    if (request.method === 'DESCRIBE') return this.#describe(request)
    if (request.method === 'SETUP') return this.#setup(request)
    if (this.#channel === null || header(request, 'session')?.split(';')[0]?.trim() !== this.#session) {
      return this.#reply(request, '454 Session Not Found')
    }
    switch (request.method) {
      case 'PLAY':
        return this.#play(request)
      case 'GET_PARAMETER':
        return this.#reply(request, '200 OK', { Session: this.#session })
      case 'TEARDOWN':
        this.#playing = false
        return this.#reply(request, '200 OK')
      default:
        return this.#reply(request, '501 Not Implemented', { Public: METHODS })
    }
  }

  #isAllowed(request: RtspRequest): boolean {
    const { credentials } = this.#media
    const value = header(request, 'authorization')
    if (credentials === null) return true
    return value !== null && verifyAuthorization(value, this.#challenge, credentials, request.method)
  }

  #describe(request: RtspRequest): void {
    const { sps, pps, fps } = this.#media
    const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64')
    const profile = Buffer.from(sps.subarray(1, 4)).toString('hex')
    const sdp = [
      'v=0',
      'o=- 0 0 IN IP4 127.0.0.1',
      's=replay',
      't=0 0',
      'a=control:*',
      `m=video 0 RTP/AVP ${PAYLOAD_TYPE}`,
      'c=IN IP4 0.0.0.0',
      `a=rtpmap:${PAYLOAD_TYPE} H264/${CLOCK_RATE}`,
      `a=fmtp:${PAYLOAD_TYPE} packetization-mode=1;profile-level-id=${profile};sprop-parameter-sets=${base64(sps)},${base64(pps)}`,
      `a=framerate:${fps}`,
      'a=control:track1',
      '',
    ].join('\r\n')
    const base = `${request.uri.replace(/\/$/, '')}/`
    this.#reply(request, '200 OK', { 'Content-Base': base, 'Content-Type': 'application/sdp' }, sdp)
  }

  #setup(request: RtspRequest): void {
    const wanted = header(request, 'transport')
      ?.split(',')
      .find((choice) => /^\s*RTP\/AVP\/TCP\b/i.test(choice))
    const channel = Number(/interleaved=(\d{1,3})/.exec(wanted ?? '')?.[1] ?? 0)
    if (wanted === undefined || channel > 254) return this.#reply(request, '461 Unsupported Transport')
    this.#channel = channel
    const ssrc = this.#ssrc.toString(16).padStart(8, '0')
    this.#reply(request, '200 OK', {
      Transport: `RTP/AVP/TCP;unicast;interleaved=${channel}-${channel + 1};ssrc=${ssrc}`,
      Session: `${this.#session};timeout=${Math.floor(this.#media.sessionTimeoutMs / 1_000)}`,
    })
  }

  #play(request: RtspRequest): void {
    const url = `${request.uri.replace(/\/$/, '')}/track1`
    this.#reply(request, '200 OK', {
      Session: this.#session,
      Range: 'npt=now-',
      'RTP-Info': `url=${url};seq=${this.#sequence};rtptime=${this.#timestamp}`,
    })
    this.#playing = true
    this.#hooks.playing()
  }

  #reply(request: RtspRequest, status: string, headers: Headers = {}, body = ''): void {
    const cseq = header(request, 'cseq') ?? undefined
    this.#socket.write(formatMessage(`RTSP/1.0 ${status}`, { CSeq: cseq, Server: 'replay', ...headers }, body))
  }
}
