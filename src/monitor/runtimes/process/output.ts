import { closeSync, fstatSync, ftruncateSync, openSync, readSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { stripVTControlCharacters } from 'node:util'
import { redact } from '@medyk/health/internal'

/** Past this the output is cut at the next look; a flood is looked at more often. */
export const MAX_OUTPUT_BYTES = 1_048_576
const KEPT_BYTES = MAX_OUTPUT_BYTES / 2
/** Read before what was asked for, so that a secret that begins there is recognised whole. */
const MARGIN_BYTES = 16_384

// Files, not pipes: a pipe whose reader has died kills the service that writes to it.
const currentIn = (directory: string) => join(directory, 'output.log')
const previousIn = (directory: string) => join(directory, 'output.1.log')

/** For the child's stdout and stderr. Appending, so that its next line lands at the new end after a cut. */
export function openOutput(directory: string): number {
  return openSync(currentIn(directory), 'a', 0o600)
}

/**
 * Keeps the output bounded by copying its last part aside and truncating it. Synchronous, since what the service writes
 * between the copy and the cut is lost. Returns how many bytes there were.
 */
export function boundOutput(directory: string): number {
  try {
    if (statSync(currentIn(directory)).size <= MAX_OUTPUT_BYTES) return 0
    const fd = openSync(currentIn(directory), 'r+')
    try {
      const { size } = fstatSync(fd)
      try {
        writeFileSync(previousIn(directory), readRange(fd, size, KEPT_BYTES), { mode: 0o600 })
      } finally {
        // On a full disk above all.
        ftruncateSync(fd, 0)
      }
      return size
    } finally {
      closeSync(fd)
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return 0
    throw error
  }
}

/** The last output, at most `maxBytes` of UTF-8, without terminal sequences and secrets. Empty when there is none. */
export function readOutput(directory: string, maxBytes: number): string {
  const limit = Math.max(0, Math.min(maxBytes, MAX_OUTPUT_BYTES))
  const wanted = limit + MARGIN_BYTES
  const current = tail(currentIn(directory), wanted)
  const previous = current.length < wanted ? tail(previousIn(directory), wanted - current.length) : Buffer.alloc(0)
  const raw = Buffer.concat([previous, current])
  // Colours go first: inside a name they would hide it from the redactor.
  const masked = Buffer.from(redact(stripVTControlCharacters(raw.toString('utf8'))))
  const text = visible(lastBytes(masked, masked.length - (raw.length < wanted ? 0 : MARGIN_BYTES)))
  return lastBytes(Buffer.from(text), limit)
}

/** At most `count` bytes from the end, not begun in the middle of a character. */
function lastBytes(bytes: Buffer, count: number): string {
  let from = Math.max(0, bytes.length - Math.max(0, count))
  while (from < bytes.length && from > 0 && (bytes[from]! & 0xc0) === 0x80) from++
  return bytes.toString('utf8', from)
}

function visible(text: string): string {
  // eslint-disable-next-line no-control-regex -- control characters are exactly what has to go
  return text.replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g, (c) =>
    c === '\r' ? '' : `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}

function tail(file: string, bytes: number): Buffer {
  let fd: number
  try {
    fd = openSync(file, 'r')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return Buffer.alloc(0)
    throw error
  }
  try {
    return readRange(fd, fstatSync(fd).size, bytes)
  } finally {
    closeSync(fd)
  }
}

function readRange(fd: number, size: number, bytes: number): Buffer {
  const buffer = Buffer.alloc(Math.min(size, bytes))
  const read = readSync(fd, buffer, 0, buffer.length, size - buffer.length)
  return buffer.subarray(0, read)
}
