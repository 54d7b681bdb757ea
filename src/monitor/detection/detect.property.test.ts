import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { AttemptOutcome, Instance } from '../model/index.ts'
import {
  degraded,
  Drive,
  error500,
  late,
  live,
  noDescriptor,
  notFound,
  ok,
  ready,
  refused,
  serviceSpec,
  silence,
  unready,
} from './drive.testing.ts'
import { emptyPercentile, learn } from './latency.ts'
import { initialSelfHealth, observeTick, penalize } from './self-health.ts'
import { rules } from './rules.ts'

type Step =
  | { readonly do: 'advance'; readonly ms: number }
  | { readonly do: 'begin'; readonly probe: string; readonly isHedge: boolean }
  | { readonly do: 'end'; readonly pick: number; readonly outcome: AttemptOutcome }
  | { readonly do: 'look'; readonly probe: string; readonly outcome: AttemptOutcome }
  | { readonly do: 'state'; readonly state: Instance['state'] }
  | { readonly do: 'observer'; readonly unwell: boolean; readonly stretched: boolean }

const outcomes: readonly AttemptOutcome[] = [
  ok,
  ok,
  ok,
  late(900),
  degraded('redis'),
  refused,
  error500,
  unready('db'),
  silence,
  notFound,
  noDescriptor,
]

interface Allowed {
  readonly live?: readonly AttemptOutcome[]
  readonly ready?: readonly AttemptOutcome[]
  readonly runtime?: boolean
  readonly observer?: boolean
}

function steps({ live: ofLive = outcomes, ready: ofReady = outcomes, runtime = true, observer = true }: Allowed = {}) {
  const advance = fc.oneof(fc.constantFrom(1, 80, 300, 400, 500, 1_000, 2_500), fc.integer({ min: 0, max: 20_000 }))
  const look = (probe: string, of: readonly AttemptOutcome[]) =>
    fc.record({ do: fc.constant('look' as const), probe: fc.constant(probe), outcome: fc.constantFrom(...of) })
  const arbitraries: { weight: number; arbitrary: fc.Arbitrary<Step> }[] = [
    { weight: 6, arbitrary: fc.record({ do: fc.constant('advance' as const), ms: advance }) },
    { weight: 6, arbitrary: look('live', ofLive) },
    { weight: 3, arbitrary: look('ready', ofReady) },
    {
      weight: 4,
      arbitrary: fc.record({
        do: fc.constant('begin' as const),
        probe: fc.constantFrom('live', 'ready'),
        isHedge: fc.boolean(),
      }),
    },
    {
      weight: 4,
      arbitrary: fc.record({
        do: fc.constant('end' as const),
        pick: fc.nat(20),
        outcome: fc.constantFrom(...ofLive.filter((outcome) => ofReady.includes(outcome))),
      }),
    },
  ]
  if (runtime) {
    const state = fc.constantFrom<Instance['state'][]>('running', 'exited', 'failed', 'suspended', 'paused', 'created')
    arbitraries.push({ weight: 1, arbitrary: fc.record({ do: fc.constant('state' as const), state }) })
  }
  if (observer) {
    const flags = { unwell: fc.boolean(), stretched: fc.boolean() }
    arbitraries.push({ weight: 1, arbitrary: fc.record({ do: fc.constant('observer' as const), ...flags }) })
  }
  return fc.array(fc.oneof(...arbitraries), { minLength: 1, maxLength: 120 })
}

