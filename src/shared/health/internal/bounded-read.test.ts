import { describe, expect, it } from 'vitest'
import { boundedRead } from './bounded-read.ts'

/** Endless unless ended; tells whether its reader let go of it. */
function source(chunks: number) {
  const state = { given: 0, released: false }
  async function* chunksOf() {
    try {
      for (; state.given < chunks; state.given += 1) yield new Uint8Array(10).fill(state.given)
    } finally {
      state.released = true
    }
  }
  return { state, stream: chunksOf() }
}

describe('boundedRead', () => {
  it('gives all bytes in order, up to exactly the limit', async () => {
    const bytes = await boundedRead(source(3).stream, 30)
    expect([...bytes]).toEqual([0, 1, 2].flatMap((n) => Array.from({ length: 10 }, () => n)))
  })

  it('gives nothing for nothing', async () => {
    expect(await boundedRead(source(0).stream, 0)).toHaveLength(0)
  })

  it('rejects one byte past the limit', async () => {
    await expect(boundedRead(source(3).stream, 29)).rejects.toMatchObject({ code: 'ERR_TOO_LARGE' })
  })

  it('reads no further than it must from an endless source, and lets go of it', async () => {
    const { state, stream } = source(Infinity)
    await expect(boundedRead(stream, 100)).rejects.toThrow('more than 100 bytes')
    expect(state).toEqual({ given: 10, released: true })
  })

  it("rejects with the source's own error", async () => {
    async function* broken() {
      yield new Uint8Array(1)
      throw new Error('connection reset')
    }
    await expect(boundedRead(broken(), 100)).rejects.toThrow('connection reset')
  })
})
