import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import { describe, expect, it } from 'vitest'
import { findPortHolder, listeningInodes } from './port-holder.ts'

const TABLE = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:1E14 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 555 1 0000 100 0 0 10 0
   1: 0100007F:1E14 0100007F:9999 01 00000000:00000000 00:00000000 00000000  1000        0 556 1 0000 100 0 0 10 0
   2: 00000000:1E15 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 557 1 0000 100 0 0 10 0
`

describe('who holds a port', () => {
  it('takes the listening socket of that port alone', () => {
    expect(listeningInodes(TABLE, 7_700)).toEqual(['555'])
    expect(listeningInodes(TABLE, 7_701)).toEqual(['557'])
    expect(listeningInodes(TABLE, 80)).toEqual([])
    expect(listeningInodes('garbage\n\n x', 80)).toEqual([])
  })

  it.runIf(process.platform === 'linux')('names this process for a port it listens on', async () => {
    const server = createServer().listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    const holder = await findPortHolder(port)
    server.close()
    await once(server, 'close')
    expect(holder?.pid).toBe(process.pid)
    expect(holder?.command).toMatch(/node/)
    expect(await findPortHolder(port)).toBeNull()
  })
})
