import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { callJson } from './http-client.ts'

const servers: Server[] = []
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.close()
    server.closeAllConnections()
  }
})

async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener)
  servers.push(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/x?secret=1`
}

const signal = new AbortController().signal
const failing = (message: RegExp) =>
  expect.objectContaining({ code: 'ERR_CALL', message: expect.stringMatching(message) })

describe('callJson', { timeout: 20_000 }, () => {
  it('sends and receives JSON', async () => {
    const url = await serve((request, response) => {
      request.pipe(response)
    })
    expect(await callJson('POST', url, { signal, timeoutMs: 5_000 }, { a: [1] })).toEqual({ a: [1] })
  })

  it.each<[string, RequestListener, RegExp]>([
    ['answers 500', (_, response) => response.writeHead(500).end('oh'), /answered 500 oh/],
    ['answers no JSON', (_, response) => response.end('<html>'), /not JSON/],
    ['never answers', () => {}, /no answer in 200 ms/],
    ['never ends its answer', (_, response) => void response.write('['), /no answer in 200 ms/],
    ['hangs up', (_, response) => void response.socket?.destroy(), /socket hang up/],
    ['hangs up in its answer', (_, response) => breakOff(response), /aborted/],
    ['answers without end', (_, response) => flood(response), /more than 1048576 bytes/],
  ])('rejects when the server %s, and hides the query', async (_, listener, message) => {
    const url = await serve(listener)
    const timeoutMs = message.source.includes('200 ms') ? 200 : 10_000
    const call = callJson('GET', url, { signal, timeoutMs })
    await expect(call).rejects.toEqual(failing(message))
    await expect(call).rejects.not.toThrow(/secret/)
  })

  it('rejects where nobody listens', async () => {
    const url = await serve(() => {})
    await new Promise((resolve) => servers.pop()?.close(resolve))
    await expect(callJson('GET', url, { signal, timeoutMs: 5_000 })).rejects.toEqual(failing(/ECONNREFUSED/))
  })

  it('ends at once with its signal, under way or not', async () => {
    const url = await serve(() => {})
    const controller = new AbortController()
    const reason = new Error('stopping')
    setTimeout(() => controller.abort(reason), 50)
    await expect(callJson('GET', url, { signal: controller.signal, timeoutMs: 60_000 })).rejects.toBe(reason)
    await expect(callJson('GET', url, { signal: controller.signal, timeoutMs: 60_000 })).rejects.toBe(reason)
  })
})

function breakOff(response: Parameters<RequestListener>[1]) {
  response.writeHead(200, { 'content-length': 9 })
  response.write('1')
  setTimeout(() => response.destroy(), 20)
}

function flood(response: Parameters<RequestListener>[1]) {
  const write = () => {
    while (!response.destroyed && response.write('x'.repeat(60_000)));
  }
  response.on('drain', write)
  write()
}
