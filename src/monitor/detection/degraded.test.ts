import { describe, expect, test } from 'vitest'
import type { AttemptOutcome } from '../model/index.ts'
import {
  degraded,
  Drive,
  error500,
  healthyDrive,
  late,
  live,
  noDescriptor,
  ok,
  ready,
  serviceSpec,
  silence,
  unready,
} from './drive.testing.ts'

/** What an attempt comes to, and how long after its start. */
type Attempt = readonly [outcome: AttemptOutcome, afterMs: number]
const slow = (ms: number): Attempt => [late(ms), ms]
const fast: Attempt = [ok, 5]
const lost: Attempt = [silence, 1_300]

/** One group: a primary now and its hedges every 400 ms, each with its own end. */
function group(drive: Drive, attempts: readonly Attempt[]): Drive {
  const from = drive.now
  let primary = 0
  const steps = attempts.flatMap(([outcome, afterMs], i) => {
    const startedAt = from + 400 * i
    let number = 0
    const begin = () => {
      number = drive.begin('live', i === 0 ? undefined : primary)
      if (i === 0) primary = number
    }
    return [
      { at: startedAt, run: begin },
      { at: startedAt + afterMs, run: () => drive.end(number, outcome, 'live', startedAt) },
    ]
  })
  for (const { at, run } of steps.sort((a, b) => a.at - b.at)) {
    drive.advance(at - drive.now)
    run()
  }
  return drive
}

describe('slowness', () => {
  test.each<[string, Attempt[], boolean]>([
    ['an answer after 800 ms and its hedge as well', [slow(800), slow(800)], true],
    ['an answer after 800 ms without a hedge', [slow(800)], true],
    ['an answer after 800 ms whose hedge answers fast', [slow(800), fast], false],
    ['silence whose hedge answers fast', [lost, fast], false],
    ['a late answer beside a silent hedge, which the network may have lost', [slow(800), lost], false],
    ['a late answer beside a hedge that was void', [slow(800), [noDescriptor, 100]], true],
    ['fast answers', [fast], false],
    ['an answer just within the threshold', [[late(400), 400]], false],
  ])('four groups of five with %s: slow is %s', (_, attempts, isSlow) => {
    const drive = healthyDrive()
    for (let i = 0; i < 4; i++) group(drive, attempts).advance(100)
    if (isSlow) expect(drive.last).toMatchObject({ status: 'degraded', symptom: 'slow', evidence: 'slow' })
    else expect(drive.status).toBe('healthy')
  })

  test('time before the request was sent does not count', () => {
    const drive = healthyDrive()
    // A lost SYN: a second to connect, then an answer at once.
    for (let i = 0; i < 6; i++) group(drive, [[ok, 1_005]])
    expect(drive.status).toBe('healthy')
  })

  test('three of five are not enough', () => {
    const drive = healthyDrive()
    for (const one of [slow(800), slow(800), fast, slow(800), fast, slow(800), slow(800)]) group(drive, [one])
    expect(drive.status).toBe('healthy')
    expect(group(drive, [slow(800)]).story.at(-1)).toBe('degraded:slow')
  })

  test('a hedge begun for want of an answer brings a look every 500 ms', () => {
    const drive = healthyDrive()
    const primary = drive.begin()
    expect(drive.paces.get('live')).toEqual({ intervalMs: 1_000, hedgeAfterMs: 400 })
    drive.advance(400).begin('live', primary)
    expect(drive.paces.get('live')?.intervalMs).toBe(500)
  })

  test('the first evidence is the start of the first slow answer', () => {
    const drive = healthyDrive()
    const from = drive.now
    for (let i = 0; i < 4; i++) group(drive, [slow(800)])
    expect(drive.last.firstEvidenceAt).toBe(from)
    expect(drive.last.reason).toBe('live: answers take longer than 400 ms')
  })

  test('three fast answers over a second end it', () => {
    const drive = healthyDrive()
    for (let i = 0; i < 4; i++) group(drive, [slow(800)])
    drive.looks(500, [ok, ok])
    expect(drive.status).toBe('degraded')
    expect(drive.look(ok).status).toBe('healthy')
  })

  test('a service that always took 600 ms is not slow, and is when it takes nearly its whole timeout', () => {
    const drive = new Drive()
    for (let i = 0; i < 20; i++) group(drive, [slow(600)]).advance(400)
    expect(drive.status).toBe('healthy')
    // As late as TCP's first repetition of a SYN makes it: the network's doing, not the service's.
    for (let i = 0; i < 4; i++) group(drive, [slow(1_010)])
    expect(drive.status).toBe('healthy')
    for (let i = 0; i < 4; i++) group(drive, [slow(1_120)])
    expect(drive.story.at(-1)).toBe('degraded:slow')
  })

  test('the usual latency is not learned from slow answers', () => {
    const drive = healthyDrive()
    for (let i = 0; i < 200; i++) group(drive, [slow(800), slow(800)])
    expect(drive.story).toEqual(['starting', 'healthy', 'degraded:slow'])
  })

  test('a hedge comes after four times the usual latency, but soon enough for six attempts in 2.5 s', () => {
    const drive = new Drive()
    for (let i = 0; i < 20; i++) group(drive, [slow(110)]).advance(890)
    expect(drive.paces.get('live')?.hedgeAfterMs).toBe(440)
    for (let i = 0; i < 50; i++) group(drive, [slow(300)]).advance(700)
    expect(drive.paces.get('live')?.hedgeAfterMs).toBe(450)
  })

  test('while the observer is stretched nothing is called slow: it may be its own lag', () => {
    const drive = healthyDrive().observer(false, true)
    for (let i = 0; i < 10; i++) group(drive, [slow(800), slow(800)])
    expect(drive.status).toBe('healthy')
  })

  test('it never makes a service unhealthy', () => {
    const drive = healthyDrive()
    for (let i = 0; i < 100; i++) group(drive, [slow(1_250), slow(1_250)])
    expect(drive.status).toBe('degraded')
  })
})

