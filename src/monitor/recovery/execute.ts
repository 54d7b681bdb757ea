import { isMedykError, messageOf, printable, withDeadline, type Clock, type Logger } from '@medyk/health/internal'
import { isoOf, type Action, type ActionOutcome, type Instance, type Runtime } from '../model/index.ts'
import type { IntentLog } from './intent-log.ts'

export interface ExecutorContext {
  readonly runtime: Runtime
  readonly intents: IntentLog
  readonly clock: Clock
  readonly logger: Logger
  readonly signal: AbortSignal
}

/** An action may take this long beyond its grace, milliseconds. Longer than any stop, so that a slow one is not called failed. */
const ACTION_MS = 30_000

/** Pauses before an outcome that the journal refused is offered again: a full disk is seldom empty within seconds. */
const OUTCOME_RETRIES_MS = [1_000, 5_000, 15_000, 60_000, 300_000, 900_000]

/**
 * Carries out one action: intent to the journal, look at the instance once more, act, outcome to the journal. Never
 * rejects; whatever goes wrong is the outcome. Another run than the judged one is there: aborted.
 */
export async function execute(action: Action, decidedAt: string, context: ExecutorContext): Promise<ActionOutcome> {
  const refusal = await commitIntent(action, decidedAt, context)
  if (refusal) return refusal
  const outcome = await carryOut(action, context)
  const write = { id: action.id, outcome, finishedAt: isoOf(context.clock.wall()) }
  // What was done is done: recovery goes on, whether or not the disk takes the note of it at once.
  if (!(await commitOutcome(write, context))) void commitLater(write, context)
  return outcome
}

interface OutcomeWrite {
  readonly id: string
  readonly outcome: ActionOutcome
  readonly finishedAt: string
}

/** True when there is nothing left to write. */
async function commitOutcome({ id, outcome, finishedAt }: OutcomeWrite, context: ExecutorContext): Promise<boolean> {
  try {
    await context.intents.commitOutcome(id, outcome, finishedAt)
    return true
  } catch (error) {
    context.logger.error({ action: id, err: messageOf(error) }, 'the outcome of an action could not be journaled')
    // Written by a call that ran out of time, or never to be written since there is no intent.
    return isMedykError(error, 'ERR_JOURNAL_DUPLICATE') || isMedykError(error, 'ERR_JOURNAL_UNKNOWN')
  }
}

/** Without an outcome the next life of the daemon would take the action for interrupted. A last try when the daemon ends. */
async function commitLater(write: OutcomeWrite, context: ExecutorContext): Promise<void> {
  const { clock, signal } = context
  for (const ms of OUTCOME_RETRIES_MS) {
    await pause(clock, ms, signal)
    if ((await commitOutcome(write, context)) || signal.aborted) return
  }
}

/** Resolves after `ms`, or at once when the signal says so. */
function pause(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      timer[Symbol.dispose]()
      signal.removeEventListener('abort', done)
      resolve()
    }
    const timer = clock.timer(ms, done, { unref: true })
    if (signal.aborted) done()
    else signal.addEventListener('abort', done, { once: true })
  })
}

async function commitIntent(
  action: Action,
  decidedAt: string,
  context: ExecutorContext,
): Promise<ActionOutcome | null> {
  try {
    await context.intents.commitIntent(action, decidedAt)
    return null
  } catch (error) {
    const detail = printable(`the journal took no intent: ${messageOf(error)}`)
    context.logger.error({ action: action.id, err: detail }, 'the intent of an action could not be journaled')
    // Without a journal a start is the only thing that can do no harm: at worst it finds the instance running.
    return action.kind === 'start' ? null : { result: 'aborted', detail, startedAt: action.precondition.startedAt }
  }
}

async function carryOut(action: Action, context: ExecutorContext): Promise<ActionOutcome> {
  const { runtime, clock, signal } = context
  try {
    return await withDeadline(ACTION_MS + action.graceMs, (inner) => attempt(action, runtime, inner), {
      parent: signal,
      clock,
      what: `${action.kind} of ${action.instance}`,
    })
  } catch (error) {
    const result = isMedykError(error, 'ERR_START_IMPOSSIBLE') ? 'impossible' : 'failed'
    return { result, detail: printable(messageOf(error)), startedAt: null }
  }
}

async function attempt(action: Action, runtime: Runtime, signal: AbortSignal): Promise<ActionOutcome> {
  const call = { signal }
  const found = await runtime.inspect(action.instance, call)
  const stale = staleness(action, found)
  if (stale) return { result: 'aborted', detail: stale, startedAt: found.startedAt }
  const now = await remedies[action.kind](action, runtime, call)
  return { result: 'done', detail: '', startedAt: now.startedAt }
}

function staleness(action: Action, found: Instance): string | null {
  if (action.kind === 'start') return found.startedAt === null ? null : `it runs already, since ${found.startedAt}`
  if (found.startedAt === action.precondition.startedAt) return null
  return found.startedAt === null ? 'it has ended meanwhile' : `another run is there, since ${found.startedAt}`
}

const remedies = {
  start: (action, runtime, call) => runtime.start(action.instance, call),
  restart: (action, runtime, call) => runtime.restart(action.instance, action.graceMs, call),
  resume: (action, runtime, call) => runtime.resume(action.instance, call),
} satisfies Record<
  Action['kind'],
  (action: Action, runtime: Runtime, call: { signal: AbortSignal }) => Promise<Instance>
>
