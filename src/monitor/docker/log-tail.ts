import type { Readable } from 'node:stream'
import { stripVTControlCharacters } from 'node:util'
import { redact } from '@medyk/health/internal'

/** As long as Docker stores a line at most; longer ones are split. */
const MAX_LINE_BYTES = 16_384
const HEADER_BYTES = 8
/** A container that writes faster than it is read would never come to an end. */
const MAX_READ_BYTES = 8_388_608
const MAX_LINES = 1_000

/** The end of a container's output. Docker counts lines, and Medyk bytes: the last ones of what it sends are kept. */
export class LogTail {
  readonly #keep: number
  /** How many lines to ask for. */
  readonly lines: number

  constructor(maxBytes: number) {
    this.#keep = Math.max(0, Math.min(maxBytes, MAX_READ_BYTES))
    this.lines = Math.min(MAX_LINES, Math.max(20, Math.ceil(this.#keep / 16)))
  }

  async read(source: Readable): Promise<Buffer> {
    const frames = new Frames()
    const kept: Buffer[] = []
    let size = 0
    let read = 0
    for await (const chunk of source as AsyncIterable<Buffer>) {
      for (const part of frames.push(chunk)) {
        kept.push(part)
        size += part.length
      }
      while (kept.length > 0 && size - kept[0]!.length >= this.#keep) size -= kept.shift()!.length
      read += chunk.length
      if (read > MAX_READ_BYTES) break
    }
    const all = Buffer.concat(kept)
    return all.subarray(Math.max(0, all.length - this.#keep))
  }
}

/** Takes apart what Docker interleaves: a header of 8 bytes (stream, length) before each piece. A terminal's output has none. */
class Frames {
  #plain: boolean | null = null
  #left = 0
  #header = Buffer.alloc(0)

  push(chunk: Buffer): readonly Buffer[] {
    if (this.#plain) return [chunk]
    const parts: Buffer[] = []
    let rest = chunk
    while (rest.length > 0) {
      if (this.#left > 0) {
        const part = rest.subarray(0, this.#left)
        parts.push(part)
        this.#left -= part.length
        rest = rest.subarray(part.length)
        continue
      }
      const missing = HEADER_BYTES - this.#header.length
      this.#header = Buffer.concat([this.#header, rest.subarray(0, missing)])
      rest = rest.subarray(missing)
      if (this.#header.length < HEADER_BYTES && this.#looksLikeHeader()) continue
      if (!this.#looksLikeHeader()) {
        // Decided by the first bytes; later it would only mean that something is broken, and then all of it is shown.
        this.#plain = true
        return [...parts, this.#header, rest]
      }
      this.#plain = false
      this.#left = this.#header.readUInt32BE(4)
      this.#header = Buffer.alloc(0)
    }
    return parts
  }

  #looksLikeHeader(): boolean {
    const header = this.#header
    const zeros = header.subarray(1, 4).every((byte) => byte === 0)
    const length = header.length === HEADER_BYTES ? header.readUInt32BE(4) : 0
    return (header[0] ?? 0) <= 2 && zeros && length <= 4 * MAX_LINE_BYTES
  }
}

/** A secret that is cut in two no longer looks like one: so much more is read than shown. */
export const LOG_MARGIN_BYTES = 4_096

/** The last `maxBytes` of raw output as text: redacted first, control characters and colours made visible or left out. */
export function readableTail(raw: Buffer, maxBytes: number): string {
  const masked = maskedOf(raw)
  // As much as the margin has become; a text that is mostly secrets becomes short.
  const dropped = raw.length >= maxBytes + LOG_MARGIN_BYTES ? maskedOf(raw.subarray(0, LOG_MARGIN_BYTES)).length : 0
  const text = lastBytes(masked, masked.length - dropped).replace(
    // eslint-disable-next-line no-control-regex -- control characters are exactly what has to go
    /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g,
    (c) => (c === '\r' ? '' : `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`),
  )
  return lastBytes(Buffer.from(text), maxBytes)
}

/** Colours go first: inside a name they would hide it from the redactor. */
function maskedOf(raw: Buffer): Buffer {
  return Buffer.from(redact(stripVTControlCharacters(raw.toString('utf8'))))
}

/** Not begun in the middle of a character. */
function lastBytes(bytes: Buffer, count: number): string {
  let from = Math.max(0, bytes.length - Math.max(0, count))
  while (from < bytes.length && from > 0 && (bytes[from]! & 0xc0) === 0x80) from++
  return bytes.toString('utf8', from)
}
