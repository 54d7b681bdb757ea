import { createWriteStream, type WriteStream } from 'node:fs'
import { once } from 'node:events'
import { messageOf } from '@medyk/health/internal'
import type { Detected, DetectionInput, InitialOptions } from '../detection/index.ts'
import type { CoreEvent, DerivedEvent, Effect, Instance, Now, ServiceSpec } from '../model/index.ts'

export const TRACE_VERSION = 1

/** When to look again is left out: it follows from the rest, and an infinite one has no place in JSON. */
export type DetectionOutput = Omit<Detected, 'wakeAt'>

/**
 * One line of a trace, as JSON. It begins with `medyk-trace`. `watch` makes a detection, `detect` is what goes into it and
 * `verdict` what came out, when anything did; `core` and `out` are the same for the main loop. The lines of one shard and those
 * of the core keep their order among themselves; between them any order will do.
 */
export type TraceRecord =
  | { readonly t: 'medyk-trace'; readonly version: number; readonly startedAt: string; readonly by: string }
  | {
      readonly t: 'watch'
      readonly shard: number
      readonly service: ServiceSpec
      readonly instance: Instance
      readonly options: InitialOptions
      readonly now: Now
    }
  | {
      readonly t: 'detect'
      readonly shard: number
      readonly instance: string
      readonly input: DetectionInput
      readonly now: Now
    }
  | {
      readonly t: 'verdict'
      readonly shard: number
      readonly instance: string
      readonly output: DetectionOutput
    }
  | { readonly t: 'core'; readonly event: CoreEvent; readonly now: Now }
  | { readonly t: 'out'; readonly events: readonly DerivedEvent[]; readonly effects: readonly Effect[] }
  /** The recorder stopped by itself. Without it the daemon ended or was killed. */
  | { readonly t: 'stopped'; readonly reason: string }

/** What of an output is worth a line; null when nothing came out. */
export function outputOf(detected: Detected): DetectionOutput | null {
  const { verdict, pace, probeNow } = detected
  return verdict !== null || pace.length > 0 || probeNow.length > 0 ? { verdict, pace, probeNow } : null
}

/** Where a trace goes. */
export interface TraceSink {
  write(record: TraceRecord): void
}

export const defaultTraceBytes = 268_435_456
/** What may wait for a slow disk. */
const MAX_BUFFERED = 16_777_216

export interface TraceWriterOptions {
  /** Past this the recording stops, with a note as its last line. Default 256 MiB: some hours of ten services. */
  readonly maxBytes?: number
  /** ISO 8601 UTC, for the header. */
  readonly startedAt: string
  /** Who records, for the header: name and version. */
  readonly by: string
}

/**
 * Records what goes into the pure core and what comes out, one JSON line each. Never throws and never waits: a full file, a
 * full disk or a disk that is too slow ends the recording, and `stopped` tells why.
 */
export class TraceWriter implements TraceSink, AsyncDisposable {
  readonly file: string
  readonly #stream: WriteStream
  readonly #maxBytes: number
  #bytes = 0
  #stopped: string | null = null

  constructor(file: string, options: TraceWriterOptions) {
    this.file = file
    this.#maxBytes = options.maxBytes ?? defaultTraceBytes
    // Only its owner may read it: reasons and names of checks come from the services.
    this.#stream = createWriteStream(file, { mode: 0o600 })
    this.#stream.on('error', (error) => (this.#stopped ??= messageOf(error)))
    this.write({ t: 'medyk-trace', version: TRACE_VERSION, startedAt: options.startedAt, by: options.by })
  }

  /** Why nothing is recorded any more; null while it is. */
  get stopped(): string | null {
    return this.#stopped
  }

  write(record: TraceRecord): void {
    if (this.#stopped !== null) return
    const line = `${JSON.stringify(record)}\n`
    this.#bytes += Buffer.byteLength(line)
    if (this.#bytes > this.#maxBytes) return this.#stop(`the trace has reached ${this.#maxBytes} bytes`)
    if (this.#stream.writableLength > MAX_BUFFERED) return this.#stop('the disk does not keep up')
    this.#stream.write(line)
  }

  /** Ends the file with what was written so far. Resolves in any case. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopped ??= 'closed'
    if (this.#stream.closed) return
    const closed = once(this.#stream, 'close').catch(() => {})
    this.#stream.end()
    await closed
  }

  #stop(reason: string): void {
    this.#stopped = reason
    const note: TraceRecord = { t: 'stopped', reason }
    this.#stream.end(`${JSON.stringify(note)}\n`)
  }
}
