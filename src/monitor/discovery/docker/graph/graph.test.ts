import { describe, expect, test } from 'vitest'
import type { ContainerView, EnvironmentHost } from '../../../docker/view.ts'
import type { ServiceSpec } from '../../../model/index.ts'
import { discover } from '../discover.ts'
import { dockerDefaults, type DockerPolicy } from '../policy.ts'
import { compose, policyOf, view } from '../views.testing.ts'
import { mayBeDialled } from './environment.ts'

const host = (
  variable: string,
  name: string,
  port: number | null = null,
  scheme: string | null = null,
): EnvironmentHost => ({
  variable,
  host: name,
  port,
  scheme,
})

const all = (containers: readonly ContainerView[], more: Partial<DockerPolicy> = {}) =>
  discover(containers, policyOf(more))

/** Edges of `web` as `service source via`. */
function edges(containers: readonly ContainerView[], more: Partial<DockerPolicy> = {}, of = 'web'): readonly string[] {
  const spec = all(containers, more).services.find(({ name }) => name === of)
  return (spec?.dependsOn ?? []).map(
    ({ service, source, via, restart }) => `${service} ${source} (${via})${restart ? ' restart' : ''}`,
  )
}

const dependsOn = (text: string) => ({ labels: { 'com.docker.compose.depends_on': text } })

describe('who needs whom', () => {
  test('by depends_on, with what it waits for and whether a restart is passed on', () => {
    const text = 'db:service_healthy:true,redis:service_started:false,profiled:service_started:false'
    expect(edges([compose('web', dependsOn(text)), compose('db'), compose('redis')])).toEqual([
      'db compose (depends_on service_healthy) restart',
      'redis compose (depends_on service_started)',
    ])
  })

  test('by a shared network namespace, which always passes a restart on', () => {
    const vpn = compose('vpn')
    expect(edges([vpn, compose('web', { networkMode: `container:${vpn.id}`, networks: [] })])).toEqual([
      'vpn network (network_mode container:shop-vpn-1) restart',
    ])
    const lost = all([compose('web', { networkMode: `container:${'f'.repeat(64)}` })])
    expect(lost.problems).toEqual([expect.stringContaining('ffffffffffff, which is no service that is watched')])
  })

  test('by links and labels', () => {
    const web = compose('web', {
      links: [{ name: 'shop-db-1', alias: 'database' }],
      labels: { 'io.medyk.depends-on': 'redis, shop-mq-1', 'io.medyk.restart-with': 'redis,nothing' },
    })
    const found = [web, compose('db'), compose('redis'), compose('mq')]
    expect(edges(found)).toEqual([
      'redis label (label io.medyk.depends-on) restart',
      'mq label (label io.medyk.depends-on)',
      'db link (link database)',
    ])
    expect(all(found).problems).toEqual([expect.stringContaining('io.medyk.restart-with names nothing')])
  })

  test.each<[string, EnvironmentHost]>([
    ["a service's name", host('REDIS_HOST', 'redis')],
    ['upper case', host('REDIS_HOST', 'Redis')],
    ["a container's name", host('REDIS_URL', 'shop-redis-1', 6379, 'redis')],
    ['an alias', host('CACHE', 'cache')],
    ['an address', host('CACHE', '172.20.9.9')],
    ['its published port on the Docker host', host('CACHE', 'host.docker.internal', 16_379)],
  ])('by the environment: %s', (_, found) => {
    const redis = compose('redis', {
      networks: [{ name: 'shop_default', address: '172.20.9.9', aliases: ['redis', 'cache', 'shop-redis-1'] }],
      published: [{ port: 6379, hostAddress: '0.0.0.0', hostPort: 16_379 }],
    })
    expect(edges([compose('web', { hosts: [found] }), redis])).toEqual([
      `redis environment (environment ${found.variable})`,
    ])
  })

  test('by the environment of one that lives in the network of another', () => {
    const vpn = compose('vpn')
    const web = compose('web', { networkMode: `container:${vpn.id}`, networks: [], hosts: [host('DB_HOST', 'db')] })
    expect(edges([vpn, web, compose('db')])).toContain('db environment (environment DB_HOST)')
  })

  test('the first reason stands, declared ones before what was read from the environment', () => {
    const web = compose('web', { ...dependsOn('db:service_started:false'), hosts: [host('DB_HOST', 'db')] })
    expect(edges([web, compose('db')])).toEqual(['db compose (depends_on service_started)'])
  })

  test('not by a name that means the service itself, or its visitors', () => {
    const hosts = [
      host('SELF_HOST', 'web'),
      host('PUBLIC_URL', 'api', 80, 'http'),
      host('CORS_ORIGIN', 'api', 80, 'http'),
    ]
    expect(edges([compose('web', { hosts }), compose('api')])).toEqual([])
  })

  test('not by a name that is out of reach', () => {
    const redis = compose('redis', {}, 'other')
    const policy = { projects: ['shop', 'other'] }
    const web = compose('web', { hosts: [host('REDIS_HOST', 'redis')] })
    expect(edges([web, redis], policy, 'shop-web')).toEqual([])
    const shared = { name: 'shared', address: '', aliases: [] }
    const joined = [web, redis].map((one) => ({ ...one, networks: [...one.networks, shared] }))
    expect(edges(joined, policy, 'shop-web')).toEqual(['other-redis environment (environment REDIS_HOST)'])
  })

  test('of two that bear a name, the one of the same project', () => {
    const shared = [{ name: 'shared', address: '', aliases: ['db'] }]
    const containers = [
      compose('web', { networks: shared, hosts: [host('DB_HOST', 'db')] }),
      compose('db', { networks: shared }, 'another'),
      compose('db', { networks: shared }),
    ]
    expect(edges(containers, { projects: null }, 'shop-web')).toEqual(['shop-db environment (environment DB_HOST)'])
  })

  test('what the config file names may be needed', () => {
    const services: ServiceSpec[] = [
      {
        name: 'database',
        runtime: 'docker',
        runtimeOptions: { project: 'shop', service: 'db' },
        dependsOn: [],
        probes: [],
        startupGraceMs: 1,
        recovery: dockerDefaults.recovery,
      },
      {
        name: 'camera',
        runtime: null,
        runtimeOptions: {},
        dependsOn: [{ service: 'database', source: 'config' }],
        probes: [],
        startupGraceMs: 1,
        recovery: dockerDefaults.recovery,
      },
    ]
    const web = compose('web', { hosts: [host('DB_HOST', 'db')], labels: { 'io.medyk.depends-on': 'camera' } })
    expect(edges([web, compose('db')], { services })).toEqual([
      'camera label (label io.medyk.depends-on)',
      'database environment (environment DB_HOST)',
    ])
  })
})

