import { describe, expect, test } from 'vitest'
import { detect, initialDetection, type DetectionInput } from '../detection/index.ts'
import {
  defaultRecoveryPolicy,
  type AttemptOutcome,
  type Instance,
  type ServiceSpec,
  type Verdict,
} from '../model/index.ts'
import { initialSchedule, schedule, type ScheduleEvent } from '../probing/schedule/index.ts'

/** What a target does with a request that begins at `at`; null: it never answers. */
type Target = (at: number) => { readonly afterMs: number; readonly outcome: AttemptOutcome } | null

const ok: AttemptOutcome = { class: 'ok', latencyMs: 0, report: null }
const refused: AttemptOutcome = { class: 'explicit', reason: 'connection refused', latencyMs: 0, report: null }
const error500: AttemptOutcome = { ...refused, reason: 'answered 500', answered: true }
const fast = { afterMs: 5, outcome: ok }
const timeoutMs = 1_300

const spec: ServiceSpec = {
  name: 'svc',
  runtime: null,
  runtimeOptions: {},
  dependsOn: [],
  probes: [{ name: 'live', role: 'liveness', kind: 'test', options: {}, intervalMs: 1_000, timeoutMs }],
  startupGraceMs: 60_000,
  recovery: defaultRecoveryPolicy,
}

const instance: Instance = {
  id: 'svc',
  service: 'svc',
  kind: 'external',
  state: 'running',
  pid: null,
  startedAt: null,
  exit: null,
  failure: null,
  restarts: 0,
}

interface Course {
  readonly verdicts: readonly { readonly at: number; readonly verdict: Verdict }[]
  readonly attempts: number
  readonly mostInFlight: number
}

/** Detection and schedule in their closed loop, in virtual time. */
function run(
  target: Target,
  untilMs: number,
  phase: number,
  events: readonly { at: number; input: DetectionInput }[] = [],
): Course {
  const state = initialDetection(spec, instance, { mono: 0, wall: 0 })
  const plan = initialSchedule(spec.probes, 0, () => phase)
  const flying: { at: number; finish: () => void }[] = events.map(({ at, input }) => ({
    at,
    finish: () => feed(input),
  }))
  const given = flying.length
  const verdicts: { at: number; verdict: Verdict }[] = []
  let [now, attempts, mostInFlight, detectAt, launchAt] = [0, 0, 0, Infinity, 0]
  const feed = (input: DetectionInput): void => {
    const { verdict, pace, probeNow, wakeAt } = detect(state, input, { mono: now, wall: now })
    detectAt = wakeAt
    if (verdict) verdicts.push({ at: now, verdict })
    for (const change of pace) step({ type: 'pace', ...change })
    for (const probe of probeNow) step({ type: 'now', probe })
  }
  const step = (event: ScheduleEvent): void => {
    const { launches, wakeAt } = schedule(plan, event, now)
    launchAt = wakeAt
    for (const { probe, attempt, group } of launches) {
      attempts++
      const startedAt = now
      const answer = target(now)
      const inTime = answer !== null && answer.afterMs < timeoutMs
      const latencyMs = inTime ? answer.afterMs : timeoutMs
      const outcome: AttemptOutcome = inTime
        ? { ...answer.outcome, ...(answer.outcome.class === 'void' ? {} : { latencyMs }) }
        : { class: 'silence', reason: 'no answer', latencyMs }
      const finish = () => {
        feed({
          type: 'attempt.finished',
          observation: { instance: 'svc', probe, attempt, startedAt, endedAt: now, outcome },
        })
        step({ type: 'finished', probe, attempt, answered: outcome.class !== 'silence' && outcome.class !== 'void' })
      }
      flying.push({ at: now + latencyMs, finish })
      mostInFlight = Math.max(mostInFlight, flying.length - given)
      feed({ type: 'attempt.started', probe, attempt, group })
    }
  }
  feed({ type: 'tick' })
  for (;;) {
    flying.sort((a, b) => a.at - b.at)
    const next = Math.min(flying[0]?.at ?? Infinity, detectAt, launchAt)
    if (next > untilMs) return { verdicts, attempts, mostInFlight }
    now = Math.max(now, next)
    if (flying[0] && flying[0].at <= now) flying.shift()?.finish()
    else if (launchAt <= now) step({ type: 'due' })
    else feed({ type: 'tick' })
  }
}

const phases = Array.from({ length: 100 }, (_, i) => i / 100)
const faultAt = 20_000
const until =
  (before: Target, after: Target): Target =>
  (at) =>
    at < faultAt ? before(at) : after(at)