/** Plays a story; `each` is called after every step. */
function play(story: readonly Step[], drive: Drive, each: () => void = () => {}): Drive {
  const open: { attempt: number; probe: string; startedAt: number }[] = []
  const lastOf = new Map<string, number>()
  let run = 0
  for (const step of story) {
    switch (step.do) {
      case 'advance':
        drive.advance(step.ms)
        break
      case 'look':
        drive.look(step.outcome, step.probe)
        break
      case 'begin': {
        const attempt = drive.begin(step.probe, step.isHedge ? lastOf.get(step.probe) : undefined)
        if (!step.isHedge) lastOf.set(step.probe, attempt)
        open.push({ attempt, probe: step.probe, startedAt: drive.now })
        break
      }
      case 'end': {
        const [one] = open.splice(step.pick % Math.max(1, open.length), 1)
        if (one) drive.end(one.attempt, step.outcome, one.probe, one.startedAt)
        break
      }
      case 'state': {
        const { state } = step
        if (state === 'running') run++
        const type =
          state === 'running' ? 'instance.started' : state === 'failed' ? 'instance.failed' : 'instance.exited'
        drive.runtime(type, { state, startedAt: `run ${run}` })
        break
      }
      case 'observer':
        drive.observer(step.unwell, step.stretched || step.unwell)
        break
    }
    each()
  }
  return drive
}

const both = serviceSpec([live, ready], { startupGraceMs: 5_000 })
const actionable = (drive: Drive) => drive.verdicts.filter(({ status }) => status === 'unhealthy')
const words = (drive: Drive) => drive.verdicts.map((verdict) => ({ ...verdict, reason: '' }))

describe('detection, whatever happens', () => {
  test('verdicts follow one another: each says from what, and something changed', () => {
    fc.assert(
      fc.property(steps(), (story) => {
        const { verdicts } = play(story, new Drive(both))
        for (const [i, verdict] of verdicts.entries()) {
          const before = verdicts[i - 1]
          expect(verdict.previous).toBe(before?.status ?? 'unknown')
          if (!before) continue
          const { status, symptom, failing } = verdict
          expect([status, symptom, failing]).not.toEqual([before.status, before.symptom, before.failing])
        }
      }),
    )
  })

  test('times are in order: evidence is never later than its verdict, nor a wake-up before now', () => {
    fc.assert(
      fc.property(steps(), (story) => {
        const drive = new Drive(both)
        play(story, drive, () => expect(drive.wakeAt).toBeGreaterThan(drive.now))
        for (const [i, { firstEvidenceAt }] of drive.verdicts.entries()) {
          expect(firstEvidenceAt).toBeGreaterThan(0)
          expect(firstEvidenceAt).toBeLessThanOrEqual(drive.times[i] ?? 0)
        }
      }),
    )
  })

  test('the same inputs give the same verdicts: a recorded trace replays', () => {
    fc.assert(
      fc.property(steps(), (story) => {
        const drive = play(story, new Drive(both))
        const again = new Drive(both)
        for (const { input, now } of JSON.parse(JSON.stringify(drive.inputs.slice(1))) as typeof drive.inputs) {
          again.now = now
          again.send(input)
        }
        expect(again.verdicts).toEqual(drive.verdicts)
      }),
    )
  })

  test('void attempts change nothing', () => {
    const place = fc.array(fc.nat(120), { maxLength: 30 })
    fc.assert(
      fc.property(steps(), place, (story, places) => {
        const withVoid = [...story]
        for (const at of places) {
          withVoid.splice(at % (story.length + 1), 0, {
            do: 'look',
            probe: at % 2 ? 'live' : 'ready',
            outcome: noDescriptor,
          })
        }
        const [plain, disturbed] = [play(story, new Drive(both)), play(withVoid, new Drive(both))]
        // A void attempt does prompt a look at how stale everything is, which time alone would not.
        fc.pre(!disturbed.verdicts.some(({ reason }) => reason.startsWith('no valid look')))
        expect(words(disturbed)).toEqual(words(plain))
      }),
    )
  })

  test('unhealthy comes with evidence, or from a probe that never succeeded', () => {
    fc.assert(
      fc.property(steps(), (story) => {
        for (const { evidence, symptom } of actionable(play(story, new Drive(both)))) {
          expect(evidence !== null && evidence !== 'slow').toBe(!(symptom === 'never-ready' && evidence === null))
        }
      }),
    )
  })

  test('unknown, starting and healthy carry no evidence; degraded is never certain', () => {
    fc.assert(
      fc.property(steps(), (story) => {
        for (const { status, evidence } of play(story, new Drive(both)).verdicts) {
          if (status === 'unknown' || status === 'starting' || status === 'healthy') expect(evidence).toBeNull()
          if (status === 'degraded') expect(evidence).not.toBe('certain')
        }
      }),
    )
  })

  test('an unwell observer sees unknown, but for what its runtimes are certain of', () => {
    fc.assert(
      fc.property(steps(), (story) => {
        const drive = new Drive(both)
        play(story, drive, () => {
          if (!drive.state.unwell) return
          const { status, evidence, reason } = drive.last
          expect(status === 'unknown' || evidence === 'certain' || reason === 'not started yet').toBe(true)
        })
      }),
    )
  })

  test('healthy is only said after a success of every probe since the last start, thaw or blindness', () => {
    fc.assert(
      fc.property(steps(), (story) => {
        const drive = new Drive(both)
        const fresh = new Set<string>()
        let told = drive.verdicts.length
        // Follows the inputs rather than the state, so that it is a second opinion.
        const sent = drive.send.bind(drive)
        drive.send = (input) => {
          if (input.type === 'instance.started' || (input.type === 'observer' && !input.unwell)) {
            if (input.type === 'instance.started' || drive.state.unwell) fresh.clear()
          }
          if (input.type === 'attempt.finished' && input.observation.outcome.class === 'ok') {
            fresh.add(input.observation.probe)
          }
          return sent(input)
        }
        play(story, drive, () => {
          if (drive.verdicts.length > told && drive.status === 'healthy') expect(fresh.has('live')).toBe(true)
          told = drive.verdicts.length
        })
      }),
    )
  })
})

