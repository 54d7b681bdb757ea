import { setImmediate } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { silentLogger } from '@medyk/health/internal'
import type { Discovered, DiscoverySource } from '../discovery/source.ts'
import type { ServiceSpec } from '../model/index.ts'
import { Catalog } from './catalog.ts'
import { spec } from './core.testing.ts'

/** A source that is in hand: what it has found now, and telling of it. */
function source(...names: string[]) {
  const found = (list: readonly string[]): Discovered => ({
    services: list.map((name) => spec(name)),
    coverage: [],
    maintenance: [],
    problems: [],
  })
  const listeners = new Set<(discovered: Discovered) => void>()
  let current = found(names)
  const it: DiscoverySource = {
    kind: 'hand',
    get current() {
      return current
    },
    watch(listener) {
      listeners.add(listener)
      return { [Symbol.dispose]: () => void listeners.delete(listener) }
    },
    async [Symbol.asyncDispose]() {},
  }
  const find = (...list: string[]) => {
    current = found(list)
    for (const listener of listeners) listener(current)
  }
  return { it, find }
}

function watched(catalog: Catalog) {
  const told: string[][] = []
  const take = async (services: readonly ServiceSpec[]) => void told.push(services.map(({ name }) => name))
  return { told, watch: catalog.watch(take, silentLogger) }
}

test('what was found after the first look and before anybody watched is told', async () => {
  const { it, find } = source('a')
  const catalog = new Catalog([], it)
  expect(catalog.services.map(({ name }) => name)).toEqual(['a'])
  find('a', 'b')
  const { told, watch } = watched(catalog)
  await watch[Symbol.asyncDispose]()
  expect(told).toEqual([['a', 'b']])
  expect(catalog.services.map(({ name }) => name)).toEqual(['a', 'b'])
})

test('what is as it was is not told, and a change once', async () => {
  const { it, find } = source('a')
  const { told, watch } = watched(new Catalog([], it))
  await setImmediate()
  expect(told).toEqual([])
  find('a')
  await setImmediate()
  find('b')
  await watch[Symbol.asyncDispose]()
  expect(told).toEqual([['b']])
})
