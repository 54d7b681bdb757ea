import { connect, createServer, type AddressInfo } from 'node:net'
import { describe, expect, it } from 'vitest'
import type { Check } from '../check.ts'
import { contractCases, type CheckContract } from './index.ts'

const obedient: Check = (signal) =>
  new Promise((_, reject) => {
    if (signal.aborted) return reject(signal.reason as Error)
    signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true })
  })

const sound: CheckContract = {
  healthy: () => ({ check: () => Promise.resolve({ status: 'healthy', data: { ms: 1 } }) }),
  failing: (secret) => ({ check: () => Promise.reject(new Error(`x://u:${secret}@h`)) }),
  hanging: () => ({ check: obedient }),
}

/** Names of the cases that a contract breaks. */
async function broken(contract: Partial<CheckContract>): Promise<string[]> {
  const names: string[] = []
  for (const { name, run } of contractCases({ ...sound, ...contract })) {
    await run().catch(() => names.push(name))
  }
  return names
}

const of = (check: Check) => () => ({ check })

describe('contractCases', () => {
  it('lets pass what keeps the contract', async () => {
    expect(await broken({})).toEqual([])
    expect(await broken({ failing: null, hanging: null })).toEqual([])
  }, 60_000)

  it('leaves out what a check cannot show', () => {
    const names = (contract: CheckContract) => contractCases(contract).map(({ name }) => name)
    expect(names({ ...sound, failing: null, hanging: null })).toHaveLength(4)
    expect(new Set(names(sound)).size).toBe(9)
  })

  const sync: Check = () => {
    throw new Error('at once')
  }
  const withListener: Check = (signal) => {
    signal.addEventListener('abort', () => {})
  }
  it.each<[string, Partial<CheckContract>, string]>([
    ['a sound thing called degraded', { healthy: of(() => ({ status: 'degraded' })) }, 'calls something sound healthy'],
    [
      'a status that there is not',
      { healthy: of(() => ({ status: 'ok' as 'healthy' })) },
      'calls something sound healthy',
    ],
    [
      'data that is not plain',
      { healthy: of(() => ({ status: 'healthy', data: { a: NaN } })) },
      'calls something sound healthy',
    ],
    ['a synchronous throw', { failing: of(sync) }, 'calls something broken unhealthy'],
    ['a broken thing called healthy', { failing: of(() => {}) }, 'calls something broken unhealthy'],
    [
      'a broken thing without a word why',
      { failing: of(() => ({ status: 'unhealthy' })) },
      'calls something broken unhealthy',
    ],
    [
      'a secret where no redactor can see it',
      { failing: (secret) => ({ check: () => Promise.reject(new Error(`I know: ${secret}`)) }) },
      'says why in one line',
    ],
    ['a listener left behind', { healthy: of(withListener) }, 'leaves no listener'],
    ['a deaf ear for the signal', { hanging: of(() => new Promise(() => {})) }, 'ends promptly'],
    ['health out of silence', { hanging: of(lateHealth) }, 'ends promptly'],
    ['a subject that does not hang', { hanging: of(() => {}) }, 'ends promptly'],
  ])(
    'catches %s',
    async (_, contract, expected) => {
      expect(await broken(contract)).toContainEqual(expect.stringContaining(expected))
    },
    60_000,
  )

  it('catches sockets that are left open', async () => {
    const server = createServer()
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as AddressInfo
    const sockets: ReturnType<typeof connect>[] = []
    const leaky: Check = () =>
      new Promise((resolve) => {
        sockets.push(connect(port, '127.0.0.1', resolve))
      })
    expect(await broken({ healthy: of(leaky) })).toEqual(['leaves nothing open after many runs'])
    for (const socket of sockets) socket.destroy()
    await new Promise((resolve) => server.close(resolve))
  }, 60_000)
})

/** Aborted, it says healthy. */
async function lateHealth(signal: AbortSignal): Promise<void> {
  await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
}
