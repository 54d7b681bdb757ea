import { isMedykError, messageOf, silentLogger, systemClock, type Clock, type Logger } from '../internal/index.ts'
import { playRtsp, type RtspSession } from './client.ts'
import { deadline } from './connection.ts'
import { rtspError } from './errors.ts'
import { H264Depacketizer, type AccessUnit, type DepacketizerOptions } from './h264.ts'
import { RateWindow } from './rate-window.ts'
import { parseRtp, SequenceTracker } from './rtp.ts'
import type { VideoTrack } from './sdp.ts'
import { parseRtspUrl } from './url.ts'

export interface WatchedUnit extends AccessUnit {
  /** Counts up from 1 over the whole watch, reconnects included. */
  readonly number: number
  /** When its last packet was read: milliseconds since the Unix epoch. */
  readonly capturedAt: number
}

export interface Backoff {
  /** Before the second attempt. Default 250. */
  readonly minMs: number
  /** Default 10,000. */
  readonly maxMs: number
  /** Share by which a delay may deviate either way, so that many watches do not come back at once. Default 0.25. */
  readonly jitter: number
  /** After refused credentials, because cameras lock accounts. Default 30,000. */
  readonly authMs: number
}

export interface WatchOptions {
  readonly onAccessUnit?: (unit: WatchedUnit) => void
  /** Which units' bytes to hand over. Default none. */
  readonly keep?: DepacketizerOptions['keep']
  readonly maxUnitBytes?: number
  /** Ends the watch, as `close` does. */
  readonly signal?: AbortSignal
  readonly clock?: Clock
  readonly logger?: Logger
  /** Default 3,000. */
  readonly stepTimeoutMs?: number
  /** No picture for this long while playing: the connection is given up. Default 5,000. */
  readonly stallMs?: number
  readonly backoff?: Partial<Backoff>
  /** In [0, 1). Default Math.random. */
  readonly random?: () => number
}

/**
 * connecting: signalling · playing: the session stands, pictures or not (`lastFrameAgeMs` tells) · waiting: for the
 * next attempt · stopped: for good
 */
export type WatchState = 'connecting' | 'playing' | 'waiting' | 'stopped'

/** Totals are over the whole watch. */
export interface StreamSnapshot {
  readonly state: WatchState
  readonly framesTotal: number
  readonly keyframesTotal: number
  /** Pictures a second over the last two seconds, or since the first picture where that is less. */
  readonly fps: number
  /** Milliseconds since the Unix epoch; null before the first. */
  readonly lastFrameAt: number | null
  readonly lastFrameAgeMs: number | null
  readonly lostPackets: number
  readonly damagedFrames: number
  readonly bytes: number
  /** Attempts after the first. */
  readonly reconnects: number
  readonly lastError: { readonly code: string; readonly message: string } | null
  readonly video: VideoTrack | null
}

export interface StreamWatch extends AsyncDisposable {
  snapshot(): StreamSnapshot
  /** Ends within 500 ms. Never rejects. */
  close(): Promise<void>
}

const DEFAULT_BACKOFF: Backoff = { minMs: 250, maxMs: 10_000, jitter: 0.25, authMs: 30_000 }
/** Pictures for this long make the next loss a new one; before, a camera that kicks at once would be called at once. */
const STABLE_MS = 5_000
const TEARDOWN_MS = 400

/**
 * Plays a stream for as long as it is told to, reconnecting with growing pauses, and counts what comes. Memory does not
 * grow with time. Throws `ERR_RTSP_URL` at once; everything later is a finding, in `snapshot().lastError`.
 */
export function watchStream(url: string, options: WatchOptions = {}): StreamWatch {
  return new Watch(url, options)
}

class Watch implements StreamWatch {
  readonly #url: string
  readonly #shown: string
  readonly #options: WatchOptions
  readonly #clock: Clock
  readonly #logger: Logger
  readonly #stop = new AbortController()
  readonly #rate = new RateWindow(2_000)
  readonly #done: Promise<void>
  #state: WatchState = 'connecting'
  #session: RtspSession | null = null
  #sequence = new SequenceTracker()
  #video: VideoTrack | null = null
  #frames = 0
  #keyframes = 0
  #damaged = 0
  #lostBefore = 0
  #bytesBefore = 0
  #reconnects = 0
  #lastMono: number | null = null
  #lastWall: number | null = null
  #lastError: StreamSnapshot['lastError'] = null

