import { describe, expect, test } from 'vitest'
import type { ServiceSpec } from '../../model/index.ts'
import type { ContainerView } from '../../docker/view.ts'
import { discover } from './discover.ts'
import { dockerDefaults } from './policy.ts'
import { check, compose, policyOf, view } from './views.testing.ts'

const names = (containers: readonly ContainerView[], policy = policyOf()) =>
  discover(containers, policy).services.map(({ name }) => name)

const configured = (name: string, more: Partial<ServiceSpec> = {}): ServiceSpec => ({
  name,
  runtime: null,
  runtimeOptions: {},
  dependsOn: [],
  probes: [],
  startupGraceMs: 60_000,
  recovery: dockerDefaults.recovery,
  ...more,
})

describe('which containers are services', () => {
  test('those of the projects that are watched, and of no other', () => {
    const all = [compose('web'), compose('api', {}, 'other'), view({ name: 'alone' })]
    expect(names(all)).toEqual(['web'])
    expect(names(all, policyOf({ projects: ['shop', 'other'] }))).toEqual(['other-api', 'shop-web'])
    expect(names(all, policyOf({ projects: null }))).toEqual(['other-api', 'shop-web', 'alone'])
    expect(names(all, policyOf({ projects: [] }))).toEqual([])
  })

  test.each<[string, Partial<ContainerView>]>([
    ['Medyk itself, which may not restart itself', { labels: { 'io.medyk.role': 'daemon' } }],
    ['label io.medyk.ignore', { labels: { 'io.medyk.ignore': 'true' } }],
    ['started by `compose run`, for one time', { labels: { 'com.docker.compose.oneoff': 'True' } }],
    ['it is being removed', { state: 'removing' }],
  ])('not %s, and that is told', (reason, more) => {
    const { services, coverage } = discover([compose('web', more)], policyOf())
    expect(services).toEqual([])
    const row = { service: 'shop-web-1', level: 'none', probe: null, derivedFrom: reason, note: null, counts: false }
    expect(coverage).toEqual([row])
  })

  test('a label asks to leave a service alone until a time, a day after its creation at most', () => {
    const label = (text: string) =>
      discover(
        [compose('web', { createdAt: '2026-01-01T00:00:00.000Z', labels: { 'io.medyk.maintenance': text } })],
        policyOf(),
      )
    expect(label('2026-01-01T18:00:00Z moving the disk').maintenance).toEqual([
      {
        service: 'web',
        by: 'label io.medyk.maintenance',
        reason: 'moving the disk',
        since: '2026-01-01T00:00:00.000Z',
        until: '2026-01-01T18:00:00.000Z',
      },
    ])
    expect(label('2027-01-01T00:00:00Z for ever').maintenance[0]?.until).toBe('2026-01-02T00:00:00.000Z')
    for (const text of ['tonight', '2026-01-01T18:00:00Z', 'yes please']) {
      expect(label(text).maintenance).toEqual([])
      expect(label(text).problems[0]).toContain('io.medyk.maintenance')
    }
  })

  test('copies of one service are one, described by the newest', () => {
    const copies = [
      compose('web', { name: 'shop-web-1', exposed: [1001] }),
      compose('web', { name: 'shop-web-2', exposed: [1002], createdAt: '2026-02-01T00:00:00.000Z' }),
    ]
    const { services } = discover(copies, policyOf())
    expect(services).toMatchObject([
      { name: 'web', runtime: 'docker', runtimeOptions: { project: 'shop', service: 'web' }, domain: 'shop' },
    ])
    expect(services[0]?.probes[0]?.options).toEqual({ port: 1002 })
  })

  test('one without compose goes by its own name and belongs to no domain', () => {
    const [spec] = discover([view({ name: 'My_App.1' })], policyOf({ projects: null })).services
    expect(spec).toMatchObject({ name: 'my-app-1', runtimeOptions: { container: 'My_App.1' } })
    expect(spec).not.toHaveProperty('domain')
  })

  test('names that would be the same are told apart by a suffix that stays', () => {
    const all = ['my-app', 'My_App', 'my.app', 'a'.repeat(90), `${'a'.repeat(80)}b`].map((name) => view({ name }))
    const policy = policyOf({ projects: null })
    const all5 = names(all, policy)
    expect(new Set(all5).size).toBe(5)
    expect(all5).toContain('my-app')
    const byContainer = (list: readonly ContainerView[]) =>
      new Map(discover(list, policy).services.map(({ name, runtimeOptions }) => [runtimeOptions['container'], name]))
    expect(byContainer(all.slice(0, 2)).get('My_App')).toBe(byContainer(all).get('My_App'))
  })

  test('what the config file describes is not found a second time', () => {
    const all = [compose('web'), compose('db'), compose('cache'), compose('api')]
    const services = [
      configured('database', { runtime: 'docker', runtimeOptions: { project: 'shop', service: 'db' } }),
      configured('front', { runtime: 'docker', runtimeOptions: { container: 'shop-web-1' } }),
      configured('cache'),
      configured('api', { runtime: 'process' }),
    ]
    const found = discover(all, policyOf({ services }))
    expect(found.services).toHaveLength(1)
    expect(found.services[0]).toMatchObject({ runtimeOptions: { service: 'api' } })
    expect(found.services[0]?.name).toMatch(/^api-[0-9a-z]{7}$/)
    expect(found.coverage.map(({ service }) => service)).toEqual([found.services[0]?.name])
  })
})

