import { MedykError, printable } from '@medyk/health/internal'

const token = /^[!#$%&'*+\-.^_`|~\dA-Za-z]+$/
// eslint-disable-next-line no-control-regex -- a header value may hold no control character but the tab
const value = /^[^\u0000-\u0008\u000a-\u001f\u007f]*$/
const statusLine = /^HTTP\/1\.([01]) ([1-5]\d\d)(?: |$)/
const maxHeaders = 256

/** How the body's end is found. */
export type Framing = { readonly kind: 'length'; readonly length: number } | { readonly kind: 'chunked' | 'close' }

export interface Head {
  readonly status: number
  /** By lower-case name; repeated ones in order. */
  readonly headers: ReadonlyMap<string, readonly string[]>
  readonly framing: Framing
}

export function badResponse(reason: string): MedykError {
  return new MedykError('ERR_BAD_RESPONSE', reason)
}

/**
 * A response's head, without its final empty line. Strict: whatever two parsers could read differently (RFC 9112,
 * sections 5 and 6.3) is refused, because an answer that has to be guessed at is not a healthy one.
 */
export function parseHead(text: string): Head {
  const [first = '', ...lines] = text.split('\r\n')
  const matched = statusLine.exec(first)
  if (!matched) throw badResponse(`not an HTTP/1.1 answer: "${printable(first, 60)}"`)
  if (lines.length > maxHeaders) throw badResponse(`more than ${maxHeaders} headers`)
  const headers = new Map<string, string[]>()
  for (const line of lines) {
    const colon = line.indexOf(':')
    const name = line.slice(0, Math.max(colon, 0))
    const content = line.slice(colon + 1).replace(/^[ \t]+|[ \t]+$/g, '')
    if (!token.test(name) || !value.test(content)) throw badResponse(`malformed header "${printable(line, 60)}"`)
    const key = name.toLowerCase()
    const known = headers.get(key)
    if (known) known.push(content)
    else headers.set(key, [content])
  }
  const status = Number(matched[2])
  return { status, headers, framing: framingOf(status, headers, matched[1] === '1') }
}

function framingOf(status: number, headers: Head['headers'], isHttp11: boolean): Framing {
  const encodings = headers.get('transfer-encoding')
  const lengths = headers.get('content-length')
  if (encodings && lengths) throw badResponse('both Content-Length and Transfer-Encoding')
  if (lengths && lengths.length > 1) throw badResponse('more than one Content-Length')
  if (status < 200 || status === 204 || status === 304) return { kind: 'length', length: 0 }
  if (encodings) {
    if (!isHttp11 || encodings.join(',').toLowerCase() !== 'chunked') {
      throw badResponse(`Transfer-Encoding "${printable(encodings.join(', '), 60)}" is not chunked alone`)
    }
    return { kind: 'chunked' }
  }
  if (!lengths) return { kind: 'close' }
  const digits = lengths[0] ?? ''
  if (!/^\d{1,15}$/.test(digits)) throw badResponse(`Content-Length "${printable(digits, 30)}" is not a number`)
  return { kind: 'length', length: Number(digits) }
}
