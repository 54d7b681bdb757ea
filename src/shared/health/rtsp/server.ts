import { createServer, type AddressInfo, type Server } from 'node:net'
import { MedykError, messageOf, silentLogger, systemClock, type Clock, type Logger } from '../internal/index.ts'
import { parseClip } from './annexb.ts'
import { rtspError } from './errors.ts'
import { packetize, type Payload } from './h264-packetize.ts'
import { effectOf, type FaultEffect, type ReplayFault } from './replay-faults.ts'
import { ReplayClient, type ReplayMedia } from './server-client.ts'
import type { RtspCredentials } from './url.ts'

export interface ReplayServerOptions {
  /** H.264 Annex B, beginning with SPS, PPS and an IDR picture; without B-pictures. Looped. */
  readonly clip: Uint8Array
  /** Pictures a second of the clip. Default 25. */
  readonly fps?: number
  /** Default 127.0.0.1. */
  readonly host?: string
  /** Default 0: any free one. */
  readonly port?: number
  /** Default `/live`. */
  readonly path?: string
  /** Asks for these; default nobody is asked. */
  readonly credentials?: RtspCredentials & { readonly scheme: 'basic' | 'digest' }
  /** Further ones are refused at connect. Default 32. */
  readonly maxClients?: number
  /** Announced to clients; without a request for this long one is dropped. Default 60,000. */
  readonly sessionTimeoutMs?: number
  /** Unsent bytes at which a client that does not read is dropped. Default 1 MiB. */
  readonly maxUnsentBytes?: number
  /** The first RTP sequence number and timestamp of every client, for tests of their wrap. Default 0. */
  readonly firstSequence?: number
  readonly firstTimestamp?: number
  readonly clock?: Clock
  readonly logger?: Logger
  /** In [0, 1), for the faults that need chance. Default Math.random. */
  readonly random?: () => number
}

export interface ReplayStats {
  readonly clients: number
  readonly playing: number
  readonly unitsSent: number
  /** Clients dropped because they did not read, broke the protocol or fell silent. */
  readonly dropped: number
}

/** Later than this the schedule begins anew: a burst of old pictures would help nobody. */
const MAX_LATE_MS = 500

/**
 * An RTSP server that loops a clip in real time to everyone who asks, over TCP-interleaved RTP, each client from the
 * first keyframe on. Deterministic, and faulty on demand: it is what the stream checks are tested against.
 */
export class ReplayServer implements AsyncDisposable {
  readonly #options: ReplayServerOptions
  readonly #media: ReplayMedia
  readonly #units: readonly (readonly Payload[])[]
  readonly #clock: Clock
  readonly #logger: Logger
  readonly #server: Server
  readonly #clients = new Set<ReplayClient>()
  readonly #effects = new Set<FaultEffect>()
  #tick: Disposable | null = null
  #sweep: Disposable | null = null
  #due = 0
  #unitsSent = 0
  #dropped = 0
  #accepted = 0

