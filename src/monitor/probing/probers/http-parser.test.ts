import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { HttpResponseParser, maxBodyBytes, type HttpResponse } from './http-parser.ts'

/** Feeds `bytes` cut at the given places; what came out, or the error's message. */
function parse(bytes: Buffer, cuts: readonly number[] = []): HttpResponse | string {
  const parser = new HttpResponseParser()
  const places = [...new Set(cuts.map((cut) => cut % (bytes.length + 1)))].sort((a, b) => a - b)
  try {
    let from = 0
    for (const to of [...places, bytes.length]) {
      const found = parser.push(bytes.subarray(from, to))
      if (found) return found
      from = to
    }
    return parser.end()
  } catch (thrown) {
    return (thrown as Error).message
  }
}

const text = (value: HttpResponse | string) => (typeof value === 'string' ? value : value.body.toString('latin1'))

describe('a response', () => {
  const body = fc.uint8Array({ maxLength: 3_000 }).map((bytes) => Buffer.from(bytes))
  const cuts = fc.array(fc.nat(), { maxLength: 20 })

  function chunked(bytes: Buffer, sizes: readonly number[]): Buffer {
    const parts: Buffer[] = []
    let at = 0
    for (const size of sizes) {
      const part = bytes.subarray(at, at + size)
      if (part.length === 0) break
      parts.push(Buffer.from(`${part.length.toString(16)}\r\n`), part, Buffer.from('\r\n'))
      at += part.length
    }
    const rest = bytes.subarray(at)
    if (rest.length > 0) parts.push(Buffer.from(`${rest.length.toString(16)};ext=1\r\n`), rest, Buffer.from('\r\n'))
    return Buffer.concat([...parts, Buffer.from('0\r\n\r\n')])
  }

  test('is read whole however the network cuts it, in each framing', () => {
    const framing = fc.constantFrom('length', 'chunked', 'close')
    fc.assert(
      fc.property(body, framing, cuts, fc.array(fc.integer({ min: 1, max: 500 })), (bytes, kind, places, sizes) => {
        const header =
          kind === 'length'
            ? `Content-Length: ${bytes.length}\r\n`
            : kind === 'chunked'
              ? 'Transfer-Encoding: chunked\r\n'
              : ''
        const payload = kind === 'chunked' ? chunked(bytes, sizes) : bytes
        const whole = Buffer.concat([Buffer.from(`HTTP/1.1 200 OK\r\n${header}X-A: b\r\n\r\n`), payload])
        const found = parse(whole, places)
        expect(typeof found === 'string' ? found : found.body).toEqual(bytes)
        expect((found as HttpResponse).headers.get('x-a')).toEqual(['b'])
      }),
    )
  })

  test('cut short anywhere is an error, never a shorter answer', () => {
    fc.assert(
      fc.property(body, fc.boolean(), fc.nat(), (bytes, isChunked, at) => {
        const header = isChunked ? 'Transfer-Encoding: chunked' : `Content-Length: ${bytes.length}`
        const payload = isChunked ? chunked(bytes, []) : bytes
        const whole = Buffer.concat([Buffer.from(`HTTP/1.1 200 OK\r\n${header}\r\n\r\n`), payload])
        expect(typeof parse(whole.subarray(0, at % whole.length))).toBe('string')
      }),
    )
  })

  test('of any bytes at all gives an answer or a reason, and never anything else', () => {
    const start = fc.constantFrom('', 'HTTP/1.1 200 OK\r\n', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n')
    fc.assert(
      fc.property(start, fc.uint8Array({ maxLength: 500 }), cuts, (head, bytes, places) => {
        const found = parse(Buffer.concat([Buffer.from(head), Buffer.from(bytes)]), places)
        if (typeof found === 'string') expect(found.length).toBeGreaterThan(0)
        else expect(found.status).toBe(200)
      }),
    )
  })

  test('that comes byte by byte up to every bound takes no quadratic time', () => {
    const parser = new HttpResponseParser()
    const one = Buffer.from('x')
    parser.push(Buffer.from('HTTP/1.1 200 OK\r\nX-Long: '))
    const startedAt = performance.now()
    expect(() => {
      for (let i = 0; i < 70_000; i++) parser.push(one)
    }).toThrow('headers larger than 64 KiB')
    expect(performance.now() - startedAt).toBeLessThan(2_000)
  })
})

describe('the bounds', () => {
  const head = 'HTTP/1.1 200 OK\r\n'
  const full = 'x'.repeat(maxBodyBytes)

  test.each([
    ['a body of just 64 KiB', `${head}Content-Length: ${maxBodyBytes}\r\n\r\n${full}`, full],
    ['a byte more by its length', `${head}Content-Length: ${maxBodyBytes + 1}\r\n\r\n`, 'cut at 64 KiB'],
    ['a byte more until close', `${head}\r\n${full}x`, 'cut at 64 KiB'],
    [
      'a byte more in chunks',
      `${head}Transfer-Encoding: chunked\r\n\r\n10000\r\n${full}\r\n1\r\nx\r\n0\r\n\r\n`,
      'cut at 64 KiB',
    ],
    [
      'a chunk size beyond all bounds',
      `${head}Transfer-Encoding: chunked\r\n\r\nffffffffff\r\n`,
      'malformed chunk size',
    ],
    [
      'an endless chunk extension',
      `${head}Transfer-Encoding: chunked\r\n\r\n1;${'x'.repeat(300)}`,
      'chunk line too long',
    ],
    [
      'endless trailers',
      `${head}Transfer-Encoding: chunked\r\n\r\n0\r\n${'a: b\r\n'.repeat(80_000)}`,
      'endless answer',
    ],
    ['too many headers', `${head}${'a: b\r\n'.repeat(300)}\r\n`, 'more than 256 headers'],
    ['another protocol version', 'HTTP/2.0 200 OK\r\n\r\n', 'not an HTTP/1.1 answer'],
    ['a status of two digits', 'HTTP/1.1 20 OK\r\n\r\n', 'not an HTTP/1.1 answer'],
    ['a status without a reason', 'HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n', ''],
    ['chunks in HTTP/1.0', 'HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n', 'is not chunked alone'],
  ])('%s', (_, response, expected) => {
    expect(text(parse(Buffer.from(response)))).toContain(expected)
  })
})
