import type { Socket } from 'node:net'
import { gzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { httpBench, json, say } from './http-bench.testing.ts'
import { rawServer, response } from './server.testing.ts'

const bench = httpBench()

describe('bad-input matrix', () => {
  test('row 1: an endless body is cut at 64 KiB', async () => {
    const flood = (head: string) => (socket: Socket) => {
      socket.write(head)
      const more = () => {
        while (socket.writable && socket.write(Buffer.alloc(16_384, 'x'))) {
          // Until the pipe is full.
        }
      }
      socket.on('drain', more)
      more()
    }
    expect(await bench.probe(flood('HTTP/1.1 200 OK\r\n\r\n'))).toMatchObject({
      class: 'explicit',
      reason: 'endless or oversized body: cut at 64 KiB',
    })
    expect(await bench.probe(say('HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n'))).toMatchObject({
      class: 'explicit',
      reason: 'endless or oversized body: cut at 64 KiB',
    })
  })

  test.each([
    ['headers', 'HTTP/1.1 200 OK\r\nX-Slow: yes'],
    ['body', 'HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n'],
  ])('row 2: %s of one byte at a time end with the total deadline', async (_, head) => {
    const startedAt = performance.now()
    const outcome = await bench.probe(
      (socket) => {
        socket.write(head)
        const timer = setInterval(() => socket.write('x'), 100)
        socket.on('close', () => clearInterval(timer))
      },
      {},
      700,
    )
    expect(outcome).toMatchObject({ class: 'silence', reason: 'no complete answer within 700ms' })
    expect(performance.now() - startedAt).toBeLessThan(2_500)
  })

  test('row 3: a megabyte of headers is refused at 64 KiB', async () => {
    const text = `HTTP/1.1 200 OK\r\n${'X-Big: yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy\r\n'.repeat(30_000)}`
    expect(await bench.probe(say(text))).toMatchObject({ class: 'explicit', reason: 'headers larger than 64 KiB' })
  })

  test('row 4: a gzip bomb is not unpacked', async () => {
    const bomb = gzipSync(Buffer.alloc(10_000_000))
    const head = `HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: ${bomb.length}\r\n\r\n`
    const outcome = await bench.probe((socket) => void socket.write(Buffer.concat([Buffer.from(head), bomb])))
    expect(outcome).toMatchObject({ class: 'explicit', reason: 'compressed (gzip), though asked not to' })
  })

  test('row 5: a redirect to a metadata address is not followed', async () => {
    const target = await rawServer(say(response('secret')))
    const text = response('', [`Location: http://127.0.0.1:${target.port}/latest/meta-data`], '302 Found')
    expect(await bench.probe(say(text))).toMatchObject({
      class: 'misconfigured',
      reason: `302: redirect to http://127.0.0.1:${target.port}/latest/meta-data not followed`,
    })
    expect(target.connections()).toBe(0)
    await target[Symbol.asyncDispose]()
  })

  test('row 6: a redirect loop is one answer', async () => {
    expect((await bench.probe(say(response('', ['Location: /health'], '301 Moved')))).class).toBe('misconfigured')
    expect(bench.server?.connections()).toBe(1)
  })

  test.each([
    ['two lengths that differ', 'Content-Length: 4\r\nContent-Length: 5\r\n'],
    ['two lengths that agree', 'Content-Length: 4\r\nContent-Length: 4\r\n'],
    ['a list of lengths', 'Content-Length: 4, 4\r\n'],
    ['a negative length', 'Content-Length: -4\r\n'],
    ['a length and chunks', 'Content-Length: 4\r\nTransfer-Encoding: chunked\r\n'],
    ['chunks of gzip', 'Transfer-Encoding: gzip, chunked\r\n'],
    ['a space before the colon', 'Content-Length : 4\r\n'],
    ['a folded header', 'X-Fold: a\r\n b\r\nContent-Length: 4\r\n'],
    ['a bare line feed', 'X-A: b\nContent-Length: 4\r\n'],
    ['a NUL', 'X-A: \0\r\nContent-Length: 4\r\n'],
  ])('row 7: %s is refused and the socket closed', async (_, headers) => {
    const outcome = await bench.probe(say(`HTTP/1.1 200 OK\r\n${headers}\r\nfine`))
    expect(outcome).toMatchObject({ class: 'explicit', answered: true })
    await expect.poll(() => bench.server?.open()).toBe(0)
  })

  test('row 10: a "healthy" body with 500 is a failure', async () => {
    const text = response(JSON.stringify({ status: 'healthy' }), [], '500 Internal Server Error')
    expect(await bench.probe(say(text))).toMatchObject({ class: 'explicit', reason: '500: reports itself as healthy' })
  })

  test('row 11: deep JSON and __proto__ do no harm', async () => {
    const deep = `{"status":"healthy","checks":${'['.repeat(30_000)}${']'.repeat(30_000)}}`
    expect(await bench.probe(say(json(deep)))).toMatchObject({ class: 'ok', report: null })
    const proto = '{"__proto__":{"status":"unhealthy","polluted":1},"constructor":{"prototype":{"polluted":1}}}'
    expect(await bench.probe(say(json(proto)))).toMatchObject({ class: 'ok', report: null })
    const names = '{"status":"degraded","checks":{"__proto__":"unhealthy","toString":"constructor"}}'
    expect(await bench.probe(say(json(names)))).toMatchObject({ class: 'ok', report: { failing: ['__proto__'] } })
    expect(({} as { polluted?: number }).polluted).toBeUndefined()
  })

  test('row 12: escape codes and line feeds are made visible, and names are bounded', async () => {
    const checks = Object.fromEntries(
      Array.from({ length: 50 }, (_, i) => [`\u001b[31m${i}\n${'x'.repeat(200)}`, 'unhealthy']),
    )
    const outcome = await bench.probe(say(json({ status: 'degraded', checks })))
    const failing = outcome.class === 'ok' ? (outcome.report?.failing ?? []) : []
    expect(failing).toHaveLength(20)
    for (const name of failing) {
      expect(name).toMatch(/^[\u0020-\u007e…]{1,80}$/)
      expect(name).toContain('\\u001b[31m')
    }
    const shown = await bench.probe(say('\u001b[2J\r\n\r\n'))
    expect(JSON.stringify(shown)).not.toContain('\\u001b[2J"')
    expect(shown.class).toBe('explicit')
  })

  test('row 13: a secret in a redirect or a check name is redacted', async () => {
    const text = response('', ['Location: https://user:hunter2@host/?token=abcdef123'], '302 Found')
    expect(JSON.stringify(await bench.probe(say(text)))).not.toMatch(/hunter2|abcdef123/)
    const checks = { 'postgres://admin:hunter2@db/x': 'unhealthy' }
    expect(JSON.stringify(await bench.probe(say(json({ status: 'degraded', checks }))))).not.toContain('hunter2')
  })
})
