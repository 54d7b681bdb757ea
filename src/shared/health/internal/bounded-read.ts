import { MedykError } from './error.ts'

/** All bytes of `source`, at most `max`; rejects with `ERR_TOO_LARGE` (and so ends the iteration) past that. */
export async function boundedRead(source: AsyncIterable<Uint8Array>, max: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of source) {
    size += chunk.byteLength
    if (size > max) throw new MedykError('ERR_TOO_LARGE', `more than ${max} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks, size)
}
