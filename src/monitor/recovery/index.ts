export { globalRules, recovery, type RecoveryState } from './decide/index.ts'
export { execute, type ExecutorContext } from './execute.ts'
export type { IntentLog } from './intent-log.ts'