describe('partial errors', () => {
  /** Whether attempt `i` fails, by a fixed sequence whose share of failures is `percent`. */
  const fails = (i: number, percent: number) => (i * 37) % 100 < percent

  test.each([
    [50, true],
    [30, true],
    [5, false],
    [2, false],
    [0, false],
  ])('%i %% of errors: erroring is %s', (percent, isErroring) => {
    const drive = healthyDrive()
    for (let i = 0; i < 400; i++) drive.look(fails(i, percent) ? error500 : ok).advance(300)
    if (isErroring) expect(drive.story).toEqual(['starting', 'healthy', 'degraded:erroring'])
    else expect(drive.story).toEqual(['starting', 'healthy'])
  })

  test('a second of errors is not enough: retries in a burst are no independent evidence', () => {
    const drive = healthyDrive()
    for (let i = 0; i < 3; i++) drive.looks(80, [error500, error500, error500, error500, ok])
    expect(drive.status).toBe('healthy')
  })

  test('some forty clean answers end it', () => {
    const drive = healthyDrive()
    for (let i = 0; i < 100; i++) drive.look(fails(i, 50) ? error500 : ok).advance(300)
    for (let i = 0; i < 30; i++) drive.look(ok).advance(500)
    expect(drive.status).toBe('degraded')
    for (let i = 0; i < 10; i++) drive.look(ok).advance(500)
    expect(drive.status).toBe('healthy')
  })

  test('silence does not count: a lossy network is no ill service', () => {
    const drive = healthyDrive()
    for (let i = 0; i < 400; i++) drive.look(fails(i, 50) ? silence : ok).advance(1_000)
    expect(drive.story).toEqual(['starting', 'healthy'])
  })
})

describe('what a target says of itself', () => {
  test('a second degraded report is believed, with its names', () => {
    const drive = healthyDrive().look(degraded('redis'))
    expect(drive.status).toBe('healthy')
    expect(drive.paces.get('live')?.intervalMs).toBe(500)
    drive.advance(500).look(degraded('redis'))
    expect(drive.last).toMatchObject({ status: 'degraded', symptom: 'reported', failing: ['redis'] })
  })

  test('three other reports over a second end it', () => {
    const drive = healthyDrive().looks(500, [degraded('redis'), degraded('redis')])
    drive.looks(500, [ok, ok])
    expect(drive.status).toBe('degraded')
    expect(drive.look(ok).status).toBe('healthy')
  })

  test('reports that change with every look do not flicker', () => {
    const drive = healthyDrive()
    for (let i = 0; i < 50; i++) drive.look(degraded(i % 2 ? 'a' : 'b')).advance(500)
    expect(drive.story).toEqual(['starting', 'healthy', 'degraded:reported'])
    const flapping = healthyDrive()
    for (let i = 0; i < 50; i++) flapping.look(i % 2 ? degraded('a') : ok).advance(500)
    expect(flapping.story).toEqual(['starting', 'healthy'])
  })

  test('not being ready weighs more than a degraded report', () => {
    const drive = healthyDrive(serviceSpec([live, ready])).looks(500, [degraded('db'), degraded('db')])
    expect(drive.story.at(-1)).toBe('degraded:reported')
    drive.looks(300, [unready('db'), unready('db'), unready('db')], 'ready')
    expect(drive.last).toMatchObject({ symptom: 'not-ready', previous: 'degraded', failing: ['db'] })
  })
})
