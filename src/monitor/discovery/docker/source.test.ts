import { describe, expect, test } from 'vitest'
import type { Clock } from '@medyk/health/internal'
import type { ContainerView, DockerChange, DockerHost } from '../../docker/view.ts'
import { createDockerDiscovery, type DockerPolicy } from './index.ts'
import { check, compose, policyOf } from './views.testing.ts'

/** Time in hand: what is due runs when it has come. */
class HandClock implements Clock {
  now = 1_000
  #timers: { at: number; fn: () => void }[] = []

  mono = () => this.now
  wall = () => this.now
  sleep = () => Promise.reject(new Error('nobody sleeps here'))

  timer(ms: number, fn: () => void): Disposable {
    const timer = { at: this.now + ms, fn }
    this.#timers.push(timer)
    return { [Symbol.dispose]: () => void (this.#timers = this.#timers.filter((one) => one !== timer)) }
  }

  get waiting(): number {
    return this.#timers.length
  }

  advance(ms: number): void {
    this.now += ms
    const due = this.#timers.filter(({ at }) => at <= this.now)
    this.#timers = this.#timers.filter(({ at }) => at > this.now)
    for (const { fn } of due) fn()
  }
}

/** The part of a Docker host that discovery looks at. */
class Stage {
  readonly clock = new HandClock()
  readonly containers = new Map<string, ContainerView>()
  lost: DockerHost['lost'] = null
  readonly told: number[] = []
  readonly listeners = new Set<(change: DockerChange) => void>()
  readonly source

  constructor(containers: readonly ContainerView[], policy: DockerPolicy = policyOf()) {
    for (const one of containers) this.containers.set(one.id, one)
    const watch = (listener: (change: DockerChange) => void) => {
      this.listeners.add(listener)
      return { [Symbol.dispose]: () => void this.listeners.delete(listener) }
    }
    const host = Object.defineProperty({ containers: this.containers, watch }, 'lost', { get: () => this.lost })
    this.source = createDockerDiscovery(host as unknown as DockerHost, policy, { clock: this.clock })
    this.source.watch(({ services }) => this.told.push(services.length))
  }

  put(...containers: readonly ContainerView[]): void {
    for (const container of containers) {
      this.containers.set(container.id, container)
      for (const listener of this.listeners) listener({ type: 'container', container, stopping: false, end: null })
    }
  }

  remove(id: string): void {
    this.containers.delete(id)
    for (const listener of this.listeners) listener({ type: 'removed', id })
  }
}

describe('discovery from Docker', () => {
  test('knows at once what is there, and tells nobody who can ask', () => {
    const stage = new Stage([compose('web')])
    expect(stage.source.kind).toBe('docker')
    expect(stage.source.current.services.map(({ name }) => name)).toEqual(['web'])
    stage.clock.advance(1_000)
    expect(stage.told).toEqual([])
  })

  test('keeps a job for one when the only service that waited for it is removed', () => {
    const job = compose('setup', { state: 'exited', exposed: [80] })
    const web = compose('web', {
      labels: { 'com.docker.compose.depends_on': 'setup:service_completed_successfully:false' },
    })
    const stage = new Stage([job, web])
    stage.remove(web.id)
    stage.clock.advance(1_000)
    expect(stage.source.current.services).toMatchObject([{ name: 'setup', job: true, probes: [] }])
    stage.remove(job.id)
    stage.put(compose('setup', { exposed: [80] }))
    stage.clock.advance(1_000)
    expect(stage.source.current.services[0]).not.toHaveProperty('job')
  })

  test('tells a burst of changes once, and no two within 100 ms', () => {
    const stage = new Stage([])
    stage.clock.advance(1_000)
    stage.put(compose('a'), compose('b'))
    stage.clock.advance(0)
    expect(stage.told).toEqual([2])
    stage.put(compose('c'))
    stage.clock.advance(60)
    stage.put(compose('d'))
    stage.clock.advance(39)
    expect(stage.told).toEqual([2])
    stage.clock.advance(1)
    expect(stage.told).toEqual([2, 4])
    stage.clock.advance(1_000)
    expect(stage.told).toEqual([2, 4])
  })

  test('tells only what differs: a container that stops is the same service', () => {
    const web = compose('web')
    const stage = new Stage([web])
    stage.clock.advance(1_000)
    stage.put({ ...web, state: 'exited', pid: null, startedAt: null })
    expect(stage.clock.waiting).toBe(0)
    stage.put({ ...web, createdAt: '2026-03-01T00:00:00.000Z' })
    stage.clock.advance(100)
    expect(stage.told).toEqual([])
    stage.remove(web.id)
    stage.clock.advance(100)
    expect(stage.told).toEqual([0])
  })

  test('tells that a HEALTHCHECK turns out to be broken, and not each time that it runs', () => {
    const healthcheck = check('curl -f http://localhost:80/')
    const health = { status: 'healthy' as const, exitCode: 0, output: 'one' }
    const web = compose('web', { healthcheck, health })
    const stage = new Stage([web])
    stage.clock.advance(1_000)
    stage.put({ ...web, health: { ...health, output: 'two' } })
    expect(stage.clock.waiting).toBe(0)
    stage.put({ ...web, health: { status: 'unhealthy', exitCode: 127, output: '' } })
    stage.clock.advance(100)
    expect(stage.told).toEqual([1])
    expect(stage.source.current.coverage[0]?.note).toMatch(/cannot run/)
    // A restart, after which it has not run yet; then somebody has repaired it.
    stage.put({ ...web, health: { status: 'starting', exitCode: null, output: '' } }, { ...web, health: null })
    stage.clock.advance(100)
    expect(stage.told).toEqual([1])
    stage.put({ ...web, health })
    stage.clock.advance(100)
    expect(stage.told).toEqual([1, 1])
    expect(stage.source.current.coverage[0]?.note).toBeNull()
  })

  test('keeps what was known while Docker is away', () => {
    const web = compose('web')
    const stage = new Stage([web])
    stage.clock.advance(1_000)
    stage.remove(web.id)
    stage.lost = { since: 0, reason: 'connection refused' }
    stage.clock.advance(100)
    expect(stage.source.current.services).toHaveLength(1)
    stage.lost = null
    for (const listener of stage.listeners) listener({ type: 'back' })
    stage.clock.advance(100)
    expect(stage.told).toEqual([0])
  })

  test('leaves nothing behind when it ends', async () => {
    const stage = new Stage([])
    stage.put(compose('web'))
    expect(stage.clock.waiting).toBe(1)
    await stage.source[Symbol.asyncDispose]()
    expect([stage.clock.waiting, stage.listeners.size]).toEqual([0, 0])
    stage.clock.advance(1_000)
    expect(stage.told).toEqual([])
  })

  test('a listener that goes hears nothing more', () => {
    const stage = new Stage([])
    stage.clock.advance(1_000)
    let heard = 0
    const watch = stage.source.watch(() => heard++)
    stage.put(compose('a'))
    stage.clock.advance(100)
    watch[Symbol.dispose]()
    stage.put(compose('b'))
    stage.clock.advance(100)
    expect([heard, stage.told]).toEqual([1, [1, 2]])
  })
})