/** For every phase: how long after the fault the status was first `status`. */
function delays(target: Target, status: Verdict['status'], events?: Parameters<typeof run>[3]): number[] {
  return phases.map((phase) => {
    const { verdicts } = run(target, faultAt + 30_000, phase, events)
    const found = verdicts.find((one) => one.at >= faultAt && one.verdict.status === status)
    return (found?.at ?? Infinity) - faultAt
  })
}

describe('from fault to verdict, at any phase', () => {
  test.each<[string, Target, Verdict['status'], number]>([
    [
      'refused',
      until(
        () => fast,
        () => ({ afterMs: 1, outcome: refused }),
      ),
      'unhealthy',
      1_610,
    ],
    [
      '500 always',
      until(
        () => fast,
        () => ({ afterMs: 20, outcome: error500 }),
      ),
      'unhealthy',
      1_760,
    ],
    [
      'hung',
      until(
        () => fast,
        () => null,
      ),
      'unhealthy',
      3_510,
    ],
    [
      '800 ms slower',
      until(
        () => fast,
        () => ({ afterMs: 805, outcome: ok }),
      ),
      'degraded',
      3_800,
    ],
    [
      'all errors but after 600 ms',
      until(
        () => fast,
        () => ({ afterMs: 600, outcome: error500 }),
      ),
      'unhealthy',
      3_600,
    ],
  ])('%s', (_, target, status, maxMs) => {
    expect(Math.max(...delays(target, status))).toBeLessThanOrEqual(maxMs)
  })

  test('a stopped process that its runtime tells of is found 2.5 s after, whatever the phase', () => {
    const event: DetectionInput = { type: 'instance.suspended', instance: { ...instance, state: 'suspended' } }
    const target = until(
      () => fast,
      () => null,
    )
    expect(Math.max(...delays(target, 'unhealthy', [{ at: faultAt, input: event }]))).toBeLessThanOrEqual(2_510)
  })

  test('slowness never becomes more than degraded', () => {
    const target = until(
      () => fast,
      () => ({ afterMs: 1_200, outcome: ok }),
    )
    expect(delays(target, 'unhealthy').every((ms) => ms === Infinity)).toBe(true)
  })
})

describe('what is no fault', () => {
  const statuses = (course: Course) => course.verdicts.map(({ verdict }) => verdict.status)

  test('a healthy service is asked once a second and said to be healthy once', () => {
    const course = run(() => fast, 3_600_000, 0.3)
    expect(statuses(course)).toEqual(['starting', 'healthy'])
    expect(course.attempts).toBeLessThanOrEqual(3_601)
    expect(course.mostInFlight).toBe(1)
  })

  test.each([1_000, 2_000])('a blackout of %i ms at any phase', (ms) => {
    for (const phase of phases) {
      const course = run((at) => (at >= faultAt && at < faultAt + ms ? null : fast), faultAt + 20_000, phase)
      expect(statuses(course)).toEqual(['starting', 'healthy'])
      expect(course.mostInFlight).toBeLessThanOrEqual(5)
    }
  })

  test('half a second of errors or refusals at any phase', () => {
    for (const outcome of [error500, refused]) {
      for (const phase of phases) {
        const course = run(
          (at) => (at >= faultAt && at < faultAt + 500 ? { afterMs: 2, outcome } : fast),
          faultAt + 20_000,
          phase,
        )
        expect(statuses(course)).toEqual(['starting', 'healthy'])
      }
    }
  })

  test('a single answer in five that takes 700 ms', () => {
    let i = 0
    const course = run(() => (++i % 5 === 0 ? { afterMs: 700, outcome: ok } : fast), 600_000, 0.5)
    expect(statuses(course)).toEqual(['starting', 'healthy'])
  })
})

describe('half of the answers are errors', () => {
  test('a service is called erroring within seconds and hardly ever dead', () => {
    let dead = 0
    const seen: number[] = []
    for (let seed = 1; seed <= 200; seed++) {
      let state = seed * 7_919
      const coin = () => (state = (state * 1_103_515_245 + 12_345) % 2_147_483_648) / 2_147_483_648 < 0.5
      const target = until(
        () => fast,
        () => (coin() ? { afterMs: 3, outcome: error500 } : fast),
      )
      const { verdicts } = run(target, faultAt + 60_000, (seed % 100) / 100)
      if (verdicts.some(({ verdict }) => verdict.status === 'unhealthy')) dead++
      seen.push((verdicts.find(({ verdict }) => verdict.symptom === 'erroring')?.at ?? Infinity) - faultAt)
    }
    seen.sort((a, b) => a - b)
    expect(dead).toBeLessThanOrEqual(4)
    expect(seen[100]).toBeLessThanOrEqual(7_000)
    expect(seen[190]).toBeLessThanOrEqual(20_000)
  })
})