describe('detection, when only some of it happens', () => {
  const gentle = { runtime: false, observer: false } as const

  test('readiness alone never makes unhealthy', () => {
    fc.assert(
      fc.property(steps({ ...gentle, live: [ok, late(900), degraded('redis')] }), (story) => {
        // Liveness answers, and often enough that its silence is no finding.
        const answered = story.flatMap((step): Step[] => [step, { do: 'look', probe: 'live', outcome: ok }])
        const drive = new Drive(both).look(ok)
        expect(actionable(play(answered, drive))).toEqual([])
      }),
    )
  })

  test('never unhealthy while a success comes at least every 2.4 s, however many attempts are lost', () => {
    const attempts = fc.array(fc.record({ afterMs: fc.integer({ min: 1, max: 400 }), isHedge: fc.boolean() }), {
      minLength: 1,
      maxLength: 12,
    })
    const rounds = fc.array(fc.record({ attempts, successAfterMs: fc.integer({ min: 1, max: 2_400 }) }), {
      minLength: 1,
      maxLength: 60,
    })
    fc.assert(
      fc.property(rounds, (story) => {
        const drive = new Drive(serviceSpec()).look(ok)
        const open: { attempt: number; at: number }[] = []
        const pass = (until: number) => {
          while (open[0] && open[0].at + 1_300 <= until) {
            drive.advance(open[0].at + 1_300 - drive.now).end(open[0].attempt, silence, 'live', open[0].at)
            open.shift()
          }
          drive.advance(until - drive.now)
        }
        for (const round of story) {
          const until = drive.now + round.successAfterMs
          for (const { afterMs } of round.attempts) {
            if (drive.now + afterMs >= until) break
            pass(drive.now + afterMs)
            open.push({ attempt: drive.begin(), at: drive.now })
          }
          pass(until)
          drive.look(ok)
        }
        expect(actionable(drive)).toEqual([])
      }),
    )
  })

  test('4xx and void never make unhealthy', () => {
    const harmless = [notFound, noDescriptor, ok]
    fc.assert(
      fc.property(steps({ ...gentle, live: harmless, ready: harmless }), (story) => {
        // Only finished attempts: one that stays open for seconds is silence.
        const drive = play(
          story.filter((step) => step.do !== 'begin'),
          new Drive(both),
        )
        expect(actionable(drive)).toEqual([])
      }),
    )
  })

  test('within the grace of a new run only its exit, or a death after its first success, is unhealthy', () => {
    fc.assert(
      fc.property(steps({ observer: false }), (story) => {
        const drive = new Drive(serviceSpec([live, ready], { startupGraceMs: 10_000_000 }))
        let lived = false
        let told = 0
        const sent = drive.send.bind(drive)
        drive.send = (input) => {
          if (input.type === 'instance.started') lived = false
          if (input.type === 'attempt.finished' && input.observation.outcome.class === 'ok') lived = true
          return sent(input)
        }
        play(story, drive, () => {
          for (const { status, evidence } of drive.verdicts.slice(told)) {
            if (status === 'unhealthy') expect(evidence === 'certain' || lived).toBe(true)
          }
          told = drive.verdicts.length
        })
      }),
    )
  })

  test('a service that goes silent for good is always found within 2.5 s of the first of six attempts', () => {
    fc.assert(
      fc.property(steps(gentle), fc.integer({ min: 20, max: 450 }), (story, everyMs) => {
        const drive = play(story, new Drive(serviceSpec([live])))
        fc.pre(drive.status === 'healthy')
        const isLossy = drive.state.tracks[0]?.slow.isLossy ?? false
        const from = drive.now
        for (let i = 0; i < 6; i++) drive.advance(everyMs).begin()
        drive.advance(10_000)
        const at =
          drive.times[drive.verdicts.findIndex(({ symptom }, i) => symptom === 'hung' && (drive.times[i] ?? 0) >= from)]
        const patienceMs = isLossy ? rules.silence.stretchMs : 0
        expect(at).toBeLessThanOrEqual(from + everyMs + 2_500 + patienceMs)
      }),
    )
  })
})

