import { silentLogger } from '@medyk/health/internal'
import { expect, test } from 'vitest'
import type { ProvenInstance } from '../journal/index.ts'
import type { InstanceStatus, ServiceSpec, Verdict } from '../model/index.ts'
import { Proven } from './proven.ts'
import { spec } from './shard.testing.ts'

const verdict = (status: InstanceStatus, instance = 'a-1') => ({ instance, service: 'a', status }) as Verdict

function proven(services: readonly ServiceSpec[], remembered: readonly ProvenInstance[] = []) {
  const saved: ProvenInstance[] = []
  let isFull = false
  const journal = {
    async saveProven(row: ProvenInstance) {
      if (isFull) throw new Error('disk full')
      saved.push(row)
    },
  }
  const it = new Proven(services, remembered, { journal, logger: silentLogger })
  return { it, saved, setFull: (full: boolean) => (isFull = full) }
}

test('the first healthy verdict of an instance is written, and no other', () => {
  const { it, saved } = proven([spec('a', 1)])
  for (const status of ['starting', 'degraded', 'healthy', 'unhealthy', 'healthy'] as const) it.take(verdict(status))
  it.take({ ...verdict('healthy'), service: 'unknown' })
  expect(saved.map(({ instance }) => instance)).toEqual(['a-1'])
  expect(it.instances).toEqual(['a-1'])
})

test('the next life knows it, unless it is asked otherwise now or no longer watched', () => {
  const { it, saved } = proven([spec('a', 1)])
  it.take(verdict('healthy'))
  expect(proven([spec('a', 1)], saved).it.instances).toEqual(['a-1'])
  expect(proven([spec('a', 2)], saved).it.instances).toEqual([])
  expect(proven([spec('b', 1)], saved).it.instances).toEqual([])
})

test('what the journal refused is written with the next healthy verdict', async () => {
  const { it, saved, setFull } = proven([spec('a', 1)])
  setFull(true)
  it.take(verdict('healthy'))
  await Promise.resolve()
  await Promise.resolve()
  setFull(false)
  it.take(verdict('healthy'))
  expect(saved).toHaveLength(1)
})
