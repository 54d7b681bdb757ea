import { expect, it } from 'vitest'
import { summarize, summaryLine, total } from './summary.mjs'

const report = (part = {}) => ({
  numPassedTests: 0,
  numFailedTests: 0,
  numPendingTests: 0,
  numTodoTests: 0,
  testResults: [],
  ...part,
})

it('counts what vitest counted', () => {
  expect(
    summarize(report({ numPassedTests: 5, numFailedTests: 2, numPendingTests: 1, numTodoTests: 1 }), false),
  ).toEqual({
    passed: 5,
    failed: 2,
    skipped: 2,
  })
})

it('counts a suite that could not be collected as failed', () => {
  const testResults = [
    { status: 'failed', assertionResults: [] },
    { status: 'passed', assertionResults: [{}] },
  ]
  expect(summarize(report({ numPassedTests: 1, testResults }), false)).toMatchObject({ passed: 1, failed: 1 })
})

it('counts a bad end that no test explains as failed', () => {
  expect(summarize(report({ numPassedTests: 9 }), false)).toMatchObject({ passed: 9, failed: 1 })
})

it('counts a run without a report as failed', () => {
  expect(summarize(null, true)).toEqual({ passed: 0, failed: 1, skipped: 0 })
})

it('adds up parts that know only some of the counts', () => {
  const sum = total([{ passed: 1, failed: 0 }, { failed: 2 }, { passed: 3, failed: 0, skipped: 4 }])
  expect(summaryLine(sum)).toBe('4 passed, 2 failed, 4 skipped')
})
