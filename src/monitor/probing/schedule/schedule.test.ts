import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { ProbeSpec } from '../../model/index.ts'
import { initialSchedule, maxInFlight, schedule, type Launch, type ScheduleEvent } from './schedule.ts'
import { WakeQueue } from './wake-queue.ts'

const spec = (name: string, more: Partial<ProbeSpec> = {}): ProbeSpec => ({
  name,
  role: 'liveness',
  kind: 'test',
  options: {},
  intervalMs: 1_000,
  timeoutMs: 1_300,
  ...more,
})

/** A schedule with a clock: wakes it when it asked, and keeps what it launched. */
class Drive {
  now = 0
  wakeAt: number
  readonly launched: (Launch & { readonly at: number })[] = []
  readonly state

  constructor(probes: readonly ProbeSpec[] = [spec('p')], phase = 0) {
    this.state = initialSchedule(probes, this.now, () => phase)
    this.wakeAt = this.send({ type: 'due' })
  }

  send(event: ScheduleEvent): number {
    const { launches, wakeAt } = schedule(this.state, event, this.now)
    for (const launch of launches) this.launched.push({ ...launch, at: this.now })
    return (this.wakeAt = wakeAt)
  }

  advance(ms: number): this {
    const until = this.now + ms
    for (let i = 0; this.wakeAt <= until; i++) {
      if (i > 100_000) throw new RangeError('it never rests')
      this.now = Math.max(this.now, this.wakeAt)
      this.send({ type: 'due' })
    }
    this.now = until
    return this
  }

  finish(attempt: number, answered = true, probe = 'p'): this {
    this.send({ type: 'finished', probe, attempt, answered })
    return this
  }

  pace(intervalMs: number, hedgeAfterMs: number | null = null): this {
    this.send({ type: 'pace', probe: 'p', pace: { intervalMs, hedgeAfterMs } })
    return this
  }

  get times(): readonly number[] {
    return this.launched.map(({ at }) => at)
  }
}

describe('primaries', () => {
  test('start at their phase and go on by the interval', () => {
    const drive = new Drive([spec('p')], 0.25)
    for (let i = 1; i <= 4; i++) drive.advance(1_000).finish(i)
    expect(drive.times).toEqual([250, 1_250, 2_250, 3_250])
    expect(drive.launched.map(({ attempt, group }) => [attempt, group])).toEqual([
      [1, 1],
      [2, 2],
      [3, 3],
      [4, 4],
    ])
  })

  test('a faster pace counts from the last primary', () => {
    const drive = new Drive().finish(1).advance(100).pace(300)
    expect(drive.advance(200).times).toEqual([0, 300])
  })

  test('back at a slower pace each probe waits a share of its own, so that what was hurried together parts again', () => {
    const drives = [0.1, 0.5, 0.9].map((phase) => new Drive([spec('p')], phase).pace(200).advance(199).finish(1))
    for (const drive of drives) drive.pace(1_000).advance(1_000)
    expect(drives.map(({ times }) => times.map(Math.round))).toEqual([
      [20, 920],
      [100, 600],
      [180, 280],
    ])
  })

  test('a pace that is overdue launches at once', () => {
    const drive = new Drive().finish(1).advance(700).pace(80)
    expect(drive.times).toEqual([0, 700])
  })

  test('an infinite interval stops a probe, and a finite one starts it again within its phase', () => {
    const drive = new Drive([spec('p')], 0.5).advance(500).finish(1).pace(Infinity)
    expect(drive.wakeAt).toBe(Infinity)
    drive.advance(10_000).pace(200)
    expect(drive.advance(200).times).toEqual([500, 10_600])
  })

  test('"now" launches out of turn, and the next one an interval later', () => {
    const drive = new Drive().finish(1).advance(400)
    drive.send({ type: 'now', probe: 'p' })
    drive.finish(2).advance(1_000)
    expect(drive.times).toEqual([0, 400, 1_400])
  })

  test('after a standstill each probe goes back to its own place, so that a fleet does not march in step', () => {
    const drives = [0.1, 0.5, 0.9].map((phase) => new Drive([spec('p')], phase).advance(1_000).finish(1))
    for (const drive of drives) {
      drive.now = 10_000
      drive.send({ type: 'due' })
      drive.finish(2).advance(2_000)
    }
    expect(drives.map(({ times }) => times.slice(1).map(Math.round))).toEqual([
      [10_000, 11_100],
      [10_000, 11_500],
      [10_000, 11_900],
    ])
  })

  test('probes of one instance are scheduled apart', () => {
    const drive = new Drive([spec('p'), spec('q', { intervalMs: 400 })])
    drive.finish(1).finish(1, true, 'q').advance(400)
    expect(drive.launched.map(({ probe, at }) => `${probe}@${at}`)).toEqual(['p@0', 'q@0', 'q@400'])
  })
})

