import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { core } from '../app/core.ts'
import { seeded } from './random.ts'
import type { Scenario } from './scenario.ts'
import { scenarios } from './scenarios/index.ts'
import { simulate, type SimulationResult } from './simulate.ts'
import { formatStory } from './story.ts'

const size = { services: 20, durationMs: 300_000 }

function build(name: string, seed: number): Scenario {
  const entry = scenarios[name]
  if (!entry) throw new Error(`no scenario ${name}`)
  return entry.build(seeded(seed).fork('scenario'), size)
}

const run = (name: string, seed: number): SimulationResult => simulate({ core, scenario: build(name, seed), seed })

describe('every scenario ends as it should', () => {
  const rows = Object.entries(scenarios).flatMap(([name, entry]) =>
    [1, 2, 3, 4, 5].map((seed) => ({ name, seed, entry })),
  )

  it.each(rows)('$name, seed $seed', ({ name, seed, entry }) => {
    const result = run(name, seed)
    const problems = entry.expect(result)
    expect(problems, formatStory(result.story, 60).join('\n')).toEqual([])
  })
})

describe('simulate', () => {
  it('does exactly the same for the same scenario and seed, and something else for another seed', () => {
    fc.assert(
      fc.property(fc.constantFrom(...Object.keys(scenarios)), fc.nat(10_000), (name, seed) => {
        const first = run(name, seed)
        const second = run(name, seed)
        expect(second.digest).toBe(first.digest)
        expect(second.figures).toEqual(first.figures)
        expect(second.story).toEqual(first.story)
        expect(run(name, seed + 1).digest).not.toBe(first.digest)
      }),
      { numRuns: 20 },
    )
  })

  it('tells a false declaration from a true one: a monitor without patience is caught', () => {
    const scenario = { ...build('fleet', 1), network: { delay: { medianMs: 0.2 }, loss: 0.6 } }
    const { figures } = simulate({ core, scenario, seed: 1 })
    expect(figures.falseCount).toBeGreaterThan(0)
    expect(figures.falseDeclarations[0]).toMatchObject({ truth: 'false' })
  })

  it('reports its progress up to the end', () => {
    const shares: number[] = []
    simulate({ core, scenario: build('crash', 1), seed: 1, onProgress: (share) => shares.push(share) })
    expect(shares.at(-1)).toBe(1)
    expect(shares).toEqual(shares.toSorted((a, b) => a - b))
  })
})
