import { createReadStream } from 'node:fs'
import { MedykError, messageOf, printable } from '@medyk/health/internal'
import { detect, initialDetection, type DetectionState } from '../detection/index.ts'
import type { Step } from '../model/index.ts'
import type { StoryLine } from './recorder.ts'
import { tellRecord } from './retell.ts'
import { outputOf, TRACE_VERSION, type TraceRecord } from './trace.ts'

/** The first place where the replay and the recording part. */
export interface ReplayDifference {
  /** Counted from 1. Of the recorded output, or of the input that brought none where one was due. */
  readonly line: number
  /** Which part of the code: `detection of INSTANCE` or `core`. */
  readonly part: string
  /** As JSON, at most 2,000 characters; null: nothing. */
  readonly recorded: string | null
  readonly replayed: string | null
}

export interface ReplayReport {
  readonly identical: boolean
  readonly difference: ReplayDifference | null
  readonly lines: number
  /** Inputs of detection and of the core that were replayed. */
  readonly detections: number
  readonly coreEvents: number
  readonly verdicts: number
  /** From the first to the last input, milliseconds of monotonic time. */
  readonly spanMs: number
  readonly startedAt: string
  readonly by: string
  /** The last line was cut off, as when the daemon is killed. */
  readonly truncated: boolean
  /** Why the recorder stopped by itself; null when it did not. */
  readonly stopped: string | null
  /** Verdicts, incidents and actions of the recording, for reading. */
  readonly story: readonly StoryLine[]
}

const MAX_STORY = 20_000
const SHOWN = 2_000

/**
 * Runs what a trace recorded through the same pure code and compares what comes out. Stops at the first difference. `source` is a
 * file or its lines. Rejects with ERR_TRACE, and the number of the line, where the file is not a trace or is damaged.
 */
export async function replayTrace(
  source: string | AsyncIterable<string>,
  core: Step<unknown>,
  options: { readonly signal?: AbortSignal } = {},
): Promise<ReplayReport> {
  const replay = new Replay(core)
  let waiting: string | null = null
  for await (const line of typeof source === 'string' ? linesOf(source) : source) {
    options.signal?.throwIfAborted()
    if (waiting !== null && !replay.read(waiting)) return replay.report()
    waiting = line
  }
  if (waiting !== null) replay.readLast(waiting)
  return replay.report()
}

interface Due {
  readonly line: number
  readonly output: string
}

/** Outputs are written after the input that brought them: until then they are due. */
class Replay {
  readonly #core: Step<unknown>
  readonly #detections = new Map<string, DetectionState>()
  readonly #due = new Map<string, Due>()
  /** When the last input of each part came: what it brought happened then, wherever its line stands. */
  readonly #inputAt = new Map<string, number>()
  /** With monotonic times, in the order of the lines. */
  readonly #story: StoryLine[] = []
  #state: unknown
  #header: Extract<TraceRecord, { t: 'medyk-trace' }> | null = null
  #line = 0
  #counts = { detections: 0, coreEvents: 0, verdicts: 0 }
  #firstAt: number | null = null
  #lastAt = 0
  #truncated = false
  #stopped: string | null = null
  #difference: ReplayDifference | null = null

  constructor(core: Step<unknown>) {
    this.#core = core
    this.#state = core.initial()
  }

  /** False: there is a difference, or nothing more is to come. */
  read(text: string): boolean {
    this.#line += 1
    this.#take(this.#parse(text))
    return this.#difference === null && this.#stopped === null
  }

