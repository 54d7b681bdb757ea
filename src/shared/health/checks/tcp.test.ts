import { createServer, type AddressInfo } from 'node:net'
import { describe, expect, it } from 'vitest'
import { tcp } from './tcp.ts'

describe('tcp', () => {
  it('is healthy where somebody accepts, says nothing and hangs up', async () => {
    const bytes: Buffer[] = []
    const hungUp = Promise.withResolvers<void>()
    const server = createServer((socket) => {
      socket.on('data', (chunk: Buffer) => bytes.push(chunk))
      socket.on('close', () => hungUp.resolve())
      socket.on('error', () => {})
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as AddressInfo
    expect(await tcp({ host: '127.0.0.1', port })(AbortSignal.timeout(20_000))).toBeUndefined()
    await hungUp.promise
    expect(bytes).toEqual([])
    await new Promise((resolve) => server.close(resolve))
    await expect(tcp({ host: '127.0.0.1', port })(AbortSignal.timeout(20_000))).rejects.toThrow('ECONNREFUSED')
  })

  it.each([-1, 0, 1.5, 65_536, NaN])('refuses port %d', (port) => {
    expect(() => tcp({ host: '127.0.0.1', port })).toThrow(expect.objectContaining({ code: 'ERR_OPTIONS' }))
  })

  it('refuses an empty host, which would mean this machine', () => {
    expect(() => tcp({ host: '', port: 1 })).toThrow('host')
  })
})
