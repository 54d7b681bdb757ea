import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Incident } from '../model/index.ts'
import { Bench, spec } from './core.testing.ts'

const NAMES = ['camera', 'buffer', 'capture', 'storage', 'tracking'] as const
const anyName = fc.constantFrom(...NAMES)

interface Move {
  readonly label: string
  run(bench: Bench): void
}

type Result = 'done' | 'failed' | 'aborted' | 'impossible'

const to = (label: string, run: (bench: Bench) => void): Move => ({ label, run })

const moves = (...results: Result[]): fc.Arbitrary<Move> =>
  fc.oneof(
    anyName.map((name) => to(`${name} exits`, (bench) => bench.exited(name))),
    anyName.map((name) => to(`${name} hangs`, (bench) => bench.hung(name))),
    anyName.map((name) => to(`${name} is stopped`, (bench) => bench.suspended(name))),
    anyName.map((name) => to(`${name} is silent to readiness`, (bench) => bench.silent(name))),
    anyName.map((name) => to(`${name} is healthy`, (bench) => bench.healthy(name))),
    anyName.map((name) => to(`${name} starts`, (bench) => bench.started(name))),
    anyName.map((name) => to(`${name} is being stopped`, (bench) => bench.stopping(name))),
    fc
      .tuple(anyName, fc.constantFrom('stop', 'kill', 'itself', 'unknown', 'before'))
      .map(([name, by]) => to(`${name} ended by ${by}`, (bench) => bench.endedBy(name, by))),
    anyName.map((name) =>
      to(`${name} is lost from sight`, (bench) => {
        bench.send({ type: 'instance.lost', instance: bench.instance(name, { state: 'unknown' }) })
        bench.verdict(name, { status: 'unknown', symptom: 'runtime' })
      }),
    ),
    fc
      .tuple(anyName, anyName)
      .map(([name, other]) => to(`${name} is not ready: ${other}`, (bench) => bench.notReady(name, other))),
    fc.constantFrom(...results).map((result) =>
      to(`last action ${result}`, (bench) => {
        if (bench.acts().length > 0) bench.done(result)
      }),
    ),
    fc.subarray([...NAMES]).map((doubtful) =>
      to(`doubtful: ${doubtful.join()}`, (bench) => {
        if (bench.effects.some((effect) => effect.type === 'confirm')) bench.confirm(...doubtful)
      }),
    ),
    fc
      .boolean()
      .map((unwell) =>
        to(`observer unwell: ${unwell}`, (bench) => bench.send({ type: 'observer.changed', unwell, reason: '' })),
      ),
    fc.integer({ min: 1, max: 120_000 }).map((ms) => to(`${ms} ms pass`, (bench) => bench.pass(ms))),
  )

const move = moves('done', 'failed', 'aborted', 'impossible')

const fleet = () =>
  new Bench(
    spec('camera'),
    spec('buffer'),
    spec('capture', ['camera', 'buffer']),
    spec('storage'),
    spec('tracking', ['buffer', 'storage']),
  )

const later = (iso: string, ms: number) => new Date(Date.parse(iso) + ms).toISOString()

function play(story: readonly Move[], after: (bench: Bench) => void, atEnd?: (bench: Bench) => void): void {
  const bench = fleet()
  for (const step of story) {
    step.run(bench)
    after(bench)
  }
  atEnd?.(bench)
}

