import { rtspError } from './errors.ts'

/** Names in lower case; a header that came more than once has several values. */
export type RtspHeaders = ReadonlyMap<string, readonly string[]>

export interface RtspRequest {
  readonly type: 'request'
  readonly method: string
  readonly uri: string
  readonly headers: RtspHeaders
  readonly body: string
}

export interface RtspResponse {
  readonly type: 'response'
  readonly status: number
  readonly reason: string
  readonly headers: RtspHeaders
  readonly body: string
}

export interface RtspHandlers {
  message(message: RtspRequest | RtspResponse): void
  /** `packet` is a view that is overwritten after the call: copy what has to stay. */
  interleaved(channel: number, packet: Uint8Array): void
}

export const RTSP_LIMITS = { headerBytes: 65_536, bodyBytes: 65_536, headerLines: 200 } as const

const DOLLAR = 0x24
const HEAD_END = Buffer.from('\r\n\r\n')
const EMPTY = Buffer.alloc(0)
/** A bigger buffer is given back once it is drained: thousands of watches may stand at the same time. */
const KEPT_BYTES = 16_384

interface Head {
  readonly start: string
  readonly headers: RtspHeaders
  readonly bodyLength: number
}

/**
 * Cuts a byte stream into RTSP/1.0 messages and interleaved `$` frames (RFC 2326 chapters 4, 6, 7 and 10.12), in any
 * chunking. Strict: throws `ERR_RTSP_PROTOCOL` at the first thing that is neither, and past the limits; after that the
 * stream cannot be trusted and the parser must not be used again. Holds at most one header, one body and one chunk.
 */
export class RtspParser {
  #held: Buffer = EMPTY
  #length = 0
  #scanned = 0
  #head: Head | null = null
  readonly #handlers: RtspHandlers

  constructor(handlers: RtspHandlers) {
    this.#handlers = handlers
  }

  push(chunk: Uint8Array): void {
    if (this.#length === 0) {
      // The usual case by far: whole frames are read where they lie, only a cut one is copied.
      const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength)
      const used = this.#consume(bytes)
      if (used < bytes.length) this.#hold(bytes.subarray(used))
      return
    }
    this.#hold(chunk)
    const used = this.#consume(this.#held.subarray(0, this.#length))
    this.#held.copyWithin(0, used, this.#length)
    this.#length -= used
    if (this.#length === 0 && this.#held.length > KEPT_BYTES) this.#held = EMPTY
  }

  /** Bytes of a message or frame that has begun and not ended. */
  get pending(): number {
    return this.#length
  }

  #hold(chunk: Uint8Array): void {
    const needed = this.#length + chunk.byteLength
    if (needed > this.#held.length) {
      // Doubling: a peer that drips byte by byte must not cost a copy of everything each time.
      const grown = Buffer.allocUnsafe(Math.max(needed, this.#held.length * 2, 2_048))
      this.#held.copy(grown, 0, 0, this.#length)
      this.#held = grown
    }
    this.#held.set(chunk, this.#length)
    this.#length = needed
  }

  #consume(bytes: Buffer): number {
    let at = 0
    for (;;) {
      const next = this.#head === null ? this.#frameOrHead(bytes, at) : this.#body(bytes, at, this.#head)
      if (next === null) return at
      at = next
    }
  }

