import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { statuses, worst, type Status } from './status.ts'
import { applyResult, initialThresholdState, type Judged, type Thresholds, type ThresholdState } from './thresholds.ts'

/** `HU` → healthy, unhealthy. */
const spell = (letters: string) =>
  letters.split('').map((letter) => statuses.find((status) => status.startsWith(letter.toLowerCase())) as Status)

function statesAfter(results: readonly Status[], thresholds: Thresholds): Judged[] {
  let state: ThresholdState = initialThresholdState
  return results.map((result) => (state = applyResult(state, result, thresholds)))
}

describe('applyResult', () => {
  // One letter a result, and below it the status that holds after it.
  it.each([
    ['the first result counts at once', 3, 1, 'U', 'U'],
    ['the first good result counts at once', 3, 5, 'H', 'H'],
    ['failures below the threshold change nothing', 3, 1, 'HUU', 'HHH'],
    ['as many failures as the threshold do', 3, 1, 'HUUU', 'HHHU'],
    ['a success in between starts the count anew', 3, 1, 'HUUHUUHUUU', 'HHHHHHHHHU'],
    ['one success is enough by default', 3, 1, 'UH', 'UH'],
    ['with a success threshold it takes as many', 1, 3, 'UHHUHHH', 'UUUUUUH'],
    ['degraded is held to the failure threshold too', 3, 1, 'HDDHDDD', 'HHHHHHD'],
    ['a run of worse results moves to the mildest of them', 3, 1, 'HDUUU', 'HHHDU'],
    ['a run of better results moves to the worst of them', 1, 3, 'UHDHHH', 'UUUDDH'],
    ['from degraded it gets worse by the failure threshold', 2, 1, 'DUU', 'DDU'],
    ['from unhealthy to degraded it takes the success threshold', 3, 2, 'UDD', 'UUD'],
  ])('%s', (_, failureThreshold, successThreshold, results, expected) => {
    const run = statesAfter(spell(results), { failureThreshold, successThreshold })
    expect(run.map(({ status }) => status)).toEqual(spell(expected))
  })

  const anyResults = fc.array(fc.constantFrom(...statuses), { minLength: 1, maxLength: 60 })
  const anyThresholds = fc.record({
    failureThreshold: fc.integer({ min: 1, max: 5 }),
    successThreshold: fc.integer({ min: 1, max: 5 }),
  })
  const rank = (status: Status) => statuses.indexOf(status)

  it('moves only with as many results in a row on the far side as the threshold of that direction asks for', () => {
    fc.assert(
      fc.property(anyResults, anyThresholds, (results, thresholds) => {
        const run = statesAfter(results, thresholds)
        for (let index = 1; index < run.length; index += 1) {
          const from = rank((run.at(index - 1) as Judged).status)
          const to = rank((run.at(index) as Judged).status)
          if (from === to) continue
          const needed = to > from ? thresholds.failureThreshold : thresholds.successThreshold
          const last = results.slice(Math.max(0, index + 1 - needed), index + 1).map(rank)
          expect(last.length).toBe(needed)
          expect(last.every((one) => (to > from ? one >= to : one <= to))).toBe(true)
        }
      }),
    )
  })

  it('believes any result that comes often enough in a row, and then no longer wavers', () => {
    fc.assert(
      fc.property(anyResults, anyThresholds, fc.constantFrom(...statuses), (results, thresholds, steady) => {
        const enough = Math.max(thresholds.failureThreshold, thresholds.successThreshold)
        const run = statesAfter([...results, ...Array.from({ length: enough }, () => steady)], thresholds)
        expect(run.at(-1)).toMatchObject({ status: steady, wavering: 0 })
      }),
    )
  })

  it('counts the results in a row that contradict the status', () => {
    fc.assert(
      fc.property(anyResults, anyThresholds, (results, thresholds) => {
        const run = statesAfter(results, thresholds)
        for (const [index, { status, wavering }] of run.entries()) {
          const before = run[index - 1]?.wavering ?? 0
          expect(wavering).toBe(status === results[index] ? 0 : before + 1)
        }
      }),
    )
  })

  it('with thresholds of one says what the latest result says', () => {
    fc.assert(
      fc.property(anyResults, (results) => {
        const run = statesAfter(results, { failureThreshold: 1, successThreshold: 1 })
        expect(run.map(({ status }) => status)).toEqual(results)
        expect(worst(run.map(({ status }) => status))).toBe(worst(results))
      }),
    )
  })
})
