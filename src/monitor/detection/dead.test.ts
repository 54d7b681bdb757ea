import { describe, expect, test } from 'vitest'
import {
  Drive,
  error500,
  healthyDrive,
  live,
  noDescriptor,
  notFound,
  ok,
  ready,
  refused,
  running,
  serviceSpec,
  silence,
  unready,
} from './drive.testing.ts'

const repeat = <T>(count: number, value: T): T[] => Array.from({ length: count }, () => value)

describe('E0: what the runtime saw', () => {
  test.each([
    ['exited', { state: 'exited', exit: { code: 3, signal: null, oomKilled: false, at: '' } }, 'exited with code 3'],
    [
      'exited',
      { state: 'exited', exit: { code: null, signal: 'SIGKILL', oomKilled: false, at: '' } },
      'ended by SIGKILL',
    ],
    ['oom', { state: 'exited', exit: { code: 137, signal: null, oomKilled: true, at: '' } }, 'killed: out of memory'],
    ['exited', { state: 'exited', exit: null }, 'exited, nobody saw how'],
    [
      'failed-to-start',
      { state: 'failed', failure: { reason: 'no such\ncommand', permanent: true } },
      'could not be started: no such\\u000acommand',
    ],
  ] as const)('an instance that %s is unhealthy at once and with certainty (%#)', (symptom, more, reason) => {
    const drive = healthyDrive().runtime(symptom === 'failed-to-start' ? 'instance.failed' : 'instance.exited', more)
    expect(drive.last).toMatchObject({ status: 'unhealthy', symptom, evidence: 'certain', reason })
    expect(drive.last.firstEvidenceAt).toBe(drive.now)
  })

  test('an exit during the start-up grace counts', () => {
    const drive = new Drive().advance(100).runtime('instance.exited', { state: 'exited', startedAt: null })
    expect(drive.story).toEqual(['starting', 'unhealthy:exited'])
    expect(drive.last.startedAt).toBeNull()
  })

  test('what has ended is no longer probed, and probed fast when it runs again', () => {
    const drive = healthyDrive().runtime('instance.exited', { state: 'exited' })
    expect(drive.paces.get('live')?.intervalMs).toBe(Infinity)
    drive.runtime('instance.started', { startedAt: 'later' })
    expect(drive.paces.get('live')?.intervalMs).toBe(200)
  })

  test('answers of a former run say nothing about the present one', () => {
    const drive = healthyDrive()
    const attempt = drive.begin()
    drive.runtime('instance.exited', { state: 'exited' }).runtime('instance.started', { startedAt: 'later' })
    drive.end(attempt, ok)
    expect(drive.status).toBe('starting')
  })

  test('a start that is told twice begins one run only', () => {
    const drive = healthyDrive().runtime('instance.started')
    expect(drive.story).toEqual(['starting', 'healthy'])
  })

  test('a paused instance is unhealthy with certainty, and needs three successes over a second when it thaws', () => {
    const drive = healthyDrive().runtime('instance.suspended', { state: 'paused' })
    expect(drive.last).toMatchObject({ status: 'unhealthy', symptom: 'paused', evidence: 'certain' })
    drive.runtime('instance.resumed')
    expect(drive.status).toBe('starting')
    drive.looks(500, [ok, ok]).look(ok)
    expect(drive.status).toBe('healthy')
  })
})