describe('the parts', () => {
  test('the score of self-health stays within its bounds and falls to zero in clean seconds', () => {
    const step = fc.oneof(fc.integer({ min: 0, max: 3_000 }), fc.constantFrom('local' as const, 'sentinel' as const))
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (story) => {
        const self = initialSelfHealth({ mono: 0, wall: 0 })
        for (const one of story) {
          const { mono } = self.last
          if (typeof one === 'number') observeTick(self, { mono: mono + one, wall: mono + one })
          else penalize(self, one, { mono, wall: mono })
          expect(self.score).toBeGreaterThanOrEqual(0)
          expect(self.score).toBeLessThanOrEqual(rules.observer.max)
          expect(self.condition.stretched || !self.condition.unwell).toBe(true)
        }
        for (let i = 0; i < 300; i++) {
          const mono = self.last.mono + 50
          observeTick(self, { mono, wall: mono })
        }
        expect(self.condition).toEqual({ unwell: false, stretched: false, reason: '' })
      }),
    )
  })

  test('the percentile settles near the 99 % of what it is fed, and follows when that changes', () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 300 }), fc.nat(), (scale, seed) => {
        // fast-check's numbers favour the edges; a percentile wants even ones.
        let state = seed
        const even = () => (state = (state * 1_103_515_245 + 12_345) % 2_147_483_648) / 2_147_483_648
        const estimate = emptyPercentile()
        const feed = (samples: number, to: number) => {
          for (let i = 0; i < samples; i++) learn(estimate, to * even())
        }
        feed(2_000, scale)
        expect(estimate.value / scale).toBeGreaterThan(0.8)
        expect(estimate.value / scale).toBeLessThanOrEqual(1.01)
        feed(2_000, 4 * scale)
        expect(estimate.value / scale).toBeGreaterThan(3.2)
        feed(4_000, scale)
        expect(estimate.value / scale).toBeLessThanOrEqual(1.2)
      }),
      { numRuns: 20 },
    )
  })
})
