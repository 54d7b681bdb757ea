import type { Action, ActionOutcome } from '../model/index.ts'

/** What recovery needs of the journal: durable when the promise resolves, awaited before and after every action. */
export interface IntentLog {
  commitIntent(action: Action, decidedAt: string): Promise<void>
  commitOutcome(actionId: string, outcome: ActionOutcome, finishedAt: string): Promise<void>
}
