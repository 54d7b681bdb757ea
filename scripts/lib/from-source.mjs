import { spawnSync } from 'node:child_process'
import { projectNode, root } from './paths.mjs'

const CONDITION = '--conditions=medyk-source'

/**
 * Lets the calling script import our packages from their TypeScript: where the condition is not set, the script runs
 * once more with it, under the project's Node, and this process ends with its exit code.
 *
 * @param {string} script `process.argv[1]` of the caller
 */
export function fromSource(script) {
  if (process.execArgv.includes(CONDITION)) return
  const { status } = spawnSync(projectNode, [CONDITION, script, ...process.argv.slice(2)], {
    cwd: root,
    stdio: 'inherit',
  })
  process.exit(status ?? 1)
}
