import { describe, expect, test } from 'vitest'
import {
  Drive,
  live,
  noDescriptor,
  notFound,
  ok,
  probeSpec,
  ready,
  refused,
  running,
  serviceSpec,
  silence,
  unready,
} from './drive.testing.ts'

const both = serviceSpec([live, ready])

describe('start-up grace', () => {
  test('the first look at a fresh instance says starting, the first success of every probe healthy', () => {
    const drive = new Drive(both)
    expect(drive.last).toMatchObject({ status: 'starting', previous: 'unknown', evidence: null })
    drive.look(ok)
    expect(drive.status).toBe('starting')
    drive.look(ok, 'ready')
    expect(drive.last).toMatchObject({ status: 'healthy', previous: 'starting', reason: '', failing: [] })
  })

  test('a boot of 30 s is never called down, whatever its port does meanwhile', () => {
    const drive = new Drive(both)
    for (let i = 0; i < 30; i++)
      drive
        .look(i % 3 ? refused : silence)
        .look(unready('db'), 'ready')
        .advance(1_000)
    expect(drive.story).toEqual(['starting'])
    drive.look(ok).look(ok, 'ready')
    expect(drive.story).toEqual(['starting', 'healthy'])
  })

  test('while starting a failing readiness does not degrade; after the grace it does', () => {
    const drive = new Drive(both)
    for (let i = 0; i < 59; i++) drive.look(ok).look(unready('db'), 'ready').advance(1_000)
    expect(drive.story).toEqual(['starting'])
    drive.advance(1_000)
    expect(drive.last).toMatchObject({ status: 'degraded', symptom: 'not-ready', failing: ['db'] })
  })

  test('once alive it can die, though it was never ready', () => {
    const drive = new Drive(both).look(ok).looks(300, [refused, refused, refused])
    expect(drive.story).toEqual(['starting', 'unhealthy:failing'])
  })

  test('a probe that never succeeded is told after the grace, without evidence to act on', () => {
    const drive = new Drive()
    for (let i = 0; i < 61; i++) drive.look(refused).advance(1_000)
    expect(drive.times.at(-1)).toBe(61_000)
    expect(drive.last).toMatchObject({ status: 'unhealthy', symptom: 'never-ready', evidence: null })
    expect(drive.last.reason).toBe('live: no success within 60.0 s of its start: connection refused')
  })

  test.each([
    ['a former run', 'explicit', refused],
    ['a former run', 'silence', silence],
  ] as const)('a probe that succeeded in %s has evidence: %s', (_, evidence, outcome) => {
    const drive = new Drive().look(ok).runtime('instance.exited', { state: 'exited' })
    drive.runtime('instance.started', { startedAt: 'later' })
    for (let i = 0; i < 61; i++) drive.look(outcome).advance(1_000)
    expect(drive.last).toMatchObject({ status: 'unhealthy', symptom: 'never-ready', evidence })
  })

  test('a probe proven in a former life of the monitor has evidence too', () => {
    const drive = new Drive(both, running(), { proven: true, runningForMs: 3_600_000 })
    expect(drive.status).toBe('unknown')
    drive.looks(300, [refused, refused, refused])
    expect(drive.last).toMatchObject({ status: 'unhealthy', symptom: 'never-ready', evidence: 'explicit' })
  })

  test('an instance adopted long after its start is unknown until it has been seen', () => {
    const drive = new Drive(serviceSpec(), running(), { runningForMs: 61_000 })
    expect(drive.last).toMatchObject({ status: 'unknown', reason: 'not examined yet' })
    expect(drive.look(ok).status).toBe('healthy')
  })

  test('what was never started is unknown', () => {
    const drive = new Drive(serviceSpec(), running({ state: 'created', startedAt: null }))
    expect(drive.last).toMatchObject({ status: 'unknown', reason: 'not started yet' })
    expect(drive.paces.get('live')?.intervalMs).toBe(Infinity)
  })

  test('after an illness a new run needs three successes over a second', () => {
    const drive = new Drive().look(ok).runtime('instance.exited', { state: 'exited' })
    drive.runtime('instance.started', { startedAt: 'later' }).look(ok)
    expect(drive.status).toBe('starting')
    expect(drive.paces.get('live')?.intervalMs).toBe(500)
    drive.advance(500).look(ok).advance(499).look(ok)
    expect(drive.status).toBe('starting')
    expect(drive.advance(1).look(ok).status).toBe('healthy')
  })

  test('it is examined every 200 ms at first, later every 500 ms, then as configured', () => {
    const drive = new Drive()
    const pace = () => drive.look(refused).paces.get('live')?.intervalMs
    expect(pace()).toBe(200)
    drive.advance(5_000)
    expect(pace()).toBe(500)
    drive.advance(10_000)
    expect(pace()).toBe(1_000)
  })

  test('a start-up probe gates the start and is then left alone', () => {
    const drive = new Drive(serviceSpec([live, probeSpec('boot', 'startup')])).look(ok)
    expect(drive.status).toBe('starting')
    drive.look(ok, 'boot')
    expect(drive.status).toBe('healthy')
    expect(drive.paces.get('boot')?.intervalMs).toBe(Infinity)
  })
})

describe('a probe that asks the wrong question', () => {
  test('makes a service unknown when it never succeeded', () => {
    const drive = new Drive().looks(300, [notFound, notFound, notFound])
    expect(drive.last).toMatchObject({ status: 'unknown', symptom: 'misconfigured', evidence: null })
    expect(drive.last.reason).toBe('live: 404 for GET /health')
  })

  test('degrades a service that was healthy, and never more', () => {
    const drive = new Drive().look(ok).look(notFound)
    expect(drive.paces.get('live')?.intervalMs).toBe(500)
    for (let i = 0; i < 100; i++) drive.look(notFound).advance(1_000)
    expect(drive.story).toEqual(['starting', 'healthy', 'degraded:misconfigured'])
    drive.looks(500, [ok, ok, ok])
    expect(drive.status).toBe('healthy')
  })
})

describe('staleness', () => {
  test('ten seconds of void attempts make a healthy service unknown, one success makes it healthy', () => {
    const drive = new Drive().look(ok)
    for (let i = 0; i < 10; i++) drive.advance(1_000).look(noDescriptor)
    expect(drive.status).toBe('healthy')
    drive.advance(1_000).look(noDescriptor)
    expect(drive.last).toMatchObject({
      status: 'unknown',
      symptom: 'observer',
      reason: 'no valid look for 11.0 s: EMFILE',
    })
    expect(drive.look(ok).status).toBe('healthy')
  })
})
