import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createFrameReader, type Frame } from './sse.ts'

function read(...pieces: string[]): Frame[] {
  const frames: Frame[] = []
  const feed = createFrameReader((frame) => frames.push(frame))
  for (const piece of pieces) feed(piece)
  return frames
}

describe('the reader of text/event-stream', () => {
  it('takes id, event and data, and passes over comments and retry', () => {
    expect(read('retry: 2000\n\n: beat\n\nid: e-1\nevent: service\ndata: {"a":1}\n\n')).toEqual([
      { id: 'e-1', event: 'service', data: '{"a":1}' },
    ])
  })

  it('joins data lines, keeps colons and takes one leading space away', () => {
    expect(read('data: a: b\ndata:c\ndata:  d\n\n')).toEqual([{ id: null, event: 'message', data: 'a: b\nc\n d' }])
  })

  it('waits for the end of a frame', () => {
    expect(read('data: half')).toEqual([])
  })

  it('refuses to collect without end', () => {
    expect(() => read('x'.repeat(5 * 1024 * 1024))).toThrow('larger')
  })

  it('reads the same however the bytes were cut', () => {
    const text = 'id: 1\nevent: a\ndata: one\n\n: beat\n\nid: 2\nevent: b\ndata: two\n\n'
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: text.length })), (cuts) => {
        const at = [0, ...cuts.sort((a, b) => a - b), text.length]
        const pieces = at.slice(1).map((end, index) => text.slice(at[index], end))
        expect(read(...pieces)).toEqual(read(text))
      }),
    )
  })

  it('reads CRLF, even when it is cut in the middle', () => {
    expect(read('data: a\r', '\n\r', '\ndata: b\r\n\r\n').map((frame) => frame.data)).toEqual(['a', 'b'])
  })
})