describe('circles', () => {
  test('an edge from the environment gives way to what is declared, and that is told', () => {
    const web = compose('web', dependsOn('api:service_started:false'))
    const api = compose('api', { hosts: [host('WEB_HOST', 'web')] })
    const found = all([api, web])
    expect(found.services.map(({ name, dependsOn: own }) => [name, own.map(({ service }) => service)])).toEqual([
      ['api', []],
      ['web', ['api']],
    ])
    expect(found.problems).toEqual([
      'api → web (environment WEB_HOST) is left out: it would close a circle, api → web → api',
    ])
  })

  test('of declared ones the last is left out', () => {
    const found = all([
      compose('a', { labels: { 'io.medyk.depends-on': 'b' } }),
      compose('b', { labels: { 'io.medyk.depends-on': 'c' } }),
      compose('c', dependsOn('a:service_started:false')),
    ])
    expect(found.services.map(({ dependsOn: own }) => own.length)).toEqual([1, 1, 0])
    expect(found.problems).toEqual([expect.stringContaining('c → a → b → c')])
  })
})

describe('hosts outside', () => {
  test('are watched once, never touched, and needed by all who name them', () => {
    const hosts = [host('DATABASE_URL', 'DB.shop.example', null, 'postgres')]
    const found = all([
      compose('web', { hosts }),
      compose('api', { hosts: [host('DB_HOST', 'db.shop.example', 5432)] }),
    ])
    const outside = found.services.filter(({ runtime }) => runtime === null)
    expect(outside).toEqual([
      {
        name: 'db-shop-example-5432',
        runtime: null,
        runtimeOptions: {},
        dependsOn: [],
        probes: [
          {
            name: 'liveness',
            role: 'liveness',
            kind: 'tcp',
            options: { host: 'db.shop.example', port: 5432 },
            intervalMs: 5_000,
            timeoutMs: 1_300,
            derivedFrom: 'environment DB_HOST of api',
            guessed: true,
          },
        ],
        startupGraceMs: 60_000,
        recovery: { ...dockerDefaults.recovery, enabled: false, because: expect.any(String) },
      },
    ])
    for (const name of ['web', 'api']) {
      expect(found.services.find((spec) => spec.name === name)?.dependsOn).toMatchObject([
        { service: 'db-shop-example-5432', source: 'environment' },
      ])
    }
    expect(found.coverage.at(-1)).toMatchObject({ service: 'db-shop-example-5432', probe: 'TCP db.shop.example:5432' })
  })

  test('include a container that nobody watches, at its address of now', () => {
    const shared = (address: string) => [{ name: 'shared', address, aliases: ['redis'] }]
    const web = compose('web', {
      networks: shared('10.0.0.2').map((one) => ({ ...one, aliases: [] })),
      hosts: [host('REDIS_HOST', 'redis')],
    })
    const redis = compose('redis', { networks: shared('10.0.0.3') }, 'other')
    expect(edges([web, redis])).toEqual(['10-0-0-3-6379 environment (environment REDIS_HOST)'])
  })

  test.each<[EnvironmentHost, string | null]>([
    [host('REDIS_HOST', 'r.example'), 'r-example-6379'],
    [host('X_URL', 'r.example', null, 'rtsp'), 'r-example-554'],
    [host('X_URL', 'r.example', null, 'postgresql+asyncpg'), 'r-example-5432'],
    [host('X_URL', '10.1.2.3', 8554, 'rtsp'), '10-1-2-3-8554'],
    [host('X_HOST', 'r.example'), null],
    [host('X_URL', 'r.example', null, 'gopher'), null],
    [host('REDIS_HOST', 'redis'), null],
    [host('X_URL', '169.254.169.254', 80, 'http'), null],
    [host('X_URL', 'metadata.google.internal', 80, 'http'), null],
    [host('NEXT_PUBLIC_API_URL', 'shop.example', 443, 'https'), null],
  ])('%j: %s', (found, name) => {
    const services = all([compose('web', { hosts: [found] })]).services.filter(({ runtime }) => runtime === null)
    expect(services.map((spec) => spec.name)).toEqual(name === null ? [] : [name])
  })

  test('are no more than 50', () => {
    const hosts = Array.from({ length: 64 }, (_, i) => host(`H${i}`, `h${i}.example`, 80))
    const found = all([compose('web', { hosts })])
    expect(found.services.filter(({ runtime }) => runtime === null)).toHaveLength(50)
    expect(found.services[0]?.dependsOn).toHaveLength(50)
    expect(found.problems).toEqual([expect.stringContaining('14 hosts outside are not watched')])
  })

  test.each([
    ['db.example', true],
    ['10.0.0.1', true],
    ['fd12::1', true],
    ['a.b-c.internal', true],
    ['169.254.169.254', false],
    ['169.254.1.1', false],
    ['127.0.0.1', false],
    ['0177.0.0.1', false],
    ['0x7f.0.0.1', false],
    ['0x7f.1', false],
    ['2130706433', false],
    ['0.0.0.0', false],
    ['224.0.0.1', false],
    ['255.255.255.255', false],
    ['::1', false],
    ['::', false],
    ['fe80::1', false],
    ['FE80::1', false],
    ['fd00:ec2::254', false],
    ['::ffff:169.254.169.254', false],
    ['ff02::1', false],
    ['redis', false],
    ['host.docker.internal', false],
    ['metadata.google.internal', false],
    ['a..b', false],
    ['-a.example', false],
    ['', false],
  ])('%s may be looked at: %s', (name, expected) => {
    expect(mayBeDialled(name)).toBe(expected)
  })
})

test('a container without compose finds others by the networks that they share', () => {
  const network = [{ name: 'lab', address: '10.9.0.2', aliases: [] }]
  const web = view({ name: 'web', networks: network, hosts: [host('MQ', 'mq')] })
  const mq = view({ name: 'mq', networks: [{ name: 'lab', address: '10.9.0.3', aliases: [] }] })
  expect(edges([web, mq], { projects: null })).toEqual(['mq environment (environment MQ)'])
})