describe('hedges', () => {
  test('come every 400 ms while there is no answer, each in the group of its primary', () => {
    const drive = new Drive().pace(10_000, 400).advance(1_250)
    expect(drive.times).toEqual([0, 400, 800, 1_200])
    expect(drive.launched.every(({ group }) => group === 1)).toBe(true)
  })

  test.each([
    ['an answer', true, 1],
    ['silence or a void attempt', false, 3],
  ])('%s: hedges until then and after: %s', (_, answered, launches) => {
    const drive = new Drive().pace(10_000, 400).advance(100).finish(1, answered).advance(1_000)
    expect(drive.times).toHaveLength(launches)
  })

  test('belong to the newest group only', () => {
    const drive = new Drive().pace(500, 400).advance(1_000)
    expect(drive.launched.map(({ at, group }) => `${at}:${group}`)).toEqual([
      '0:1',
      '400:1',
      '500:3',
      '900:3',
      '1000:5',
    ])
  })

  test('that could not be launched in time are not made up for', () => {
    const drive = new Drive().pace(10_000).advance(2_000).pace(10_000, 400).advance(450)
    expect(drive.times).toEqual([0, 2_000, 2_400])
  })

  test('none without a hedge in the pace', () => {
    expect(new Drive().pace(10_000, null).advance(9_000).times).toEqual([0])
  })
})

describe('bounds', () => {
  test('at most five attempts of a probe are in flight; the next one starts when a slot is free', () => {
    const drive = new Drive().pace(100).advance(1_000)
    expect(drive.times).toEqual([0, 100, 200, 300, 400])
    drive.finish(2, false)
    expect(drive.times).toHaveLength(6)
    expect(drive.launched.at(-1)?.at).toBe(1_000)
  })

  test('an attempt that is never finished is forgotten two seconds after its timeout', () => {
    const drive = new Drive().pace(100).advance(3_299)
    expect(drive.times).toHaveLength(5)
    expect(drive.advance(1).times).toHaveLength(6)
  })

  test('whatever happens: attempts count up, never too many are in flight, and it rests until its wake-up', () => {
    const event = fc.oneof(
      fc.record({ do: fc.constant('advance' as const), ms: fc.integer({ min: 0, max: 3_000 }) }),
      fc.record({ do: fc.constant('finish' as const), pick: fc.nat(9), answered: fc.boolean() }),
      fc.record({
        do: fc.constant('pace' as const),
        intervalMs: fc.constantFrom(80, 200, 300, 500, 1_000, 10_000, Infinity),
        hedgeAfterMs: fc.constantFrom(null, 400, 450),
      }),
      fc.record({ do: fc.constant('now' as const) }),
    )
    const phase = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })
    fc.assert(
      fc.property(fc.array(event, { maxLength: 150 }), phase, (story, at) => {
        const drive = new Drive([spec('p')], at)
        const open: number[] = []
        let seen = 0
        const take = () => {
          for (const { attempt, at: since } of drive.launched.slice(seen)) {
            expect(attempt).toBe(++seen)
            open.push(attempt)
            const young = open.filter((one) => since < (drive.launched[one - 1]?.at ?? 0) + 1_300 + 2_000)
            expect(young.length).toBeLessThanOrEqual(maxInFlight)
          }
        }
        take()
        for (const step of story) {
          if (step.do === 'advance') drive.advance(step.ms)
          else if (step.do === 'pace') drive.pace(step.intervalMs, step.hedgeAfterMs)
          else if (step.do === 'now') drive.send({ type: 'now', probe: 'p' })
          else {
            const [attempt] = open.splice(step.pick % Math.max(1, open.length), 1)
            if (attempt !== undefined) drive.finish(attempt, step.answered)
          }
          take()
          expect(drive.wakeAt).toBeGreaterThan(drive.now)
        }
      }),
    )
  })
})

describe('the wake queue', () => {
  test('gives keys in the order of their latest times, each once, and forgets what was taken out', () => {
    const op = fc.oneof(
      fc.record({ key: fc.nat(20), at: fc.oneof(fc.nat(1_000), fc.constant(Infinity)) }),
      fc.record({ key: fc.nat(20), at: fc.constant(null) }),
    )
    fc.assert(
      fc.property(fc.array(op, { maxLength: 400 }), fc.nat(1_000), (ops, now) => {
        const queue = new WakeQueue<number>()
        const truth = new Map<number, number>()
        for (const { key, at } of ops) {
          if (at === null) queue.delete(key)
          else queue.set(key, at)
          if (at === null || at === Infinity) truth.delete(key)
          else truth.set(key, at)
        }
        expect(queue.size).toBe(truth.size)
        expect(queue.nextAt).toBe(Math.min(...truth.values()))
        const popped: number[] = []
        for (let key = queue.pop(now); key !== undefined; key = queue.pop(now)) popped.push(key)
        const due = [...truth].filter(([, at]) => at <= now)
        expect([...popped].sort((a, b) => a - b)).toEqual(due.map(([key]) => key).sort((a, b) => a - b))
        const times = popped.map((key) => truth.get(key) ?? 0)
        expect(times).toEqual([...times].sort((a, b) => a - b))
        expect(queue.size).toBe(truth.size - due.length)
      }),
    )
  })
})
