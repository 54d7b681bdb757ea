import type { Command } from 'commander'
import { isMedykError } from '@medyk/health/internal'
import { asking, clientOf, print, printJson, type AskOptions } from './asking.ts'
import { coverageText } from './format.ts'

/** Exit code where no daemon answers: not known, as with Nagios. */
const UNKNOWN = 3

export function coverageCommand(): Command {
  return asking(
    'coverage',
    'Show how each service is examined, and where that comes from; exit code 0 only when all are, 3 when no daemon answers',
  ).action(async (options: AskOptions) => {
    try {
      const report = await clientOf(options).coverage()
      if (options.json) printJson(report)
      else print(coverageText(report))
      process.exitCode = report.total > 0 && report.checked === report.total ? 0 : 1
    } catch (error) {
      if (isMedykError(error, 'ERR_NO_DAEMON')) process.exitCode = UNKNOWN
      throw error
    }
  })
}
