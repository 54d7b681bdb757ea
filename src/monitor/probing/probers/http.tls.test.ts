import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import { createServer as createTlsServer } from 'node:tls'
import { afterEach, describe, expect, test } from 'vitest'
import type { AttemptOutcome } from '../../model/index.ts'
import { selfSigned, type TestCertificate } from './certificate.testing.ts'
import { httpBench, signal } from './http-bench.testing.ts'
import { response } from './server.testing.ts'

const bench = httpBench()

describe('row 8: TLS', () => {
  const day = 86_400_000
  const at = (days: number) => new Date(Date.now() + days * day)
  let stop = () => {}

  afterEach(() => stop())

  async function ask(certificate: TestCertificate, options: object): Promise<AttemptOutcome> {
    const tls = createTlsServer(certificate, (socket) => {
      socket.on('error', () => {})
      socket.once('data', () => socket.end(response('fine')))
    })
    stop = () => void tls.close()
    tls.on('tlsClientError', () => {})
    tls.listen(0, '127.0.0.1')
    await once(tls, 'listening')
    const url = `https://127.0.0.1:${(tls.address() as AddressInfo).port}/health`
    return await bench.prober.probe({ url, ...options }, { timeoutMs: 5_000, signal })
  }

  const valid = selfSigned('svc.test', at(-1), at(1))
  const expired = selfSigned('svc.test', at(-3), at(-2))

  test('a certificate that is trusted and names the host is ok', async () => {
    expect((await ask(valid, { tls: { ca: valid.cert, serverName: 'svc.test' } })).class).toBe('ok')
  })

  test.each([
    ['nobody vouches for', valid, { tls: { serverName: 'svc.test' } }],
    ['names another host', valid, { tls: { ca: valid.cert, serverName: 'other.test' } }],
    ['names no address', valid, { tls: { ca: valid.cert } }],
    ['has expired', expired, { tls: { ca: expired.cert, serverName: 'svc.test' } }],
  ])('a certificate that %s is refused, as a fault of the question', async (_, certificate, options) => {
    const outcome = await ask(certificate, options)
    expect(outcome).toMatchObject({ class: 'misconfigured' })
    expect((outcome as { reason: string }).reason).toMatch(/^TLS certificate refused: /)
  })

  test('a port that speaks no TLS is an explicit failure', async () => {
    const plain = createServer((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'))
    plain.listen(0, '127.0.0.1')
    await once(plain, 'listening')
    const url = `https://127.0.0.1:${(plain.address() as AddressInfo).port}/`
    expect((await bench.prober.probe({ url }, { timeoutMs: 5_000, signal })).class).toBe('explicit')
    plain.close()
  })
})