describe('E1: explicit failures', () => {
  test.each([
    ['three over 600 ms', 300, [refused, refused, refused], true],
    ['three within 599 ms', 299.5, [refused, refused, refused], false],
    ['two over any time', 5_000, [refused, refused], false],
    ['three with a success between', 300, [refused, refused, ok, refused], false],
    ['three with a void attempt between', 300, [refused, noDescriptor, refused, refused], true],
    ['three with a 4xx between', 300, [refused, refused, notFound, refused], false],
    ['nine errors that were answered', 80, repeat(9, error500), false],
    ['ten errors that were answered', 80, repeat(10, error500), true],
    ['ten errors at once', 0, repeat(10, error500), false],
    ['a refusal among answered errors', 300, [error500, error500, refused], true],
  ])('%s', (_, every, outcomes, isUnhealthy) => {
    const drive = healthyDrive().looks(every, outcomes)
    expect(drive.status).toBe(isUnhealthy ? 'unhealthy' : 'healthy')
    if (isUnhealthy) expect(drive.last).toMatchObject({ symptom: 'failing', evidence: 'explicit' })
  })

  test('a refusal is followed by looks every 300 ms, an answered error by looks every 80 ms', () => {
    expect(healthyDrive().look(refused).paces.get('live')?.intervalMs).toBe(300)
    expect(healthyDrive().look(error500).paces.get('live')?.intervalMs).toBe(80)
    expect(
      healthyDrive(serviceSpec([live, ready]))
        .look(error500, 'ready')
        .paces.get('ready')?.intervalMs,
    ).toBe(300)
  })

  test('the first evidence is when the first failure was known', () => {
    const drive = healthyDrive()
    const first = drive.now
    drive.looks(300, [refused, refused, refused])
    expect(drive.last.firstEvidenceAt).toBe(first)
    expect(drive.last.reason).toBe('live: connection refused')
  })

  test('a service known to err needs a run as long as its errors would give once in a million', () => {
    const drive = healthyDrive()
    // Every other answer an error, until it is called erroring; then a run of ten, which chance alone would bring.
    for (let i = 0; i < 40 && drive.status === 'healthy'; i++) drive.looks(300, [error500, ok])
    expect(drive.story.at(-1)).toBe('degraded:erroring')
    drive.looks(300, repeat(15, error500))
    expect(drive.story.at(-1)).toBe('degraded:erroring')
    drive.looks(300, repeat(10, error500))
    expect(drive.story.at(-1)).toBe('unhealthy:failing')
  })

  test('a failing readiness probe degrades, with the names that the target gave, and never more', () => {
    const drive = healthyDrive(serviceSpec([live, ready])).looks(300, repeat(3, unready('postgres')), 'ready')
    expect(drive.last).toMatchObject({ status: 'degraded', symptom: 'not-ready', evidence: 'explicit' })
    expect(drive.last.failing).toEqual(['postgres'])
    for (let i = 0; i < 20; i++) drive.look(ok).look(unready('postgres'), 'ready').advance(1_000)
    expect(drive.status).toBe('degraded')
  })

  test('other names of failing checks are told when they came twice', () => {
    const drive = healthyDrive(serviceSpec([live, ready])).looks(300, repeat(3, unready('postgres')), 'ready')
    const told = drive.verdicts.length
    drive.look(unready('redis'), 'ready').look(unready('postgres'), 'ready')
    expect(drive.verdicts).toHaveLength(told)
    drive.look(unready('redis'), 'ready').look(unready('redis'), 'ready')
    expect(drive.last).toMatchObject({ status: 'degraded', previous: 'degraded', failing: ['redis'] })
  })
})

