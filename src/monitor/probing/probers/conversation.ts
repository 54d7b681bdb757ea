import type { Socket } from 'node:net'
import { formatDuration } from '@medyk/health/internal'
import type { AttemptOutcome } from '../../model/index.ts'
import { classifyError } from './socket-error.ts'
import { afterTurns } from './turns.ts'

/** An outcome before its latency is known. */
export type Finding =
  | Omit<Extract<AttemptOutcome, { class: 'ok' }>, 'latencyMs'>
  | Omit<Extract<AttemptOutcome, { class: 'explicit' }>, 'latencyMs'>
  | Omit<Extract<AttemptOutcome, { class: 'silence' }>, 'latencyMs'>
  | Omit<Extract<AttemptOutcome, { class: 'misconfigured' }>, 'latencyMs'>
  | Extract<AttemptOutcome, { class: 'void' }>

/** What to say once connected and how to take the answer. A finding ends it; null: go on. */
export interface Conversation {
  readonly connectEvent: 'connect' | 'secureConnect'
  begin(socket: Socket): Finding | null
  data(chunk: Buffer): Finding | null
  end(): Finding | null
}

/** A deadline that fires later than this measured the prober, not the target. */
const tooLateMs = 250

/**
 * One examination on a fresh socket, which is gone when the promise settles. The timeout is total: connecting, sending
 * and the whole answer. The latency counts from the request having been sent, so that a lost SYN is no slowness. Never
 * rejects.
 */
export function converse(
  open: () => Socket,
  conversation: Conversation,
  limits: { readonly timeoutMs: number; readonly signal: AbortSignal },
): Promise<AttemptOutcome> {
  const { timeoutMs, signal } = limits
  if (signal.aborted) return Promise.resolve({ class: 'void', reason: 'aborted' })
  const startedAt = performance.now()
  return new Promise((resolve) => {
    let socket: Socket | null = null
    let sentAt = 0
    let heard = false
    let settled = false
    const settle = (finding: Finding) => {
      if (settled) return
      settled = true
      clearTimeout(timer)
      signal.removeEventListener('abort', onAbort)
      socket?.destroy()
      const latencyMs = performance.now() - (sentAt || startedAt)
      resolve(finding.class === 'void' ? finding : { ...finding, latencyMs })
    }
    const step = (work: () => Finding | null) => {
      if (settled) return
      const finding = work()
      if (finding) settle(finding)
    }
    const onAbort = () => settle({ class: 'void', reason: 'aborted' })
    const onDeadline = () => {
      const lateMs = performance.now() - startedAt - timeoutMs
      afterTurns(() => {
        if (settled) return
        if (lateMs > tooLateMs) {
          return settle({ class: 'void', reason: `the prober was ${formatDuration(lateMs)} late itself` })
        }
        const what = sentAt === 0 ? 'no connection' : heard ? 'no complete answer' : 'no answer'
        settle({ class: 'silence', reason: `${what} within ${formatDuration(timeoutMs)}` })
      })
    }
    const timer = setTimeout(onDeadline, timeoutMs)
    signal.addEventListener('abort', onAbort, { once: true })
    try {
      socket = open()
    } catch (thrown) {
      return settle(classifyError(thrown))
    }
    const opened = socket
    opened.setNoDelay(true)
    opened.on('error', (error) => settle(classifyError(error)))
    opened.once(conversation.connectEvent, () => {
      sentAt = performance.now()
      step(() => conversation.begin(opened))
    })
    opened.on('data', (chunk: Buffer) => {
      heard = true
      step(() => conversation.data(chunk))
    })
    opened.once('end', () => step(() => conversation.end()))
    // Destroyed without a word: nothing above may be left waiting.
    opened.once('close', () => step(() => conversation.end()))
  })
}
