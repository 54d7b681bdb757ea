import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { spec } from './core.testing.ts'
import { World } from './core.world.testing.ts'

const names = ['db', 'cache', 'api', 'web'] as const
const shop = (name: string, dependsOn: string[] = []) => ({
  ...spec(name, dependsOn, { attempts: 1_000 }),
  runtime: 'docker',
  domain: name === 'cache' ? 'other' : 'shop',
})
const world = (lagMs: number) =>
  new World(lagMs, shop('db'), shop('cache'), shop('api', ['db', 'cache']), shop('web', ['api']))

interface Move {
  readonly label: string
  run(on: World): void
}

const to = (label: string, run: (on: World) => void): Move => ({ label, run })
const service = fc.constantFrom(...names)
/** One of the instances that are there when its turn comes. */
const one = fc.nat({ max: 11 })
const pick = (on: World, n: number) => on.instances[n % Math.max(1, on.instances.length)] ?? 'none'

const faults = [
  one.map((n) => to(`${n} is killed`, (on) => on.ends(pick(on, n), 'kill'))),
  one.map((n) => to(`${n} crashes`, (on) => on.ends(pick(on, n), 'itself'))),
  one.map((n) => to(`${n} hangs`, (on) => on.hangs(pick(on, n)))),
  one.map((n) => to(`${n} is started`, (on) => on.starts(pick(on, n)))),
  service.map((name) => to(`one more ${name}`, (on) => on.appears(name))),
  fc.integer({ min: 1, max: 30_000 }).map((ms) => to(`${ms} ms pass`, (on) => on.pass(ms))),
  fc.integer({ min: 1, max: 600 }).map((ms) => to(`${ms} ms pass`, (on) => on.pass(ms))),
]
const disturbances = [
  fc.boolean().map((unwell) => to(`observer unwell: ${unwell}`, (on) => on.observer(unwell))),
  fc.boolean().map((away) => to(`runtime away: ${away}`, (on) => on.away(away))),
  fc
    .tuple(service, fc.boolean())
    .map(([name, is]) => to(`maintenance of ${name}: ${is}`, (on) => on.maintain(name, is))),
  one.map((n) => to(`${n} is removed`, (on) => on.vanishes(pick(on, n)))),
]
const operators = [
  one.map((n) => to(`${n} is stopped`, (on) => on.ends(pick(on, n), 'stop'))),
  one.map((n) => to(`${n} ended unseen`, (on) => on.ends(pick(on, n), 'unknown'))),
]
const lag = fc.constantFrom(0, 3, 700)
const story = (...moves: fc.Arbitrary<Move>[]) => fc.array(fc.oneof(...moves), { maxLength: 60, size: 'max' })

function play(moves: readonly Move[], lagMs: number): World {
  const on = world(lagMs)
  for (const move of moves) move.run(on)
  on.observer(false)
  on.away(false)
  for (const name of names) if (!on.instances.some((id) => id.split('/', 1)[0] === name)) on.appears(name)
  for (const name of names) on.maintain(name, false)
  return on
}

describe('on a host that tells the truth and does what it is told', () => {
  it('everything that died, crashed or hangs is well in the end, whatever came between', () => {
    fc.assert(
      fc.property(story(...faults, ...disturbances), lag, (moves, lagMs) => {
        const on = play(moves, lagMs)
        on.pass(3_600_000)
        expect([...on.truth].filter(([, { is }]) => is !== 'up')).toEqual([])
        const { diagnosis, recovery } = on.bench.state
        expect([...diagnosis.incidents.keys(), ...recovery.patients.keys()]).toEqual([])
        for (const record of diagnosis.services.values()) {
          expect([...record.doubts, ...record.impacts, ...record.stops, ...record.stopping]).toEqual([])
        }
      }),
      { numRuns: 300 },
    )
  })

  it('nothing that is well is restarted, nothing under maintenance or out of sight, and nothing that was stopped just now', () => {
    fc.assert(
      fc.property(story(...faults, ...disturbances, ...operators), lag, (moves, lagMs) => {
        const on = play(moves, lagMs)
        on.pass(3_600_000)
        expect(on.wrongs).toEqual([])
      }),
      { numRuns: 300 },
    )
  })

  it('whoever suffers under an incident suffers under one that is open', () => {
    fc.assert(
      fc.property(story(...faults, ...disturbances, ...operators), lag, (moves, lagMs) => {
        const on = world(lagMs)
        for (const move of moves) {
          move.run(on)
          const { services, incidents } = on.bench.state.diagnosis
          for (const { impacts } of services.values()) {
            for (const incident of impacts.values()) expect([...incidents.keys()]).toContain(incident)
          }
        }
      }),
      { numRuns: 200 },
    )
  })
})
