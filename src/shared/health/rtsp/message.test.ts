import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isMedykError } from '../internal/index.ts'
import { formatMessage, header, RTSP_LIMITS, RtspParser, type RtspRequest, type RtspResponse } from './message.ts'

type Seen = RtspRequest | RtspResponse | { readonly channel: number; readonly hex: string }

function collector() {
  const seen: Seen[] = []
  const parser = new RtspParser({
    message: (message) => seen.push(message),
    interleaved: (channel, packet) => seen.push({ channel, hex: Buffer.from(packet).toString('hex') }),
  })
  return { seen, parser }
}

function parse(...chunks: (string | Uint8Array)[]): Seen[] {
  const { seen, parser } = collector()
  for (const chunk of chunks) parser.push(typeof chunk === 'string' ? Buffer.from(chunk, 'latin1') : chunk)
  return seen
}

function codeOf(work: () => unknown): string {
  try {
    work()
  } catch (error) {
    if (isMedykError(error)) return error.code
    throw error
  }
  return 'nothing was thrown'
}

const frame = (channel: number, bytes: readonly number[]) =>
  Buffer.from([0x24, channel, bytes.length >> 8, bytes.length & 0xff, ...bytes])

describe('RtspParser', () => {
  it('reads a response with a body, repeated headers and a missing reason', () => {
    const [message] = parse(
      'RTSP/1.0 401\r\nCSeq: 2\r\nWWW-Authenticate: Basic realm="a"\r\nwww-authenticate:Digest x\r\nContent-Length: 3\r\n\r\nabc',
    )
    expect(message).toMatchObject({ type: 'response', status: 401, reason: '', body: 'abc' })
    expect((message as RtspResponse).headers.get('www-authenticate')).toEqual(['Basic realm="a"', 'Digest x'])
    expect(header(message as RtspResponse, 'cseq')).toBe('2')
    expect(header(message as RtspResponse, 'www-authenticate')).toBeNull()
  })

  it('reads interleaved frames before, between and after messages', () => {
    const seen = parse(
      Buffer.concat([
        frame(0, [1, 2, 3]),
        Buffer.from('RTSP/1.0 200 OK\r\nCSeq: 1\r\n\r\n'),
        frame(1, []),
        Buffer.from('\r\nOPTIONS * RTSP/1.0\r\nCSeq: 9\r\n\r\n'),
        frame(255, [0x24]),
      ]),
    )
    expect(seen).toMatchObject([
      { channel: 0, hex: '010203' },
      { type: 'response', status: 200 },
      { channel: 1, hex: '' },
      { type: 'request', method: 'OPTIONS', uri: '*' },
      { channel: 255, hex: '24' },
    ])
  })

  it('sees the same in any chunking', () => {
    const part = fc.oneof(
      fc.tuple(fc.nat(255), fc.array(fc.nat(255), { maxLength: 60 })).map(([channel, bytes]) => frame(channel, bytes)),
      fc
        .tuple(fc.integer({ min: 100, max: 599 }), fc.string({ maxLength: 30 }), fc.nat(1_000))
        .map(([status, body, cseq]) => Buffer.from(formatMessage(`RTSP/1.0 ${status} x`, { CSeq: cseq }, body))),
    )
    fc.assert(
      fc.property(fc.array(part, { maxLength: 8 }), fc.array(fc.integer({ min: 1, max: 40 })), (parts, sizes) => {
        const stream = Buffer.concat(parts)
        const chunks: Buffer[] = []
        for (let at = 0, i = 0; at < stream.length; i += 1) {
          const size = sizes.length > 0 ? (sizes[i % sizes.length] ?? 1) : 1
          chunks.push(stream.subarray(at, at + size))
          at += size
        }
        const seen = parse(...chunks)
        expect(seen).toEqual(parse(stream))
        expect(seen).toHaveLength(parts.length)
      }),
    )
  })

  it.each([
    ['HTTP instead of RTSP', 'HTTP/1.1 200 OK\r\n\r\n'],
    ['another version', 'RTSP/2.0 200 OK\r\n\r\n'],
    ['binary garbage', '\u0000\u0001\u0002\u0003'],
    ['a status that is none', 'RTSP/1.0 999 No\r\n\r\n'],
    ['a request without a version', 'OPTIONS *\r\n\r\n'],
    ['a header without a colon', 'RTSP/1.0 200 OK\r\nCSeq 1\r\n\r\n'],
    ['a folded header', 'RTSP/1.0 200 OK\r\nA: b\r\n c\r\n\r\n'],
    ['a control character in a header', 'RTSP/1.0 200 OK\r\nA: b\u0000c\r\n\r\n'],
    ['a negative Content-Length', 'RTSP/1.0 200 OK\r\nContent-Length: -1\r\n\r\n'],
    ['a Content-Length in hex', 'RTSP/1.0 200 OK\r\nContent-Length: 0x10\r\n\r\n'],
    ['two Content-Lengths', 'RTSP/1.0 200 OK\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n'],
    ['a body over the limit', `RTSP/1.0 200 OK\r\nContent-Length: ${RTSP_LIMITS.bodyBytes + 1}\r\n\r\n`],
    ['too many headers', `RTSP/1.0 200 OK\r\n${'A: b\r\n'.repeat(RTSP_LIMITS.headerLines + 1)}\r\n`],
    ['a header block over the limit', `RTSP/1.0 200 OK\r\nA: ${'x'.repeat(RTSP_LIMITS.headerBytes)}\r\n\r\n`],
  ])('refuses %s', (_, text) => {
    expect(codeOf(() => parse(text))).toBe('ERR_RTSP_PROTOCOL')
  })

  it('gives up on endless headers before it holds more than the limit', () => {
    const { parser } = collector()
    const line = Buffer.from(`X-Filler: ${'x'.repeat(500)}\r\n`)
    parser.push(Buffer.from('RTSP/1.0 200 OK\r\n'))
    let most = 0
    const code = codeOf(() => {
      for (let i = 0; i < 1_000; i += 1) {
        parser.push(line)
        most = Math.max(most, parser.pending)
      }
    })
    expect(code).toBe('ERR_RTSP_PROTOCOL')
    expect(most).toBeLessThanOrEqual(RTSP_LIMITS.headerBytes)
  })

  it('throws nothing but ERR_RTSP_PROTOCOL, whatever comes', () => {
    const nearly = fc.constantFrom(
      'RTSP/1.0 200 OK\r\n',
      'CSeq: 1\r\n',
      '\r\n',
      'Content-Length: 4\r\n',
      '$\u0000',
      'A',
    )
    const chunk = fc.oneof(fc.uint8Array({ maxLength: 80 }), nearly)
    fc.assert(
      fc.property(fc.array(chunk, { maxLength: 20 }), (chunks) => {
        const code = codeOf(() => parse(...chunks))
        expect(['ERR_RTSP_PROTOCOL', 'nothing was thrown']).toContain(code)
      }),
    )
  })
})

describe('formatMessage', () => {
  it('refuses what would smuggle a header', () => {
    const smuggled = () => formatMessage('OPTIONS rtsp://h/a\r\nX: y RTSP/1.0', { CSeq: 1 })
    expect(codeOf(smuggled)).toBe('ERR_RTSP_PROTOCOL')
    expect(codeOf(() => formatMessage('OPTIONS * RTSP/1.0', { Session: 'a\nb' }))).toBe('ERR_RTSP_PROTOCOL')
  })
})
