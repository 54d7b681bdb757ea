import { getEventListeners } from 'node:events'
import { connect } from 'node:net'
import { Worker } from 'node:worker_threads'
import { afterEach, describe, expect, it } from 'vitest'
import { FakeClock } from '../testing/fake-clock.ts'
import { boundedRead } from './bounded-read.ts'
import { withDeadline } from './deadline.ts'

const never = () => new Promise<never>(() => {})

describe('withDeadline', () => {
  it('gives what the work gives, and leaves no timer', async () => {
    const clock = new FakeClock()
    await expect(withDeadline(100, () => 'done', { clock })).resolves.toBe('done')
    expect(clock.pending).toBe(0)
  })

  it('rejects with what the work throws, synchronously or not', async () => {
    const clock = new FakeClock()
    const error = new Error('no')
    const throwing = () => {
      throw error
    }
    await expect(withDeadline(100, throwing, { clock })).rejects.toBe(error)
    await expect(withDeadline(100, () => Promise.reject(error), { clock })).rejects.toBe(error)
  })

  it('rejects at the deadline with ERR_DEADLINE, even if the work ignores its aborted signal', async () => {
    const clock = new FakeClock()
    let seen: AbortSignal | undefined
    const work = (signal: AbortSignal) => {
      seen = signal
      return never()
    }
    const result = caught(withDeadline(100, work, { clock, what: 'the query' }))
    await clock.advance(99)
    expect(seen?.aborted).toBe(false)
    await clock.advance(1)
    expect(await result).toMatchObject({ code: 'ERR_DEADLINE', message: 'the query took longer than 100 ms' })
    expect(seen?.aborted).toBe(true)
  })

  it("rejects with the parent's own reason when the parent aborts, at once, and leaves no timer or listener", async () => {
    const clock = new FakeClock()
    const parent = new AbortController()
    const result = caught(withDeadline(100, never, { clock, parent: parent.signal }))
    await clock.advance(0)
    const reason = new Error('going home')
    parent.abort(reason)
    expect(await result).toBe(reason)
    expect(clock.pending).toBe(0)
    expect(getEventListeners(parent.signal, 'abort')).toHaveLength(0)
  })

  it('leaves no listener on its parent when the work never ends', async () => {
    const clock = new FakeClock()
    const { signal } = new AbortController()
    const result = caught(withDeadline(100, never, { clock, parent: signal }))
    await clock.advance(100)
    await result
    expect(getEventListeners(signal, 'abort')).toHaveLength(0)
  })

  it('does not begin when the parent has aborted already', async () => {
    let begun = false
    const work = () => {
      begun = true
    }
    await expect(withDeadline(100, work, { parent: AbortSignal.abort(new Error('before')) })).rejects.toThrow('before')
    expect(begun).toBe(false)
  })

  it('swallows what comes after the deadline', async () => {
    const clock = new FakeClock()
    const work = Promise.withResolvers<never>()
    const result = caught(withDeadline(100, () => work.promise, { clock }))
    await clock.advance(100)
    work.reject(new Error('too late, and nobody listens'))
    expect(await result).toMatchObject({ code: 'ERR_DEADLINE' })
    await clock.advance(1)
  })

  it('reads the answers that arrived while the event loop stood still before it calls them late', async () => {
    const port = await serveFromAnotherThread(250)
    const answer = await withDeadline(400, async (signal) => {
      const answered = readAll(port, signal)
      // The answer is on its way; from here on nothing runs here until long after the deadline.
      setTimeout(() => block(800), 100)
      return await answered
    })
    expect(answer).toBe('answer')
  })
})

const threads: Worker[] = []
afterEach(async () => {
  for (const thread of threads.splice(0)) await thread.terminate()
})

/** A server that answers after `ms`, whatever this thread is doing. Gives its port. */
async function serveFromAnotherThread(ms: number): Promise<number> {
  const code = `
    const { parentPort, workerData } = require('node:worker_threads')
    const server = require('node:net').createServer((socket) => setTimeout(() => socket.end('answer'), workerData))
    server.listen(0, '127.0.0.1', () => parentPort.postMessage(server.address().port))`
  const thread = new Worker(code, { eval: true, workerData: ms })
  threads.push(thread)
  return await new Promise((resolve) => thread.once('message', resolve))
}

async function readAll(port: number, signal: AbortSignal): Promise<string> {
  const socket = connect({ port, host: '127.0.0.1', signal })
  return Buffer.from(await boundedRead(socket, 1_000)).toString()
}

function block(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms)
}

async function caught(work: Promise<unknown>): Promise<unknown> {
  return await work.then(
    (value) => ({ resolvedWith: value }),
    (error: unknown) => error,
  )
}
