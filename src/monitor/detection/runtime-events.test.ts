import { describe, expect, test } from 'vitest'
import type { EndedBy } from '../model/index.ts'
import { Drive, healthyDrive, live, ok, refused, running, serviceSpec } from './drive.testing.ts'

const end = (code: number, endedBy?: EndedBy) => ({
  state: 'exited' as const,
  exit: { code, signal: null, oomKilled: false, at: '', ...(endedBy ? { endedBy } : {}) },
})

describe('a runtime that does not answer', () => {
  test('makes the instance unknown, never dead, and nothing is probed meanwhile', () => {
    const drive = healthyDrive().runtime('instance.lost', { state: 'unknown' })
    expect(drive.last).toMatchObject({ status: 'unknown', symptom: 'runtime', evidence: null })
    expect(drive.paces.get('live')?.intervalMs).toBe(Infinity)
  })

  test('says nothing about the instance when it is back: only a fresh look does', () => {
    const drive = healthyDrive().runtime('instance.lost', { state: 'unknown' }).advance(60_000)
    drive.runtime('instance.started')
    expect(drive.last).toMatchObject({ status: 'unknown', symptom: 'observer' })
    drive.look(ok)
    expect(drive.story).toEqual(['starting', 'healthy', 'unknown:runtime', 'unknown:observer', 'healthy'])
  })

  test('does not turn the time in which nobody looked into silence', () => {
    const drive = healthyDrive()
    drive.begin()
    drive.runtime('instance.lost', { state: 'unknown' }).advance(10_000).runtime('instance.started').advance(100)
    expect(drive.story).not.toContain('unhealthy:hung')
  })

  test('and finds another run when it is back, which gets its grace', () => {
    const drive = healthyDrive().runtime('instance.lost', { state: 'unknown' })
    drive.runtime('instance.started', { startedAt: 'later' }).look(refused)
    expect(drive.status).toBe('starting')
  })
})

describe('somebody who stops an instance', () => {
  test('is believed: what it answers while it ends is no illness', () => {
    const drive = healthyDrive().runtime('instance.stopping', { state: 'stopping' })
    expect(drive.last).toMatchObject({ status: 'unknown', symptom: 'stopped', evidence: null })
    drive.looks(300, [refused, refused, refused, refused])
    expect(drive.status).toBe('unknown')
  })

  test('is forgotten when it did not end after all', () => {
    const drive = healthyDrive().runtime('instance.stopping', { state: 'stopping' }).advance(5_000)
    drive.runtime('instance.started').look(ok)
    expect(drive.status).toBe('healthy')
  })
})

describe('an end with code 0', () => {
  const job = serviceSpec([], { job: true })
  const perhaps = serviceSpec([], { mayFinish: true })
  test.each([
    ['of a job', job, end(0, 'itself'), 'unknown:finished'],
    ['of a job that had ended before', job, end(0, 'before'), 'unknown:finished'],
    ['of something that nothing calls a server', perhaps, end(0), 'unknown:finished'],
    ['of a job that was stopped', job, end(0, 'stop'), 'unhealthy:exited'],
    ['of something that was killed', perhaps, end(0, 'kill'), 'unhealthy:exited'],
    ['of a server', serviceSpec(), end(0, 'itself'), 'unhealthy:exited'],
    ['but another code, of a job', job, end(1, 'itself'), 'unhealthy:exited'],
  ] as const)('%s', (_, spec, more, story) => {
    const drive = new Drive(spec).runtime('instance.exited', more)
    expect(drive.story.at(-1)).toBe(story)
  })
})

test('a change of address or of the runtime’s own check begins nothing anew', () => {
  const drive = healthyDrive().runtime('instance.changed', { address: '10.0.0.9', startedAt: 'whatever' })
  expect(drive.story).toEqual(['starting', 'healthy'])
  expect(drive.state.instance.address).toBe('10.0.0.9')
})

