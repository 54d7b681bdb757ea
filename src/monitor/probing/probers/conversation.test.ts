import { connect } from 'node:net'
import { describe, expect, test } from 'vitest'
import { converse, type Conversation } from './conversation.ts'
import { rawServer } from './server.testing.ts'
import { classifyError } from './socket-error.ts'
import { create, schema } from './tcp.ts'
import { probers } from './index.ts'

const signal = new AbortController().signal

/** Says "ask", is content with any answer. */
const chat: Conversation = {
  connectEvent: 'connect',
  begin(socket) {
    socket.write('ask\r\n\r\n')
    return null
  },
  data: () => ({ class: 'ok', report: null }),
  end: () => ({ class: 'explicit', reason: 'closed', report: null }),
}

/** Lets the event loop stand still, after which timers come before sockets in its next turn. */
async function stallFor(ms: number): Promise<void> {
  await new Promise<void>((resolve) => {
    setImmediate(() => {
      const until = performance.now() + ms
      while (performance.now() < until) {
        // As under a busy neighbour.
      }
      resolve()
    })
  })
}

/** A server in a thread of its own, so that it answers while this loop stands still. */
async function elsewhere(afterMs: number): Promise<{ port: number; stop: () => Promise<number> }> {
  const { Worker } = await import('node:worker_threads')
  const source = `
    const { createServer } = require('node:net')
    const { parentPort } = require('node:worker_threads')
    const server = createServer((socket) => {
      socket.on('error', () => {})
      socket.on('data', () => setTimeout(() => socket.write('answer'), ${afterMs}))
    })
    server.listen(0, '127.0.0.1', () => parentPort.postMessage(server.address().port))`
  const worker = new Worker(source, { eval: true })
  const port = await new Promise<number>((resolve) => worker.once('message', resolve))
  return { port, stop: () => worker.terminate() }
}

describe('the deadline', () => {
  test('an answer that arrived while the loop stood still is preferred to the deadline that passed with it', async () => {
    const { port, stop } = await elsewhere(20)
    for (let i = 0; i < 5; i++) {
      const asked = converse(() => connect(port, '127.0.0.1'), chat, { timeoutMs: 200, signal })
      await new Promise((resolve) => setTimeout(resolve, 10))
      await stallFor(240)
      expect((await asked).class).toBe('ok')
    }
    await stop()
  })

  test('that comes late itself is void: it measured the prober', async () => {
    const server = await rawServer(() => {})
    const asked = converse(() => connect(server.port, '127.0.0.1'), chat, { timeoutMs: 100, signal })
    await new Promise((resolve) => setTimeout(resolve, 20))
    await stallFor(500)
    expect(await asked).toMatchObject({ class: 'void', reason: expect.stringMatching(/late itself$/) })
    await server[Symbol.asyncDispose]()
  })

  test('closes the socket', async () => {
    const server = await rawServer(() => {})
    const outcome = await converse(() => connect(server.port, '127.0.0.1'), chat, { timeoutMs: 100, signal })
    expect(outcome).toMatchObject({ class: 'silence', reason: 'no answer within 100ms' })
    await expect.poll(() => server.open()).toBe(0)
    await server[Symbol.asyncDispose]()
  })
})

describe('errors of sockets', () => {
  test.each([
    ['ECONNREFUSED', 'explicit'],
    ['ECONNRESET', 'explicit'],
    ['EPIPE', 'explicit'],
    ['ETIMEDOUT', 'silence'],
    ['EHOSTUNREACH', 'silence'],
    ['EMFILE', 'void'],
    ['ENFILE', 'void'],
    ['ENOBUFS', 'void'],
    ['ENOMEM', 'void'],
    ['EADDRNOTAVAIL', 'void'],
    ['ENETUNREACH', 'void'],
    ['EAI_AGAIN', 'void'],
    ['ENOTFOUND', 'misconfigured'],
    ['CERT_HAS_EXPIRED', 'misconfigured'],
    ['DEPTH_ZERO_SELF_SIGNED_CERT', 'misconfigured'],
    ['ERR_TLS_CERT_ALTNAME_INVALID', 'misconfigured'],
    ['ERR_SSL_WRONG_VERSION_NUMBER', 'explicit'],
  ])('%s is %s', (code, expected) => {
    expect(classifyError(Object.assign(new Error('it failed'), { code })).class).toBe(expected)
  })

  test('of several addresses the first decides; what is no error at all is explicit', () => {
    const one = (code: string) => Object.assign(new Error(code), { code })
    expect(classifyError(new AggregateError([one('EMFILE'), one('ECONNREFUSED')])).class).toBe('void')
    expect(classifyError(new AggregateError([])).class).toBe('explicit')
    expect(classifyError(null).class).toBe('explicit')
  })
})

describe('the tcp prober', () => {
  test('is content with a connection, and says when it is refused', async () => {
    const prober = await create()
    const server = await rawServer(() => {})
    const options = { port: server.port }
    expect(await prober.probe(options, { timeoutMs: 1_300, signal })).toMatchObject({ class: 'ok', report: null })
    await expect.poll(() => server.open()).toBe(0)
    await server[Symbol.asyncDispose]()
    expect(await prober.probe(options, { timeoutMs: 1_300, signal })).toMatchObject({
      class: 'explicit',
      reason: 'connection refused',
    })
    expect((await prober.probe({}, { timeoutMs: 1_300, signal })).class).toBe('void')
  })

  test.each([
    [{ port: 1 }, true],
    [{ host: 'db', port: 5_432 }, true],
    [{ port: 0 }, false],
    [{ port: '80' }, false],
    [{ host: '', port: 80 }, false],
    [{ port: 80, path: '/' }, false],
  ])('takes %j: %s', (options, isGood) => {
    expect(schema.safeParse(options).success).toBe(isGood)
  })
})

describe('every prober', () => {
  test.each(Object.keys(probers))('%s is called what its place in the map says, and never rejects', async (kind) => {
    const plugin = await probers[kind]?.()
    expect(plugin?.kind).toBe(kind)
    const prober = await plugin?.create({ userAgent: 'medyk/test' })
    const abort = new AbortController()
    abort.abort()
    for (const options of [null, undefined, 7, {}, { url: 'http://127.0.0.1:1/' }, { port: 1 }]) {
      const outcome = await prober?.probe(options, { timeoutMs: 50, signal: abort.signal })
      expect(outcome?.class).toBe('void')
    }
  })
})
