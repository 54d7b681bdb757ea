import { Readable } from 'node:stream'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { LogTail, readableTail } from './log-tail.ts'

function frame(text: string, stream = 1): Buffer {
  const body = Buffer.from(text)
  const header = Buffer.alloc(8)
  header[0] = stream
  header.writeUInt32BE(body.length, 4)
  return Buffer.concat([header, body])
}

const chunked = (bytes: Buffer, size: number) =>
  Readable.from(
    Array.from({ length: Math.ceil(bytes.length / size) }, (_, n) => bytes.subarray(n * size, (n + 1) * size)),
  )

describe('the end of the output', () => {
  it('is both streams in the order of Docker, whatever the chunks', async () => {
    const lines = ['out 1\n', 'err 1\n', '', 'ünïcode\n']
    const bytes = Buffer.concat(lines.map((line, n) => frame(line, 1 + (n % 2))))
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 1, max: 60 }), async (size, keep) => {
        const all = Buffer.from(lines.join(''))
        const read = await new LogTail(keep).read(chunked(bytes, size))
        expect(read).toEqual(all.subarray(Math.max(0, all.length - keep)))
      }),
    )
  })

  it('is what a terminal got as it is', async () => {
    expect((await new LogTail(100).read(chunked(Buffer.from('hello\r\nworld'), 3))).toString()).toBe('hello\r\nworld')
  })

  it('ends although the container never ceases to write', async () => {
    let given = 0
    async function* endless() {
      for (;;) {
        given += 65_544
        yield frame('x'.repeat(65_536))
        await Promise.resolve()
      }
    }
    expect(await new LogTail(1_000).read(Readable.from(endless()))).toHaveLength(1_000)
    expect(given).toBeLessThan(16 * 1_048_576)
  })

  it('shows no secret, not even half of one where it was cut, and no control character', () => {
    const line = 'password=hunter2hunter2 \u001b[31mred\u001b[0m \u0007\r\n'
    const shown = readableTail(Buffer.from(line.repeat(1_000)).subarray(-(500 + 4_096)), 500)
    expect(Buffer.byteLength(shown)).toBeLessThanOrEqual(500)
    expect(shown).not.toMatch(/hunter|ter2/)
    expect(shown).toContain('red')
    // eslint-disable-next-line no-control-regex -- what must not be there
    expect(shown).not.toMatch(/[\u0000-\u0008\u000b-\u001f]/)
  })
})
