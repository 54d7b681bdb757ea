import { ByteSink } from './byte-sink.ts'
import { badResponse, parseHead, type Head } from './http-head.ts'

export const maxHeadBytes = 64 * 1_024
export const maxBodyBytes = 64 * 1_024
/** A chunked body may be mostly chunk headers: what it may weigh with them. */
const maxRawBytes = maxHeadBytes + 4 * maxBodyBytes
const maxChunkLine = 256
const maxInterim = 8
const endOfHead = Buffer.from('\r\n\r\n')
const endOfLine = Buffer.from('\r\n')

export interface HttpResponse extends Head {
  readonly body: Buffer
}

/**
 * Reads one HTTP/1.1 response to a GET, as it comes, from the bytes of one connection. Bounded in every dimension.
 * Throws a MedykError ERR_BAD_RESPONSE for whatever is not a well-formed response within the bounds; it must not be fed after that.
 */
export class HttpResponseParser {
  readonly #raw = new ByteSink()
  readonly #body = new ByteSink()
  #at = 0
  /** Where the search for the end of the head goes on. */
  #searchedTo = 0
  #head: Head | null = null
  #interim = 0
  #part: 'head' | 'length' | 'close' | 'chunk-size' | 'chunk-data' | 'trailers' | 'done' = 'head'
  #left = 0

  /** Null until the whole response is there. What follows it is not looked at: the connection ends with it. */
  push(chunk: Buffer): HttpResponse | null {
    this.#raw.append(chunk)
    while (this.#step()) {
      // Each step takes a piece; it stops when the next piece is not there yet.
    }
    if (this.#raw.length > maxRawBytes && this.#part !== 'done') throw badResponse('endless answer')
    return this.#result()
  }

  /** The peer has sent its last byte. */
  end(): HttpResponse {
    if (this.#part === 'close') this.#part = 'done'
    const result = this.#result()
    if (result) return result
    if (this.#raw.length === 0) throw badResponse('closed without an answer')
    throw badResponse(this.#head ? 'closed in the middle of the body' : 'closed in the middle of the headers')
  }

  get isEmpty(): boolean {
    return this.#raw.length === 0
  }

  #result(): HttpResponse | null {
    return this.#part === 'done' && this.#head ? { ...this.#head, body: this.#body.bytes } : null
  }

  #step(): boolean {
    switch (this.#part) {
      case 'head':
        return this.#readHead()
      case 'length':
        return this.#readBody(() => (this.#part = 'done'))
      case 'close':
        this.#left = this.#raw.length - this.#at
        return this.#readBody(() => {})
      case 'chunk-size':
        return this.#readChunkSize()
      case 'chunk-data':
        return this.#readBody(() => this.#readChunkEnd())
      case 'trailers':
        return this.#readTrailer()
      default:
        return false
    }
  }

  #readHead(): boolean {
    const bytes = this.#raw.bytes
    const end = bytes.indexOf(endOfHead, Math.max(this.#at, this.#searchedTo - 3))
    if ((end < 0 ? bytes.length : end) > maxHeadBytes)
      throw badResponse(`headers larger than ${maxHeadBytes / 1_024} KiB`)
    if (end < 0) {
      // Garbage shows in the first bytes: no need to wait for an end that never comes.
      const start = bytes.toString('latin1', this.#at, this.#at + 7)
      if (!'HTTP/1.'.startsWith(start)) throw badResponse('not an HTTP/1.1 answer')
      this.#searchedTo = bytes.length
      return false
    }
    const head = parseHead(bytes.toString('latin1', this.#at, end))
    this.#at = end + endOfHead.length
    this.#searchedTo = this.#at
    if (head.status < 200 && head.status !== 101) {
      if (++this.#interim > maxInterim) throw badResponse('endless interim answers')
      return true
    }
    const { framing } = head
    if (framing.kind === 'length') {
      if (framing.length > maxBodyBytes) throw tooLarge()
      this.#left = framing.length
      this.#part = framing.length === 0 ? 'done' : 'length'
    } else this.#part = framing.kind === 'chunked' ? 'chunk-size' : 'close'
    this.#head = head
    return true
  }

  /** Moves up to `#left` bytes to the body; `whenWhole` once none is left. */
  #readBody(whenWhole: () => void): boolean {
    const there = Math.min(this.#left, this.#raw.length - this.#at)
    if (this.#body.length + there > maxBodyBytes) throw tooLarge()
    if (there > 0) this.#body.append(this.#raw.bytes.subarray(this.#at, this.#at + there))
    this.#at += there
    this.#left -= there
    if (this.#left > 0) return false
    const before = this.#part
    whenWhole()
    return this.#part !== before
  }

  #readChunkSize(): boolean {
    const line = this.#line()
    if (line === null) return false
    const matched = /^([\da-f]{1,8})[ \t]*(?:;|$)/i.exec(line)
    if (!matched) throw badResponse('malformed chunk size')
    this.#left = Number.parseInt(matched[1] ?? '', 16)
    if (this.#body.length + this.#left > maxBodyBytes) throw tooLarge()
    this.#part = this.#left === 0 ? 'trailers' : 'chunk-data'
    return true
  }

  #readChunkEnd(): void {
    const bytes = this.#raw.bytes
    if (bytes.length - this.#at < 2) return
    if (bytes[this.#at] !== 0x0d || bytes[this.#at + 1] !== 0x0a) throw badResponse('chunk longer than its size')
    this.#at += 2
    this.#part = 'chunk-size'
  }

  #readTrailer(): boolean {
    const line = this.#line()
    if (line === '') this.#part = 'done'
    return line !== null
  }

  #line(): string | null {
    const bytes = this.#raw.bytes
    const end = bytes.indexOf(endOfLine, this.#at)
    if ((end < 0 ? bytes.length : end) - this.#at > maxChunkLine) throw badResponse('chunk line too long')
    if (end < 0) return null
    const line = bytes.toString('latin1', this.#at, end)
    this.#at = end + endOfLine.length
    return line
  }
}

function tooLarge(): Error {
  return badResponse(`endless or oversized body: cut at ${maxBodyBytes / 1_024} KiB`)
}
