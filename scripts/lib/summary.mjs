/**
 * @typedef {{ passed: number, failed: number, skipped: number }} Summary
 * @typedef {object} VitestReport what is used of vitest's JSON report
 * @property {number} numPassedTests
 * @property {number} numFailedTests
 * @property {number} numPendingTests
 * @property {number} numTodoTests
 * @property {readonly { status: string, assertionResults: readonly unknown[] }[]} testResults
 */

/**
 * Counts a run of vitest. A suite that could not be collected has no tests that could fail, so it counts as one; so does
 * a run that ended badly for a reason that no test shows (an unhandled rejection, no report at all).
 *
 * @param {VitestReport | null} report null: vitest wrote none
 * @param {boolean} ok whether vitest ended with 0
 * @returns {Summary}
 */
export function summarize(report, ok) {
  if (!report) return { passed: 0, failed: 1, skipped: 0 }
  const uncollected = report.testResults.filter(
    (file) => file.status === 'failed' && file.assertionResults.length === 0,
  )
  const failed = report.numFailedTests + uncollected.length
  return {
    passed: report.numPassedTests,
    failed: failed === 0 && !ok ? 1 : failed,
    skipped: report.numPendingTests + report.numTodoTests,
  }
}

/** @param {readonly Partial<Summary>[]} summaries */
export function total(summaries) {
  const sum = (/** @type {keyof Summary} */ key) => summaries.reduce((all, one) => all + (one[key] ?? 0), 0)
  return { passed: sum('passed'), failed: sum('failed'), skipped: sum('skipped') }
}

/** The last line of `npm test`. @param {Summary} summary */
export const summaryLine = ({ passed, failed, skipped }) => `${passed} passed, ${failed} failed, ${skipped} skipped`