describe('whatever happens', () => {
  it('no service gets more actions within its window than the budget, but for the single try of the quarantine', () => {
    // An aborted action did nothing and is not counted by design: it stays out of this story.
    const stories = fc.array(moves('done', 'failed', 'impossible'), { maxLength: 150, size: 'max' })
    fc.assert(
      fc.property(stories, (story) => {
        const acted: { readonly service: string; readonly at: number }[] = []
        play(story, (bench) => {
          for (const { service } of bench.acts().slice(acted.length)) acted.push({ service, at: bench.mono })
        })
        for (const name of NAMES) {
          const times = acted.filter((entry) => entry.service === name).map((entry) => entry.at)
          for (const from of times) {
            expect(times.filter((at) => at >= from && at < from + 600_000).length).toBeLessThanOrEqual(6)
          }
        }
      }),
      { numRuns: 300 },
    )
  })

  it('only open incidents are acted on, a restart only for the root itself, and nothing while the observer is unwell', () => {
    fc.assert(
      fc.property(fc.array(move, { maxLength: 150, size: 'max' }), (story) => {
        let decided = 0
        play(story, (bench) => {
          const now = bench.ofType('action.decided').length
          if (now > decided) expect(bench.state.diagnosis.observerUnwell).toBe(false)
          decided = now
        })
        play(
          story,
          () => {},
          (bench) => {
            const incidents = new Map<string, Incident>()
            for (const event of bench.events) {
              if ('incident' in event && typeof event.incident === 'object')
                incidents.set(event.incident.id, event.incident)
              if (event.type !== 'action.decided') continue
              const incident = incidents.get(event.action.incident)
              // Both may fall due in the same turn.
              expect([null, event.decidedAt]).toContain(incident?.closedAt)
              // Who died under the incident of another is started when that one is well again.
              if (incident?.service === event.action.service) expect(incident.recoveredAt).toBeNull()
              if (event.action.kind !== 'restart') continue
              expect(incident?.service).toBe(event.action.service)
              // Where too many are ill at once it is the host's, and acted on after a minute only.
              expect(incident?.cause).toMatch(/^(self|host)$/)
              if (incident?.cause === 'host') expect(event.decidedAt >= later(incident.detectedAt, 10_000)).toBe(true)
            }
          },
        )
      }),
      { numRuns: 500 },
    )
  })

  it('at most two actions are under way, and each instance has at most one', () => {
    fc.assert(
      fc.property(fc.array(move, { maxLength: 150, size: 'max' }), (story) => {
        play(story, (bench) => {
          const acting = [...bench.state.recovery.patients.values()].filter(
            (patient) => patient.phase.kind === 'acting',
          )
          expect(acting.length).toBeLessThanOrEqual(2)
          expect(bench.state.recovery.acting.size).toBeGreaterThanOrEqual(acting.length)
        })
      }),
      { numRuns: 200 },
    )
  })

  it('every incident is opened once, and closed at most once', () => {
    fc.assert(
      fc.property(fc.array(move, { maxLength: 150, size: 'max' }), (story) => {
        play(story, (bench) => {
          const opened = bench.ofType('incident.opened').map((event) => event.incident.id)
          const closed = bench.ofType('incident.closed').map((event) => event.incident.id)
          expect(new Set(opened).size).toBe(opened.length)
          expect(new Set(closed).size).toBe(closed.length)
          for (const id of closed) expect(opened).toContain(id)
        })
      }),
      { numRuns: 200 },
    )
  })

  it('an incident is told of again only when it has changed', () => {
    fc.assert(
      fc.property(fc.array(move, { maxLength: 150, size: 'max' }), (story) => {
        const told = new Map<string, string>()
        play(
          story,
          () => {},
          (bench) => {
            for (const event of bench.events) {
              if (!('incident' in event) || typeof event.incident !== 'object') continue
              const text = JSON.stringify(event.incident)
              expect(text).not.toBe(told.get(event.incident.id))
              told.set(event.incident.id, text)
            }
          },
        )
      }),
      { numRuns: 200 },
    )
  })

  it('when all are well again and stay so, no incident, patient or quarantine is left', () => {
    fc.assert(
      fc.property(fc.array(move, { maxLength: 150, size: 'max' }), (story) => {
        play(
          story,
          () => {},
          (bench) => {
            for (let round = 0; round < 2; round++) {
              for (const name of NAMES) {
                bench.started(name)
                bench.healthy(name)
              }
              bench.pass(60_000)
            }
            // What was flapping is watched for longer.
            bench.pass(600_000)
            const { diagnosis, recovery } = bench.state
            expect([...diagnosis.incidents.keys()]).toEqual([])
            // Whose action never came back is still held: the shell answers each of them in the end.
            const held = new Set([...recovery.patients.values()].map(({ service }) => service))
            expect([...recovery.quarantined.keys()].filter((name) => !held.has(name))).toEqual([])
            for (const patient of recovery.patients.values()) expect(patient.phase.kind).toBe('acting')
          },
        )
      }),
      { numRuns: 300 },
    )
  })

  it('the same story has the same end', () => {
    fc.assert(
      fc.property(fc.array(move, { maxLength: 100, size: 'max' }), (story) => {
        const logs = [0, 1].map(() => {
          const bench = fleet()
          for (const step of story) step.run(bench)
          return JSON.stringify([bench.events, bench.effects])
        })
        expect(logs[0]).toBe(logs[1])
      }),
      { numRuns: 100 },
    )
  })
})