  /** The last line may have been cut off in the middle; what it would have answered is then unknown. */
  readLast(text: string): void {
    this.#line += 1
    let record: TraceRecord
    try {
      record = this.#parse(text)
    } catch (error) {
      if (this.#header === null) throw error
      this.#truncated = true
      return
    }
    this.#take(record)
  }

  report(): ReplayReport {
    if (this.#header === null) throw traceError(1, 'the file is empty', 'give a file that `medyk serve --record` wrote')
    return {
      identical: this.#difference === null,
      difference: this.#difference,
      lines: this.#line,
      ...this.#counts,
      spanMs: this.#firstAt === null ? 0 : this.#lastAt - this.#firstAt,
      startedAt: this.#header.startedAt,
      by: this.#header.by,
      truncated: this.#truncated,
      stopped: this.#stopped,
      story: this.#story.map((line) => ({ ...line, at: line.at - (this.#firstAt ?? 0) })).sort((a, b) => a.at - b.at),
    }
  }

  #parse(text: string): TraceRecord {
    let record: unknown
    try {
      record = JSON.parse(text)
    } catch (error) {
      throw traceError(this.#line, `not JSON: ${messageOf(error)}`)
    }
    if (typeof record !== 'object' || record === null || !('t' in record)) throw traceError(this.#line, 'not a record')
    return record as TraceRecord
  }

  #take(record: TraceRecord): void {
    if (this.#header === null) return this.#begin(record)
    try {
      this.#step(record)
    } catch (error) {
      // A record may be JSON and still not what the pure code can work with.
      throw error instanceof MedykError ? error : traceError(this.#line, `cannot be replayed: ${messageOf(error)}`)
    }
  }

  #begin(record: TraceRecord): void {
    const hint = 'give a file that `medyk serve --record` wrote'
    if (record.t !== 'medyk-trace') throw traceError(this.#line, 'it does not begin as a trace', hint)
    if (record.version !== TRACE_VERSION) {
      const hint2 = 'replay it with the version of medyk that recorded it'
      throw traceError(
        this.#line,
        `version ${record.version} of the format, this reads version ${TRACE_VERSION}`,
        hint2,
      )
    }
    this.#header = record
  }

  #step(record: TraceRecord): void {
    switch (record.t) {
      case 'watch': {
        const { shard, service, instance, options, now } = record
        this.#detections.set(`${shard}/${instance.id}`, initialDetection(service, instance, now, options))
        return
      }
      case 'detect': {
        const key = `${record.shard}/${record.instance}`
        const part = `detection of ${record.instance}`
        if (this.#missing(key, part)) return
        const state = this.#detections.get(key)
        if (!state)
          throw traceError(this.#line, `nothing was said of instance "${printable(record.instance, 80)}" before`)
        this.#passed(key, record.now.mono)
        this.#counts.detections += 1
        const output = outputOf(detect(state, record.input, record.now))
        if (output) this.#due.set(key, { line: this.#line, output: JSON.stringify(output) })
        return
      }
      case 'verdict': {
        const key = `${record.shard}/${record.instance}`
        if (record.output.verdict) this.#counts.verdicts += 1
        this.#tell(key, record)
        return this.#compare(key, `detection of ${record.instance}`, record.output)
      }
      case 'core': {
        if (this.#missing('core', 'core')) return
        this.#passed('core', record.now.mono)
        this.#tell('core', record)
        this.#counts.coreEvents += 1
        const { state, events, effects } = this.#core.reduce(this.#state, record.event, record.now)
        this.#state = state
        if (events.length > 0 || effects.length > 0) {
          this.#due.set('core', { line: this.#line, output: JSON.stringify({ events, effects }) })
        }
        return
      }
      case 'out':
        this.#tell('core', record)
        return this.#compare('core', 'core', { events: record.events, effects: record.effects })
      case 'stopped':
        this.#stopped = record.reason
        return
      default:
        throw traceError(this.#line, 'a record of unknown kind')
    }
  }

  #compare(key: string, part: string, output: unknown): void {
    const recorded = JSON.stringify(output)
    const replayed = this.#due.get(key)?.output ?? null
    this.#due.delete(key)
    if (recorded !== replayed) this.#differ(this.#line, part, recorded, replayed)
  }

  /** The next input is here and the output of the one before was never written. */
  #missing(key: string, part: string): boolean {
    const due = this.#due.get(key)
    if (!due) return false
    this.#differ(due.line, part, null, due.output)
    return true
  }

  #differ(line: number, part: string, recorded: string | null, replayed: string | null): void {
    const shown = (json: string | null) => json?.slice(0, SHOWN) ?? null
    this.#difference = { line, part, recorded: shown(recorded), replayed: shown(replayed) }
  }

  #passed(key: string, mono: number): void {
    if (!Number.isFinite(mono)) throw traceError(this.#line, 'the time is not a number')
    this.#inputAt.set(key, mono)
    this.#firstAt = Math.min(this.#firstAt ?? mono, mono)
    this.#lastAt = Math.max(this.#lastAt, mono)
  }

  #tell(key: string, record: TraceRecord): void {
    for (const line of tellRecord(record, this.#inputAt.get(key) ?? this.#lastAt)) {
      if (this.#story.length < MAX_STORY) this.#story.push(line)
    }
  }
}

/** Longest line of a trace: a fleet's whole configuration may be one. */
const MAX_LINE = 16_777_216

/** Unlike readline this keeps a line bounded, and does not hide errors of the stream. */
async function* linesOf(file: string): AsyncGenerator<string> {
  let rest = ''
  let line = 0
  try {
    for await (const chunk of createReadStream(file, { encoding: 'utf8', highWaterMark: 262_144 })) {
      const parts = (rest + (chunk as string)).split('\n')
      rest = parts.pop() ?? ''
      for (const part of parts) {
        line += 1
        yield part
      }
      if (rest.length > MAX_LINE) throw traceError(line + 1, `longer than ${MAX_LINE} characters`)
    }
  } catch (error) {
    if (error instanceof MedykError) throw error
    throw new MedykError('ERR_TRACE', `${file} cannot be read: ${messageOf(error)}`, {
      hint: 'check the path and who may read it',
      cause: error,
    })
  }
  if (rest !== '') yield rest
}

function traceError(line: number, what: string, hint = 'the file is damaged, or was not written by medyk'): MedykError {
  return new MedykError('ERR_TRACE', `trace, line ${line}: ${printable(what)}`, { hint })
}