describe('jobs', () => {
  test('are those that others wait for to end well, and no dependency of what runs later', () => {
    const depends = 'migrate:service_completed_successfully:false,db:service_healthy:false'
    const all = [
      compose('web', { labels: { 'com.docker.compose.depends_on': depends }, exposed: [80] }),
      compose('migrate', { exposed: [80] }),
      compose('db'),
    ]
    const { services, coverage } = discover(all, policyOf())
    const of = (name: string) => services.find((spec) => spec.name === name)
    expect(of('migrate')).toMatchObject({ job: true, probes: [] })
    expect(of('web')?.dependsOn.map(({ service }) => service)).toEqual(['db'])
    expect(coverage.find(({ service }) => service === 'migrate')).toMatchObject({ level: 'state', probe: null })
  })

  test('stay what they are while `compose run` has another container of them or of a dependency, and so do dependencies', () => {
    const depends = 'migrate:service_completed_successfully:false,db:service_healthy:false'
    const once = {
      labels: { 'com.docker.compose.oneoff': 'True' },
      name: 'shop-run-1',
      createdAt: '2026-02-01T00:00:00.000Z',
    }
    const all = [
      compose('web', {
        labels: { 'com.docker.compose.depends_on': depends },
        hosts: [{ variable: 'DB_HOST', host: 'db', port: 5_432, scheme: null }],
      }),
      compose('migrate', { exposed: [80] }),
      compose('db'),
    ]
    const { services } = discover(all, policyOf())
    expect(discover([...all, compose('migrate', once), compose('db', once)], policyOf()).services).toEqual(services)
    expect(services.find(({ name }) => name === 'web')?.dependsOn).toMatchObject([{ service: 'db' }])
  })

  test('and those that say so', () => {
    expect(discover([compose('x', { labels: { 'io.medyk.job': 'true' } })], policyOf()).services[0]?.job).toBe(true)
  })

  test.each<[ContainerView['restartPolicy'], Partial<ContainerView>, true | undefined]>([
    ['no', {}, true],
    ['on-failure', {}, true],
    ['always', {}, undefined],
    ['unless-stopped', {}, undefined],
    ['no', { exposed: [80] }, undefined],
    ['no', { healthcheck: check('/x') }, undefined],
  ])('with the restart policy %s and %j it may finish: %s', (restartPolicy, more, expected) => {
    const [spec] = discover([compose('x', { restartPolicy, ...more })], policyOf()).services
    expect(spec?.mayFinish).toBe(expected)
  })
})

describe('what may be done', () => {
  const recovery = (more: Partial<ContainerView>, policy = policyOf()) =>
    discover([compose('web', more)], policy).services[0]?.recovery
  const volume = (name: string) => ({ mounts: [{ type: 'volume' as const, name, destination: '/data' }] })

  test('everything to a service without data, at once', () => {
    expect(recovery({ stopTimeoutMs: 60_000 })).toEqual(dockerDefaults.recovery)
  })

  test.each<[string, Partial<ContainerView>, string]>([
    ['an image', { image: 'registry.example:5000/bitnami/postgresql:16' }, 'image bitnami/postgresql'],
    ['a digest', { image: 'mongo@sha256:abc' }, 'image mongo'],
    ['a port', { exposed: [3306] }, 'port 3306'],
    ['a volume', volume('shop_uploads'), 'volume shop_uploads'],
    ['how it is asked', { healthcheck: check('redis-cli ping') }, 'it is asked as redis'],
  ])('to what keeps data by %s: started, not restarted for a hang, with its own time to stop', (_, more, because) => {
    expect(recovery(more)).toMatchObject({
      enabled: true,
      restartHung: false,
      because: expect.stringContaining(because),
      stopGraceMs: 10_000,
    })
    expect(recovery({ ...more, stopTimeoutMs: 45_000 })?.stopGraceMs).toBe(45_000)
    expect(recovery({ ...more, stopTimeoutMs: -1_000 })?.stopGraceMs).toBe(600_000)
    const allowed = recovery({ ...more, labels: { 'io.medyk.restart-hung': 'true' } })
    expect(allowed).not.toHaveProperty('restartHung')
    expect(allowed).toMatchObject({ stopGraceMs: 10_000 })
  })

  test.each<Partial<ContainerView>>([
    { image: 'prom/mysqld-exporter:1', exposed: [9104] },
    { image: 'dpage/pgadmin4' },
    { image: 'rediscommander/redis-commander' },
    { image: 'postgres.example/acme/web:redis' },
    volume('0123456789abcdef'.repeat(4)),
    { mounts: [{ type: 'bind', name: '', destination: '/etc/app' }] },
  ])('everything to %j', (more) => {
    expect(recovery(more)).not.toHaveProperty('restartHung')
  })

  test.each([
    ['act', { enabled: true }],
    ['dry-run', { enabled: true, dryRun: true, because: 'label io.medyk.recovery: dry-run' }],
    ['off', { enabled: false, because: 'label io.medyk.recovery: off' }],
    ['of', { enabled: true, dryRun: true, because: expect.stringContaining('not understood') }],
  ])('what the label says: %s', (text, expected) => {
    expect(recovery({ labels: { 'io.medyk.recovery': text } })).toMatchObject(expected)
  })

  test('nothing in observe mode', () => {
    expect(recovery({}, policyOf({ observe: true }))).toMatchObject({
      enabled: true,
      dryRun: true,
      because: 'observe mode',
    })
    const acting = recovery({ labels: { 'io.medyk.recovery': 'act' } }, policyOf({ observe: true }))
    expect(acting?.dryRun).toBe(true)
  })

  test('a hang is left alone where the label says so', () => {
    const labels = { 'io.medyk.restart-hung': 'false' }
    expect(recovery({ labels })).toMatchObject({ restartHung: false, because: 'label io.medyk.restart-hung: false' })
  })
})
