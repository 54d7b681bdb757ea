import { describe, expect, test } from 'vitest'
import { healthyDrive, live, ok, ready, refused, serviceSpec } from './drive.testing.ts'
import { rules } from './rules.ts'
import {
  initialSelfHealth,
  observeTick,
  penalize,
  press,
  type ObserverCondition,
  type SelfHealth,
} from './self-health.ts'

describe('detection under an observer that doubts itself', () => {
  test('unwell makes a service unknown, and one fresh success gives it back what it was', () => {
    const drive = healthyDrive().observer(true)
    expect(drive.last).toMatchObject({ status: 'unknown', symptom: 'observer', evidence: null })
    drive.look(ok)
    expect(drive.status).toBe('unknown')
    drive.observer(false)
    expect(drive.status).toBe('unknown')
    expect(drive.look(ok).status).toBe('healthy')
  })

  test('what was in flight when it fell ill is thrown away', () => {
    const drive = healthyDrive()
    const attempts = [drive.begin(), drive.begin(), drive.begin()]
    const startedAt = drive.now
    drive.advance(700).observer(true).advance(100).observer(false)
    for (const [i, attempt] of attempts.entries()) drive.end(attempt, refused, 'live', startedAt + 300 * i)
    expect(drive.status).toBe('unknown')
    drive.look(ok)
    expect(drive.status).toBe('healthy')
  })

  test('failures seen before count for nothing after', () => {
    const drive = healthyDrive().looks(300, [refused, refused]).observer(true).observer(false)
    drive.look(refused)
    expect(drive.status).toBe('unknown')
    drive.advance(300).looks(300, [refused, refused])
    expect(drive.story.at(-1)).toBe('unhealthy:failing')
  })

  test('an illness is remembered, and shown again when a fresh look confirms it', () => {
    const drive = healthyDrive().looks(300, [refused, refused, refused]).observer(true).observer(false)
    expect(drive.status).toBe('unknown')
    drive.look(refused)
    expect(drive.last).toMatchObject({ status: 'unhealthy', symptom: 'failing', previous: 'unknown' })
  })

  test('a remembered illness is not shown again where fresh looks speak against it, and ends as ever', () => {
    const drive = healthyDrive().looks(300, [refused, refused, refused]).observer(true).observer(false)
    drive.look(ok)
    expect(drive.status).toBe('unknown')
    drive.advance(500).look(ok)
    expect(drive.status).toBe('unknown')
    drive.advance(500).look(ok)
    expect(drive.status).toBe('healthy')
  })

  test('an illness of readiness is confirmed by readiness, whatever liveness says meanwhile', () => {
    const drive = healthyDrive(serviceSpec([live, ready]))
    for (let i = 0; i < 3; i++) drive.look(refused, 'ready').advance(300)
    expect(drive.story.at(-1)).toBe('degraded:not-ready')
    drive.observer(true).observer(false).look(ok)
    expect(drive.status).toBe('unknown')
    drive.look(refused, 'ready')
    expect(drive.story.at(-1)).toBe('degraded:not-ready')
  })

  test('an exit is certain, whatever the observer thinks of its eyes', () => {
    const drive = healthyDrive().observer(true).runtime('instance.exited', { state: 'exited' })
    expect(drive.last).toMatchObject({ status: 'unhealthy', evidence: 'certain' })
  })

  test('a success of readiness alone does not show that a service lives', () => {
    const drive = healthyDrive(serviceSpec([live, ready]))
      .observer(true)
      .observer(false)
      .look(ok, 'ready')
    expect(drive.status).toBe('unknown')
  })
})

