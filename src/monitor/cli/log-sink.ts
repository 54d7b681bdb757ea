import { closeSync, fstatSync, ftruncateSync, mkdirSync, openSync, renameSync, writeSync } from 'node:fs'
import path from 'node:path'
import { MedykError, messageOf } from '@medyk/health/internal'

const STDERR = 2
/** A log of at most twice this: FILE and the one before it, FILE.1. */
const MAX_BYTES = 10 * 1024 * 1024

export interface LogSinkOptions {
  /** null: stderr, which is never rotated. */
  readonly file: string | null
  /** Bytes at which FILE becomes FILE.1. Default 10 MiB. */
  readonly maxBytes?: number
  /** ISO 8601, for the line that tells how many were lost. */
  readonly now: () => string
}

/**
 * Where the log goes. A write never throws and keeps nothing for later: a full disk or a reader that has gone costs lines,
 * which are counted and told of as soon as one can be written again. Opening throws ERR_LOG_FILE.
 */
export class LogSink {
  readonly #options: LogSinkOptions
  readonly #maxBytes: number
  #fd: number
  /** Bytes in the file; null: not a regular file, so not to be rotated. */
  #size: number | null
  #dropped = 0
  /** A line was cut off: the next one must not be glued to it. */
  #isTorn = false

  constructor(options: LogSinkOptions) {
    this.#options = options
    this.#maxBytes = options.maxBytes ?? MAX_BYTES
    try {
      if (options.file !== null) mkdirSync(path.dirname(options.file), { recursive: true })
      this.#fd = options.file === null ? STDERR : openSync(options.file, 'a')
      this.#size = options.file === null ? null : sizeOf(this.#fd)
    } catch (error) {
      throw new MedykError('ERR_LOG_FILE', `cannot write the log to ${options.file}: ${messageOf(error)}`, {
        hint: 'name a file that this user may write with --log-file, or leave it out for stderr',
        cause: error,
      })
    }
  }

  /** Lines lost since the last that was written. */
  get dropped(): number {
    return this.#dropped
  }

  /** One line, with its line feed. */
  write(line: string): void {
    const bytes = Buffer.from(`${this.#isTorn ? '\n' : ''}${this.#notice()}${line}`)
    let done = 0
    try {
      if (this.#size !== null && this.#size > 0 && this.#size + bytes.length > this.#maxBytes) this.#rotate()
      while (done < bytes.length) done += writeSync(this.#fd, bytes, done)
      this.#dropped = 0
      this.#isTorn = false
    } catch {
      this.#dropped++
      this.#isTorn ||= done > 0
    }
    if (this.#size !== null) this.#size += done
  }

  /** A line that could not even be made. */
  drop(): void {
    this.#dropped++
  }

  #notice(): string {
    if (this.#dropped === 0) return ''
    const fields = { level: 'warn', time: this.#options.now(), service: 'medyk', dropped: this.#dropped }
    return `${JSON.stringify({ ...fields, msg: 'log lines were lost' })}\n`
  }

  #rotate(): void {
    const { file } = this.#options
    if (file === null) return
    try {
      renameSync(file, `${file}.1`)
      const next = openSync(file, 'a')
      closeSync(this.#fd)
      this.#fd = next
    } catch {
      // Bounded all the same: where no file may be added, what is oldest goes, and what comes now is kept.
      ftruncateSync(this.#fd)
    }
    this.#size = sizeOf(this.#fd)
    this.#isTorn = false
  }
}

function sizeOf(fd: number): number | null {
  const stat = fstatSync(fd)
  return stat.isFile() ? stat.size : null
}
