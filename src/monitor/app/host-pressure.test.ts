import { describe, expect, it } from 'vitest'
import { HostPressure } from './host-pressure.ts'

const text = (some: number, full: number) =>
  `some avg10=1.00 avg60=1.00 avg300=1.00 total=${some}\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=${full}\n`

describe('the pressure on the host', () => {
  it('is the share of the time between two looks in which somebody waited for the processor, and everybody for memory', () => {
    const files: Record<string, string> = {}
    const pressure = new HostPressure((file) => files[file.split('/').at(-1) ?? ''] ?? '')
    files['cpu'] = text(1_000_000, 0)
    files['memory'] = text(5_000_000, 1_000)
    expect(pressure.look(10_000)).toEqual({ cpu: 0, memory: 0 })
    files['cpu'] = text(1_950_000, 0)
    files['memory'] = text(9_000_000, 251_000)
    expect(pressure.look(11_000)).toEqual({ cpu: 0.95, memory: 0.25 })
  })

  it.each([
    ['is missing', () => expect.fail('never called')],
    ['holds nonsense', () => 'some total=-3'],
    ['goes backwards', () => text(Math.max(0, 1e9 - 1e6 * (calls += 1)), 0)],
  ])('is none where the counter %s', (_, read) => {
    const pressure = new HostPressure(read)
    for (const at of [0, 1_000, 2_000]) expect(pressure.look(at)).toEqual({ cpu: 0, memory: 0 })
  })
})

let calls = 0