describe('self-health', () => {
  /** Ticks with the given pauses; the wall clock goes along unless a jump says otherwise. */
  function run(self: SelfHealth, pauses: readonly number[], jumps: Readonly<Record<number, number>> = {}) {
    const changes: ObserverCondition[] = []
    for (const [i, pause] of pauses.entries()) {
      const { mono, wall } = self.last
      const changed = observeTick(self, { mono: mono + pause, wall: wall + pause + (jumps[i] ?? 0) })
      if (changed) changes.push(changed)
    }
    return changes
  }
  const fresh = () => initialSelfHealth({ mono: 0, wall: 1_000_000 })
  const punctual = (ms: number) => Array.from({ length: ms / rules.observer.tickMs }, () => rules.observer.tickMs)

  test.each([
    ['punctual ticks', punctual(10_000), 'well'],
    ['a tick 250 ms late', [300], 'well'],
    ['a tick 251 ms late', [301], 'stretched'],
    ['two late ticks', [400, 400], 'stretched'],
    ['three late ticks', [400, 400, 400], 'unwell'],
    ['a gap of over a second', [1_001], 'unwell'],
    ['a stop of ten seconds', [10_000], 'unwell'],
    [
      'three late ticks, each followed by a clean second',
      [400, ...punctual(1_100), 400, ...punctual(1_100), 400],
      'stretched',
    ],
  ])('%s: %s', (_, pauses, expected) => {
    const self = fresh()
    run(self, pauses)
    const { unwell, stretched } = self.condition
    expect(unwell ? 'unwell' : stretched ? 'stretched' : 'well').toBe(expected)
  })

  test('a clock that is set by an hour stretches and no more', () => {
    const self = fresh()
    const changes = run(self, punctual(3_000), { 10: 3_600_000 })
    expect(changes.map(({ unwell, stretched }) => ({ unwell, stretched }))).toEqual([
      { unwell: false, stretched: true },
      { unwell: false, stretched: false },
    ])
    expect(changes[0]?.reason).toBe('the monitor doubts itself: the wall clock jumped')
  })

  test('unwell ends three seconds after the score fell below three, and is then forgotten', () => {
    const self = fresh()
    run(self, [5_000])
    run(self, punctual(4_000))
    expect(self.condition.unwell).toBe(true)
    run(self, punctual(200))
    expect(self.condition.unwell).toBe(false)
    run(self, punctual(2_000))
    expect(self.condition).toEqual({ unwell: false, stretched: false, reason: '' })
  })

  test('a sign that shows every second adds up', () => {
    const self = fresh()
    for (let second = 1; second <= 3; second++) {
      run(self, punctual(1_000))
      penalize(self, 'sentinel', self.last)
    }
    expect(self.condition.unwell).toBe(true)
  })

  test('a hundred attempts that fail for one reason at once are one sign', () => {
    const self = fresh()
    for (let i = 0; i < 100; i++) penalize(self, 'local', { mono: i, wall: 1_000_000 + i })
    expect(self.condition).toMatchObject({ unwell: false, stretched: true })
    penalize(self, 'sentinel', { mono: 300, wall: 1_000_300 })
    penalize(self, 'local', { mono: 600, wall: 1_000_600 })
    expect(self.condition.unwell).toBe(true)
  })
})

describe('pressure on the host', () => {
  const at = (mono: number) => ({ mono, wall: mono })
  test.each([
    ['a processor that is waited for nearly always', { cpu: 0.95, memory: 0 }, 'the host is short of processor time'],
    ['memory that all wait for', { cpu: 0, memory: 0.3 }, 'the host is short of memory'],
  ])('%s stretches silence, and is no illness of the monitor', (_, pressure, reason) => {
    const self = initialSelfHealth(at(0))
    expect(press(self, pressure, at(10))).toEqual({ unwell: false, stretched: true, reason })
  })

  test('is over only well below where it began', () => {
    const self = initialSelfHealth(at(0))
    press(self, { cpu: 0.95, memory: 0 }, at(10))
    expect(press(self, { cpu: 0.7, memory: 0 }, at(20))).toBeNull()
    expect(press(self, { cpu: 0.5, memory: 0 }, at(30))).toMatchObject({ stretched: false })
    expect(press(self, { cpu: 0.7, memory: 0 }, at(40))).toBeNull()
  })
})
