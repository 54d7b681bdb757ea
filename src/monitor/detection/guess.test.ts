import { describe, expect, test } from 'vitest'
import { Drive, error500, notFound, ok, probeSpec, refused, running, serviceSpec, silence } from './drive.testing.ts'

const guess = probeSpec('guess', 'liveness', { guessed: true })
const other = probeSpec('other', 'readiness', { guessed: true })
const said = probeSpec('said', 'liveness')

describe('a probe that nobody asked for', () => {
  test.each([
    ['is refused', refused],
    ['finds no such path', notFound],
    ['gets errors', error500],
    ['gets no answer', silence],
  ])('and that %s from the beginning leaves the service as if there were none', (_, outcome) => {
    const drive = new Drive(serviceSpec([guess, other]))
    for (let i = 0; i < 90; i++) drive.look(outcome, 'guess').look(outcome, 'other').advance(1_000)
    expect(drive.story).toEqual(['starting', 'healthy'])
  })

  test('about what nobody runs here leaves it unknown until it is right', () => {
    const drive = new Drive(serviceSpec([guess]), running({ startedAt: null, kind: 'external' }))
    for (let i = 0; i < 90; i++) drive.look(refused, 'guess').advance(1_000)
    expect(drive.story).toEqual(['unknown'])
    drive.look(ok, 'guess')
    expect(drive.status).toBe('healthy')
  })

  test('does not stand in the way of one that somebody did ask for', () => {
    const drive = new Drive(serviceSpec([said, guess]))
    drive.look(notFound, 'guess').look(ok, 'said')
    expect(drive.status).toBe('healthy')
    for (let i = 0; i < 5; i++) drive.look(refused, 'said').look(notFound, 'guess').advance(300)
    expect(drive.last).toMatchObject({ status: 'unhealthy', symptom: 'failing', reason: 'said: connection refused' })
  })

  test('counts from its first success on', () => {
    const drive = new Drive(serviceSpec([guess])).advance(2_000)
    expect(drive.status).toBe('healthy')
    drive.look(ok, 'guess').advance(1_000)
    for (let i = 0; i < 3; i++) drive.look(refused, 'guess').advance(300)
    expect(drive.last).toMatchObject({ status: 'unhealthy', symptom: 'failing', evidence: 'explicit' })
  })

  test('still counts in the next run, for then it is known to be right', () => {
    const drive = new Drive(serviceSpec([guess])).look(ok, 'guess').runtime('instance.exited', { state: 'exited' })
    drive.runtime('instance.started', { startedAt: 'later' }).advance(5_000)
    expect(drive.status).toBe('starting')
    drive.look(ok, 'guess').advance(1_000).look(ok, 'guess').advance(500).look(ok, 'guess')
    expect(drive.status).toBe('healthy')
  })

  test('is not proven by what a former life of the monitor saw of the other probes', () => {
    const drive = new Drive(serviceSpec([guess]), running(), { proven: true, runningForMs: 3_600_000 })
    for (let i = 0; i < 20; i++) drive.look(notFound, 'guess').advance(1_000)
    expect(drive.last).toMatchObject({ status: 'healthy' })
  })
})

describe('a probe that stands in for a guess', () => {
  const standIn = probeSpec('standIn', 'liveness', { standIn: true })
  const spec = serviceSpec([guess, standIn])

  test('counts while the guess has not been right', () => {
    const drive = new Drive(spec).look(ok, 'standIn')
    expect(drive.status).toBe('healthy')
    drive.advance(1_000)
    for (let i = 0; i < 3; i++) drive.look(refused, 'guess').look(refused, 'standIn').advance(300)
    expect(drive.last).toMatchObject({ status: 'unhealthy', reason: 'standIn: connection refused' })
  })

  test('says nothing any more once it has, neither of this run nor of the next', () => {
    const drive = new Drive(spec).look(ok, 'guess')
    expect(drive.status).toBe('healthy')
    for (let i = 0; i < 20; i++) drive.look(ok, 'guess').look(error500, 'standIn').advance(500)
    expect(drive.status).toBe('healthy')
    drive.runtime('instance.exited', { state: 'exited' }).runtime('instance.started', { startedAt: 'later' })
    for (let i = 0; i < 4; i++) drive.look(ok, 'guess').look(error500, 'standIn').advance(500)
    expect(drive.status).toBe('healthy')
  })

  test('of another role goes on counting', () => {
    const ready = probeSpec('ready', 'readiness', { standIn: true })
    const drive = new Drive(serviceSpec([guess, ready])).look(ok, 'guess').look(ok, 'ready').advance(1_000)
    for (let i = 0; i < 4; i++) drive.look(ok, 'guess').look(error500, 'ready').advance(500)
    expect(drive.last).toMatchObject({ status: 'degraded', symptom: 'not-ready' })
  })
})
