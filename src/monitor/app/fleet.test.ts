import { describe, expect, it } from 'vitest'
import { spec } from './core.testing.ts'
import { stopLevels, topologicalOrder } from './fleet.ts'

const services = [
  spec('tracking', ['buffer', 'storage']),
  spec('camera'),
  spec('buffer'),
  spec('capture', ['camera', 'buffer']),
  spec('storage'),
]

describe('the order in which services are started and stopped', () => {
  it('starts dependencies before their dependants, each service once', () => {
    const order = topologicalOrder(services)
    expect([...order].sort()).toEqual(['buffer', 'camera', 'capture', 'storage', 'tracking'])
    for (const { name, dependsOn } of services) {
      for (const { service } of dependsOn) expect(order.indexOf(service)).toBeLessThan(order.indexOf(name))
    }
  })

  it('stops dependants first, and together whoever needs nobody of the others', () => {
    expect(stopLevels(services)).toEqual([
      ['tracking', 'capture'],
      ['camera', 'buffer', 'storage'],
    ])
  })

  it('comes to an end even on a cycle, and on what nobody watches', () => {
    expect(stopLevels([spec('a', ['b']), spec('b', ['a']), spec('c', ['elsewhere'])])).toEqual([['c'], ['a', 'b']])
    expect(topologicalOrder([spec('a', ['b']), spec('b', ['a'])])).toHaveLength(2)
  })
})