describe('E2: silence', () => {
  /** Attempts every 400 ms from now on, none of which is answered; each ends after its timeout. */
  function fallSilent(drive: Drive, forMs: number, every = 400, probe = 'live'): Drive {
    const open: { attempt: number; at: number }[] = []
    const until = drive.now + forMs
    let next = drive.now
    while (drive.now < until) {
      const end = open[0] ? open[0].at + 1_300 : Infinity
      const to = Math.min(next, end, until)
      drive.advance(to - drive.now)
      if (to === end) {
        const done = open.shift()
        if (done) drive.end(done.attempt, silence, probe, done.at)
      } else if (to === next) {
        open.push({ attempt: drive.begin(probe), at: drive.now })
        next += every
      }
    }
    return drive
  }

  test('six attempts without an answer and 2.5 s since the first: hung', () => {
    const drive = healthyDrive()
    const from = drive.now
    fallSilent(drive, 2_499)
    expect(drive.status).toBe('healthy')
    fallSilent(drive, 10)
    expect(drive.last).toMatchObject({ status: 'unhealthy', symptom: 'hung', evidence: 'silence' })
    expect(drive.last.firstEvidenceAt).toBe(from)
    expect(drive.times.at(-1)).toBe(from + 2_500)
  })

  test('five attempts are not enough, however long they take', () => {
    const drive = healthyDrive()
    const attempts = [0, 1, 2, 3, 4].map(() => drive.begin())
    drive.advance(9_000)
    expect(drive.status).toBe('healthy')
    drive.begin()
    expect(drive.status).toBe('unhealthy')
    expect(attempts).toHaveLength(5)
  })

  test('any success clears the series, a late one of an early attempt too', () => {
    const drive = healthyDrive()
    const first = drive.begin()
    const startedAt = drive.now
    drive.advance(400)
    for (let i = 0; i < 5; i++) {
      drive.begin('live', first)
      drive.advance(400)
    }
    drive.end(first, ok, 'live', startedAt)
    fallSilent(drive, 2_400)
    expect(drive.status).toBe('healthy')
  })

  test('a stretched observer waits a second longer', () => {
    const drive = healthyDrive().observer(false, true)
    fallSilent(drive, 3_499)
    expect(drive.status).toBe('healthy')
    expect(fallSilent(drive, 10).status).toBe('unhealthy')
  })

  test('a network that loses much waits a second longer too', () => {
    const drive = healthyDrive()
    // Group after group is answered by its hedge only.
    for (let i = 0; i < 20; i++) {
      const primary = drive.begin()
      const startedAt = drive.now
      drive.advance(400).end(drive.begin('live', primary), ok)
      drive.advance(900).end(primary, silence, 'live', startedAt)
    }
    expect(drive.story).toEqual(['starting', 'healthy'])
    fallSilent(drive, 3_000)
    expect(drive.status).toBe('healthy')
    expect(fallSilent(drive, 600).status).toBe('unhealthy')
  })

  test('refusals count among the attempts, answered errors do not make silence', () => {
    const mixed = healthyDrive().looks(420, [refused, silence, silence, silence, silence, silence, silence])
    expect(mixed.story.at(-1)).toBe('unhealthy:hung')
    const errors = healthyDrive().looks(500, repeat(7, error500))
    expect(errors.status).toBe('healthy')
  })

  test('a void attempt is as if it never was', () => {
    const drive = healthyDrive()
    drive.look(noDescriptor).advance(2_000)
    fallSilent(drive, 2_499)
    expect(drive.status).toBe('healthy')
    expect(fallSilent(drive, 10).status).toBe('unhealthy')
  })

  test('when all that is known of a series was void, it begins anew', () => {
    const drive = healthyDrive()
    const attempts = Array.from({ length: 10 }, () => drive.begin())
    for (const attempt of attempts.slice(0, 8)) drive.end(attempt, noDescriptor)
    for (let i = 0; i < 5; i++) drive.begin()
    drive.advance(5_000)
    expect(drive.status).toBe('healthy')
    drive.begin()
    expect(drive.status).toBe('unhealthy')
  })

  test('silence of readiness alone degrades', () => {
    const drive = healthyDrive(serviceSpec([live, ready]))
    fallSilent(drive, 2_600, 400, 'ready')
    expect(drive.last).toMatchObject({ status: 'degraded', symptom: 'not-ready', evidence: 'silence' })
  })

  test('a probe with a long timeout is given time in proportion', () => {
    const patient = { ...live, timeoutMs: 5_000 }
    const drive = healthyDrive(serviceSpec([patient]))
    for (let i = 0; i < 6; i++) drive.begin()
    drive.advance(6_199)
    expect(drive.status).toBe('healthy')
    expect(drive.advance(1).status).toBe('unhealthy')
  })

  test('a stopped process is examined at once, and named in the reason', () => {
    const drive = healthyDrive().runtime('instance.suspended', { state: 'suspended' })
    expect(drive.probedNow).toEqual(['live'])
    const from = drive.now
    fallSilent(drive, 2_501)
    expect(drive.times.at(-1)).toBe(from + 2_500)
    expect(drive.last.reason).toBe('stopped process (state T): no answer to 7 attempts in 2.5 s')
  })

  test('a stopped process that goes on and answers in time was never ill', () => {
    const drive = healthyDrive().runtime('instance.suspended', { state: 'suspended' })
    fallSilent(drive, 2_000)
    drive.runtime('instance.resumed').looks(500, repeat(8, ok))
    expect(drive.story).toEqual(['starting', 'healthy'])
  })
})

describe('back to healthy', () => {
  const ill = () => healthyDrive().looks(300, [refused, refused, refused])

  test.each([
    ['three over a second', [500, 500, 0], true],
    ['three within 999 ms', [499.5, 499.5, 0], false],
    ['two over a second', [1_000, 0], false],
    ['many at once', [0, 0, 0, 0, 0, 0], false],
  ])('%s', (_, pauses, isHealthy) => {
    const drive = ill()
    for (const pause of pauses) drive.look(ok).advance(pause)
    expect(drive.status).toBe(isHealthy ? 'healthy' : 'unhealthy')
  })

  test('a failure between begins the count anew', () => {
    const drive = ill().looks(500, [ok, ok, refused, ok, ok])
    expect(drive.status).toBe('unhealthy')
    expect(drive.look(ok).status).toBe('healthy')
  })

  test('an attempt that the network lost while others succeeded does not', () => {
    const drive = ill()
    const lost = drive.begin()
    const startedAt = drive.now
    drive.looks(500, [ok, ok])
    drive.end(lost, silence, 'live', startedAt)
    expect(drive.look(ok).status).toBe('healthy')
  })

  test('the outage is not held against the target as errors afterwards', () => {
    const drive = healthyDrive().looks(300, repeat(20, error500)).looks(500, repeat(4, ok))
    expect(drive.story).toEqual(['starting', 'healthy', 'unhealthy:failing', 'healthy'])
  })
})

describe('a service without probes', () => {
  test('is healthy when it has run for a second, and unhealthy when it exits', () => {
    const drive = new Drive(serviceSpec([]), running())
    expect(drive.status).toBe('starting')
    drive.advance(1_000)
    expect(drive.status).toBe('healthy')
    drive.runtime('instance.exited', { state: 'exited' })
    expect(drive.story).toEqual(['starting', 'healthy', 'unhealthy:exited'])
  })
})