  #frameOrHead(bytes: Buffer, at: number): number | null {
    if (at >= bytes.length) return null
    const first = bytes[at] ?? 0
    if (first === DOLLAR) {
      if (bytes.length - at < 4) return null
      const end = at + 4 + bytes.readUInt16BE(at + 2)
      if (end > bytes.length) return null
      this.#handlers.interleaved(bytes[at + 1] ?? 0, bytes.subarray(at + 4, end))
      return end
    }
    // Empty lines before a message are allowed by the RFC and sent by some cameras.
    if (first === 0x0d || first === 0x0a) return at + 1
    if (first < 0x41 || first > 0x5a) throw protocol(`a message begins with byte 0x${first.toString(16)}`)
    const end = bytes.indexOf(HEAD_END, at + Math.max(0, this.#scanned - 3))
    if ((end < 0 ? bytes.length : end) - at > RTSP_LIMITS.headerBytes) {
      throw protocol(`headers of more than ${RTSP_LIMITS.headerBytes} bytes`)
    }
    this.#scanned = end < 0 ? bytes.length - at : 0
    if (end < 0) return null
    this.#head = parseHead(bytes.toString('latin1', at, end))
    return end + 4
  }

  #body(bytes: Buffer, at: number, head: Head): number | null {
    const end = at + head.bodyLength
    if (end > bytes.length) return null
    this.#head = null
    this.#handlers.message(parseMessage(head, bytes.toString('utf8', at, end)))
    return end
  }
}

function parseHead(text: string): Head {
  const [start = '', ...lines] = text.split('\r\n')
  if (lines.length > RTSP_LIMITS.headerLines) throw protocol(`more than ${RTSP_LIMITS.headerLines} header lines`)
  const headers = new Map<string, string[]>()
  for (const line of lines) {
    const match = /^([!#$%&'*+.^_`|~\w-]+)[ \t]*:[ \t]*([\t\x20-\x7e\x80-\xff]*)$/.exec(line)
    if (match === null) throw protocol(`"${line.slice(0, 60)}" is not a header line`)
    const name = (match[1] ?? '').toLowerCase()
    const values = headers.get(name) ?? []
    values.push((match[2] ?? '').trimEnd())
    headers.set(name, values)
  }
  return { start, headers, bodyLength: bodyLength(headers) }
}

function bodyLength(headers: RtspHeaders): number {
  const values = headers.get('content-length')
  if (values === undefined) return 0
  const [value = ''] = values
  if (values.length > 1 || !/^\d{1,9}$/.test(value)) throw protocol(`Content-Length "${values.join(', ')}"`)
  if (Number(value) > RTSP_LIMITS.bodyBytes) throw protocol(`a body of ${value} bytes`)
  return Number(value)
}

function parseMessage({ start, headers }: Head, body: string): RtspRequest | RtspResponse {
  const response = /^RTSP\/1\.0 ([1-5]\d\d)(?: ([\t\x20-\x7e\x80-\xff]*))?$/.exec(start)
  if (response) return { type: 'response', status: Number(response[1]), reason: response[2] ?? '', headers, body }
  const request = /^([A-Z_]{1,32}) ([\x21-\x7e]+) RTSP\/1\.0$/.exec(start)
  if (request) return { type: 'request', method: request[1] ?? '', uri: request[2] ?? '', headers, body }
  throw protocol(`"${start.slice(0, 60)}" is not an RTSP/1.0 request or status line`)
}

/** The only value of a header; null when it is missing or came more than once. */
export function header(message: { readonly headers: RtspHeaders }, name: string): string | null {
  const values = message.headers.get(name)
  return values?.length === 1 ? (values[0] ?? null) : null
}

/** A request or response as bytes. Throws when a part would break the framing, whoever it came from. */
export function formatMessage(
  start: string,
  headers: Readonly<Record<string, string | number | undefined>>,
  body = '',
): string {
  const lines = [start]
  for (const [name, value] of Object.entries(headers)) if (value !== undefined) lines.push(`${name}: ${value}`)
  if (body !== '') lines.push(`Content-Length: ${Buffer.byteLength(body)}`)
  // eslint-disable-next-line no-control-regex -- control characters are exactly what must not pass
  const broken = lines.find((line) => /[\x00-\x08\x0a-\x1f\x7f]/.test(line))
  if (broken !== undefined) throw protocol(`a control character in "${broken.slice(0, 60)}"`)
  return `${lines.join('\r\n')}\r\n\r\n${body}`
}

function protocol(found: string) {
  return rtspError('ERR_RTSP_PROTOCOL', `not RTSP: ${found}`)
}