  /** Throws `ERR_RTSP_CLIP`. */
  constructor(options: ReplayServerOptions) {
    const clip = parseClip(options.clip)
    this.#options = options
    this.#clock = options.clock ?? systemClock
    this.#logger = options.logger ?? silentLogger
    this.#units = clip.units.map(({ nals }) => packetize(nals))
    this.#media = {
      path: options.path ?? '/live',
      fps: options.fps ?? 25,
      sps: clip.sps,
      pps: clip.pps,
      credentials: options.credentials ?? null,
      sessionTimeoutMs: options.sessionTimeoutMs ?? 60_000,
      maxUnsentBytes: options.maxUnsentBytes ?? 1_048_576,
      firstSequence: options.firstSequence ?? 0,
      firstTimestamp: options.firstTimestamp ?? 0,
    }
    this.#server = createServer({ noDelay: true }, (socket) => {
      this.#accepted += 1
      const client = new ReplayClient(socket, this.#media, this.#accepted, {
        clock: this.#clock,
        playing: () => this.#run(),
        gone: (reason) => {
          this.#clients.delete(client)
          if (reason === null) return
          this.#dropped += 1
          this.#logger.warn({ client: client.peer }, reason)
        },
      })
      this.#clients.add(client)
    })
    this.#server.maxConnections = options.maxClients ?? 32
  }

  /** Rejects with `ERR_RTSP_CONNECT` when the port cannot be had. */
  async listen(): Promise<void> {
    const { host = '127.0.0.1', port = 0 } = this.#options
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    this.#server.once('error', reject)
    this.#server.listen({ host, port }, resolve)
    try {
      await promise
    } catch (error) {
      const hint = 'stop what holds the port, or give another one'
      throw rtspError('ERR_RTSP_CONNECT', `cannot listen on ${host}:${port}: ${messageOf(error)}`, {
        hint,
        cause: error,
      })
    }
    this.#server.off('error', reject)
    this.#server.on('error', (error) => this.#logger.error({}, `RTSP server: ${messageOf(error)}`))
    this.#armSweep()
  }

  get port(): number {
    const address = this.#server.address() as AddressInfo | null
    if (address === null) throw new MedykError('ERR_STATE', 'the replay server does not listen yet')
    return address.port
  }

  /** Where its stream is, without credentials. */
  get url(): string {
    const { host = '127.0.0.1' } = this.#options
    return `rtsp://${host.includes(':') ? `[${host}]` : host}:${this.port}${this.#media.path}`
  }

  get stats(): ReplayStats {
    const clients = [...this.#clients]
    return {
      clients: clients.length,
      playing: clients.filter(({ isPlaying }) => isPlaying).length,
      unitsSent: this.#unitsSent,
      dropped: this.#dropped,
    }
  }

  /** From now until disposed. */
  inject(fault: ReplayFault): Disposable {
    const effect = effectOf(fault, this.#options.random ?? Math.random)
    this.#effects.add(effect)
    if (effect.kicks) for (const client of this.#clients) client.end(null)
    return { [Symbol.dispose]: () => void this.#effects.delete(effect) }
  }

  async close(): Promise<void> {
    this.#tick?.[Symbol.dispose]()
    this.#sweep?.[Symbol.dispose]()
    this.#tick = this.#sweep = null
    for (const client of this.#clients) client.end(null)
    if (!this.#server.listening) return
    await new Promise<void>((resolve) => this.#server.close(() => resolve()))
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  #run(): void {
    if (this.#tick !== null) return
    this.#due = this.#clock.mono()
    this.#send()
  }

  /** One timer for all clients, aimed at absolute times: what one tick is late, the next makes up for. */
  #send(): void {
    const fps = [...this.#effects].reduce((rate, effect) => effect.fps ?? rate, this.#media.fps)
    const stepMs = 1_000 / fps
    const playing = [...this.#clients].filter(({ isPlaying }) => isPlaying)
    if (playing.length === 0) {
      this.#tick = null
      return
    }
    const sendsUnit = [...this.#effects].every((effect) => effect.sendsUnit?.() ?? true)
    const sendsPacket = () => [...this.#effects].every((effect) => effect.sendsPacket?.() ?? true)
    for (const client of playing) {
      if (sendsUnit) {
        client.send(this.#units, sendsPacket)
        this.#unitsSent += 1
      }
      client.advance(stepMs)
    }
    const now = this.#clock.mono()
    this.#due = now - this.#due > MAX_LATE_MS ? now + stepMs : this.#due + stepMs
    this.#tick = this.#clock.timer(Math.max(0, this.#due - now), () => this.#send())
  }

  #armSweep(): void {
    this.#sweep = this.#clock.timer(
      1_000,
      () => {
        for (const client of this.#clients) client.expire()
        this.#armSweep()
      },
      { unref: true },
    )
  }
}
