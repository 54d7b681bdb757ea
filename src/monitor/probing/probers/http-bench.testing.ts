import { afterEach, beforeAll } from 'vitest'
import type { Socket } from 'node:net'
import type { AttemptOutcome, Prober } from '../../model/index.ts'
import { create } from './http.ts'
import { rawServer, response, type RawServer } from './server.testing.ts'

export const signal = new AbortController().signal
export const say = (text: string) => (socket: Socket) => void socket.write(Buffer.from(text, 'latin1'))
export const json = (value: unknown) => response(typeof value === 'string' ? value : JSON.stringify(value))

/** The http prober against one raw server at a time; the server ends with its test, or with the next one. */
export class HttpBench {
  prober!: Prober
  server: RawServer | null = null

  async probe(
    onRequest: (socket: Socket, request: string) => void,
    options: object = {},
    timeoutMs = 1_300,
  ): Promise<AttemptOutcome> {
    await this.close()
    this.server = await rawServer(onRequest)
    const url = `http://127.0.0.1:${this.server.port}/health?probe=1`
    return await this.prober.probe({ url, ...options }, { timeoutMs, signal })
  }

  async close(): Promise<void> {
    await this.server?.[Symbol.asyncDispose]()
    this.server = null
  }
}

export function httpBench(): HttpBench {
  const bench = new HttpBench()
  beforeAll(async () => {
    bench.prober = await create({ userAgent: 'medyk/test' })
  })
  afterEach(() => bench.close())
  return bench
}