  constructor(url: string, options: WatchOptions) {
    this.#url = url
    this.#shown = parseRtspUrl(url).shown
    this.#options = options
    this.#clock = options.clock ?? systemClock
    this.#logger = options.logger ?? silentLogger
    const onAbort = () => this.#stop.abort()
    if (options.signal?.aborted) onAbort()
    options.signal?.addEventListener('abort', onAbort, { once: true })
    this.#done = this.#run().finally(() => {
      this.#state = 'stopped'
      options.signal?.removeEventListener('abort', onAbort)
    })
  }

  snapshot(): StreamSnapshot {
    const now = this.#clock.mono()
    return {
      state: this.#state,
      framesTotal: this.#frames,
      keyframesTotal: this.#keyframes,
      fps: this.#rate.perSecond(now),
      lastFrameAt: this.#lastWall,
      lastFrameAgeMs: this.#lastMono === null ? null : now - this.#lastMono,
      lostPackets: this.#lostBefore + this.#sequence.lost,
      damagedFrames: this.#damaged,
      bytes: this.#bytesBefore + (this.#session?.bytesRead ?? 0),
      reconnects: this.#reconnects,
      lastError: this.#lastError,
      video: this.#video,
    }
  }

  async close(): Promise<void> {
    this.#stop.abort()
    await this.#done
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #run(): Promise<void> {
    const stop = this.#stop.signal
    for (let failures = 0; !stop.aborted;) {
      this.#state = 'connecting'
      const begun = this.#clock.mono()
      const error = await this.#playOnce()
      if (stop.aborted) return
      // A session that showed pictures for a while was a good one, whatever ended it.
      if (this.#lastMono !== null && this.#lastMono - begun > STABLE_MS) failures = 0
      const pause = this.#pause(failures, error.code)
      failures += 1
      this.#state = 'waiting'
      this.#lastError = error
      this.#logger.warn({ url: this.#shown, code: error.code, retryMs: Math.round(pause) }, error.message)
      await this.#clock.sleep(pause, stop).catch(() => {})
      this.#reconnects += 1
    }
  }

  #pause(failures: number, code: string): number {
    const { minMs, maxMs, jitter, authMs } = { ...DEFAULT_BACKOFF, ...this.#options.backoff }
    const pause = code === 'ERR_RTSP_AUTH' ? authMs : Math.min(maxMs, minMs * 2 ** Math.min(failures, 20))
    return pause * (1 + jitter * (2 * (this.#options.random ?? Math.random)() - 1))
  }

  /** One session from connect to its end; resolves with why it ended. */
  async #playOnce(): Promise<{ code: string; message: string }> {
    const stop = this.#stop.signal
    const receive = this.#receiver()
    try {
      const session = await playRtsp(this.#url, {
        onRtp: (packet) => receive(packet),
        signal: stop,
        clock: this.#clock,
        ...(this.#options.stepTimeoutMs === undefined ? {} : { stepTimeoutMs: this.#options.stepTimeoutMs }),
      })
      this.#session = session
      this.#video = session.video
      this.#state = 'playing'
      this.#logger.info({ url: this.#shown, server: session.server }, 'stream is playing')
      return await this.#untilEnd(session)
    } catch (error) {
      return isMedykError(error) ? error : { code: 'ERR_RTSP_PROTOCOL', message: messageOf(error) }
    } finally {
      this.#bytesBefore += this.#session?.bytesRead ?? 0
      this.#session = null
    }
  }

  async #untilEnd(session: RtspSession): Promise<{ code: string; message: string }> {
    const stalled = Promise.withResolvers<ReturnType<typeof rtspError>>()
    const { stallMs = 5_000 } = this.#options
    const begun = this.#clock.mono()
    let timer: Disposable
    const check = () => {
      const quiet = this.#clock.mono() - Math.max(begun, this.#lastMono ?? 0)
      if (quiet < stallMs) timer = deadline(this.#clock, stallMs - quiet, check)
      else stalled.resolve(rtspError('ERR_RTSP_STALLED', `${this.#shown}: no picture for ${Math.round(quiet)} ms`))
    }
    timer = deadline(this.#clock, stallMs, check)
    try {
      return await Promise.race([session.ended, stalled.promise])
    } finally {
      timer[Symbol.dispose]()
      await session.close(TEARDOWN_MS)
    }
  }

  #receiver(): (packet: Uint8Array) => void {
    this.#lostBefore += this.#sequence.lost
    const sequence = (this.#sequence = new SequenceTracker())
    const { keep = 'none', maxUnitBytes } = this.#options
    const units = new H264Depacketizer({
      keep,
      ...(maxUnitBytes === undefined ? {} : { maxUnitBytes }),
      onAccessUnit: (unit) => this.#take(unit),
    })
    let ssrc: number | null = null
    return (bytes) => {
      const packet = parseRtp(bytes)
      if (packet === null || (this.#video !== null && packet.payloadType !== this.#video.payloadType)) return
      // A foreign source on our channel is not our picture. If ours never comes back, the stall shows it.
      if (packet.ssrc !== (ssrc ??= packet.ssrc)) return
      const { arrival, missing } = sequence.take(packet.sequence)
      if (arrival === 'late' || arrival === 'duplicate') return
      units.take(packet, arrival === 'reset' ? 1 : missing)
    }
  }

  #take(unit: AccessUnit): void {
    const now = this.#clock.mono()
    this.#frames += 1
    if (unit.keyframe) this.#keyframes += 1
    if (unit.damaged) this.#damaged += 1
    this.#lastMono = now
    this.#lastWall = this.#clock.wall()
    this.#rate.add(now)
    try {
      this.#options.onAccessUnit?.({ ...unit, number: this.#frames, capturedAt: this.#lastWall })
    } catch (error) {
      this.#logger.error({ url: this.#shown }, `onAccessUnit threw: ${messageOf(error)}`)
    }
  }
}
