import { describe, expect, it } from 'vitest'
import { Network } from './network.ts'
import { seeded } from './random.ts'

const delay = { medianMs: 0.2 }

/** Share of fresh connections whose request is not answered within `timeoutMs`. */
function failures(loss: number, timeoutMs: number, runs = 40_000): number {
  const network = new Network({ delay, loss }, seeded(`netem/${loss}/${timeoutMs}`))
  let failed = 0
  for (let i = 0; i < runs; i += 1) {
    const shaken = network.handshake('a', 0, timeoutMs)
    const arrived = shaken ? network.delivery('a', shaken.known) : Infinity
    if (arrived === Infinity || network.delivery('a', arrived + 2) > timeoutMs) failed += 1
  }
  return failed / runs
}

describe('Network', () => {
  // Measured with real sockets under netem, on a Linux host.
  it.each([
    [0.01, 1_000, 0.019, 0.003],
    [0.05, 1_000, 0.0985, 0.006],
    [0.05, 1_500, 0.0082, 0.0035],
  ])('fails as often as real TCP: loss %d, time-out %d ms', (loss, timeoutMs, measured, tolerance) => {
    expect(Math.abs(failures(loss, timeoutMs) - measured)).toBeLessThan(tolerance)
  })

  it('repeats a lost SYN after 1 s and lost data after 200 ms, doubling', () => {
    const network = new Network({ delay, loss: 0 }, seeded(1))
    network.blackout(0, 500, null)
    expect(network.handshake('a', 0, 1_300)?.known).toBeCloseTo(1_000.4)
    expect(network.handshake('a', 0, 900)).toBeNull()
    expect(network.delivery('a', 0)).toBeCloseTo(600.2)
    expect(network.delivery('a', 500)).toBeCloseTo(500.2)
  })

  it('loses nothing outside a blackout and its services, everything inside', () => {
    const network = new Network({ delay, loss: 0 }, seeded(1))
    network.blackout(100, 50, ['a'])
    expect([99, 100, 149, 150].map((at) => network.passes('a', at))).toEqual([true, false, false, true])
    expect(network.passes('b', 120)).toBe(true)
    expect(network.cut('a', 100, 150)).toBe(true)
    expect(network.cut('a', 99, 150)).toBe(false)
    expect(network.cut('b', 110, 120)).toBe(false)
  })
})
