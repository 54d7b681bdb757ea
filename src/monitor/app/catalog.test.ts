import { silentLogger } from '@medyk/health/internal'
import { describe, expect, it } from 'vitest'
import type { Discovered, DiscoverySource } from '../discovery/source.ts'
import { defaultRecoveryPolicy, type ServiceSpec } from '../model/index.ts'
import { Catalog, combine } from './catalog.ts'

const probe = {
  name: 'liveness',
  role: 'liveness',
  kind: 'tcp',
  options: { port: 1 },
  intervalMs: 1,
  timeoutMs: 1,
} as const
const spec = (name: string, more: Partial<ServiceSpec> = {}): ServiceSpec => ({
  name,
  runtime: 'docker',
  runtimeOptions: { project: 'shop', service: name },
  dependsOn: [],
  probes: [],
  startupGraceMs: 60_000,
  recovery: defaultRecoveryPolicy,
  ...more,
})
const found = (...services: ServiceSpec[]): Discovered => ({ services, coverage: [], maintenance: [], problems: [] })

describe('what the file says and what is found', () => {
  it('stand beside each other where they speak of different services', () => {
    const { services } = combine([spec('mail', { runtime: 'process', runtimeOptions: {} })], found(spec('db')))
    expect(services.map(({ name }) => name)).toEqual(['mail', 'db'])
  })

  it('are one where they mean the same containers: the file’s name and words, and what it leaves unsaid', () => {
    const edge = { service: 'cache', source: 'compose' } as const
    const database = spec('database', { runtimeOptions: { service: 'db', project: 'shop' } })
    const api = spec('api', { dependsOn: [{ service: 'db', source: 'compose' }] })
    const { services } = combine(
      [database],
      found(spec('db', { probes: [probe], dependsOn: [edge], domain: 'shop' }), api),
    )
    expect(services).toMatchObject([
      { name: 'database', probes: [probe], dependsOn: [edge], domain: 'shop' },
      { name: 'api', dependsOn: [{ service: 'database' }] },
    ])
  })

  it('are careful with data unless the file says otherwise in so many words', () => {
    const data = { ...defaultRecoveryPolicy, restartHung: false, because: 'a database', stopGraceMs: 10_000 }
    const of = (recovery: ServiceSpec['recovery']) =>
      combine([spec('db', { recovery })], found(spec('db', { recovery: data }))).services[0]?.recovery
    expect(of(defaultRecoveryPolicy)).toMatchObject({ restartHung: false, because: 'a database', stopGraceMs: 10_000 })
    expect(of({ ...defaultRecoveryPolicy, restartHung: true })).toMatchObject({
      restartHung: true,
      stopGraceMs: 10_000,
    })
  })
})

describe('a catalog', () => {
  it('tells what is found one call at a time, and never misses the last', async () => {
    let current = found(spec('a'))
    let tell: (next: Discovered) => void = () => {}
    const source: DiscoverySource = {
      kind: 'test',
      get current() {
        return current
      },
      watch(listener) {
        tell = (next) => listener((current = next))
        return { [Symbol.dispose]: () => void (tell = () => {}) }
      },
      [Symbol.asyncDispose]: () => Promise.resolve(),
    }
    const catalog = new Catalog([], source)
    const heard: string[] = []
    let running = 0
    {
      await using _ = catalog.watch(async (services) => {
        expect(++running).toBe(1)
        await new Promise((resolve) => setTimeout(resolve, 5))
        running--
        heard.push(services.map(({ name }) => name).join())
      }, silentLogger)
      for (const name of ['b', 'c', 'd']) tell(found(spec(name)))
      await expect.poll(() => heard.at(-1)).toBe('d')
    }
    tell(found(spec('e')))
    expect(heard.at(-1)).toBe('d')
  })
})