describe('the time that a boot takes', () => {
  const restart = (drive: Drive, run: string) =>
    drive.runtime('instance.exited', end(1)).runtime('instance.started', { startedAt: run })

  test('is told with the first good verdict of a run whose start was seen', () => {
    const drive = restart(healthyDrive(), 'second').looks(1_000, [refused, refused]).look(ok)
    expect(drive.status).not.toBe('healthy')
    drive.advance(1_000).look(ok).advance(1_000).look(ok)
    expect(drive.last).toMatchObject({ status: 'healthy', bootMs: 4_000 })
    expect(healthyDrive().last.bootMs).toBeUndefined()
  })

  test('is learned, and doubles into the grace of the next run', () => {
    const drive = new Drive(serviceSpec([live], { startupGraceMs: 60_000 }), running({ startedAt: 'first' }))
    drive.runtime('instance.started', { startedAt: 'second' }).looks(
      1_000,
      Array.from({ length: 50 }, () => refused),
    )
    drive.look(ok)
    restart(drive, 'third').looks(
      1_000,
      Array.from({ length: 99 }, () => refused),
    )
    expect(drive.status).toBe('starting')
    drive.looks(1_000, [refused, refused, refused])
    expect(drive.last).toMatchObject({ status: 'unhealthy', symptom: 'never-ready' })
  })

  test('is learned from a run that was under way already, if it was seen not to be ready', () => {
    const late = new Drive(serviceSpec(), running(), { runningForMs: 30_000 })
    late.looks(1_000, [refused, refused, refused, ok])
    expect(late.last).toMatchObject({ status: 'healthy', bootMs: 33_000 })
    const ready = new Drive(serviceSpec(), running(), { runningForMs: 30_000 }).look(ok)
    expect(ready.last.bootMs).toBeUndefined()
  })

  test('is told though the grace was over before it was', () => {
    const drive = new Drive().looks(1_000, [...Array.from({ length: 90 }, () => refused), ok, ok, ok])
    expect(drive.story).toContain('unhealthy:never-ready')
    expect(drive.last).toMatchObject({ status: 'healthy', bootMs: expect.any(Number) })
    expect(drive.last.bootMs).toBeGreaterThanOrEqual(90_000)
  })

  test('that nobody has seen or told of is waited for longer, however well the service was before', () => {
    const refusals = (count: number) => Array.from({ length: count }, () => refused)
    const spec = serviceSpec([live], { unseenBootMs: 300_000 })
    const drive = healthyDrive(spec).runtime('instance.exited', end(0, 'stop'))
    drive.runtime('instance.started', { startedAt: 'second' }).looks(1_000, refusals(299))
    expect(drive.status).toBe('starting')
    drive.looks(1_000, refusals(3))
    expect(drive.last).toMatchObject({ status: 'unhealthy', symptom: 'never-ready' })
    // Once one was seen, that is the measure.
    drive.looks(1_000, [ok, ok, ok])
    const quick = healthyDrive(spec).runtime('instance.exited', end(1)).runtime('instance.started', { startedAt: 'b' })
    quick.looks(600, [ok, ok, ok]).runtime('instance.exited', end(1)).runtime('instance.started', { startedAt: 'c' })
    quick.looks(1_000, refusals(62))
    expect(quick.status).toBe('unhealthy')
  })

  test('is no measure where it waited for something else: ten minutes at most', () => {
    const drive = new Drive().looks(10_000, [...Array.from({ length: 200 }, () => refused), ok, ok, ok])
    expect(drive.last.bootMs).toBe(600_000)
  })

  test('may be remembered from a former life', () => {
    const drive = new Drive(serviceSpec(), running(), { bootMs: 90_000, proven: true })
    drive.looks(
      1_000,
      Array.from({ length: 179 }, () => refused),
    )
    expect(drive.status).toBe('starting')
    drive.looks(1_000, [refused, refused, refused])
    expect(drive.status).toBe('unhealthy')
  })
})

describe('a service that speaks as our own library does', () => {
  const report = { status: 'healthy', failing: [], version: '1.0.0', library: true } as const
  const spec = (more: object) => serviceSpec([{ ...live, intervalMs: 2_000, ...more }])
  test.each([
    ['is asked every second where nobody set the interval', { mayQuicken: true }, 1_000],
    ['is asked as often as somebody has set', {}, 2_000],
  ] as const)('%s', (_, more, intervalMs) => {
    const drive = healthyDrive(spec(more)).look({ class: 'ok', latencyMs: 5, report }).advance(5_000).look(ok)
    expect(drive.paces.get('live')?.intervalMs).toBe(intervalMs)
  })
})
