import { MedykError, messageOf } from '@medyk/health/internal'
import type { Retention } from './records.ts'
import type { Store } from './store.ts'

/** Reads are answered outside any transaction; the rest are writes and are committed in groups. */
export const READS = [
  'readBack',
  'incidents',
  'incident',
  'events',
  'eventsOf',
  'audit',
  'action',
  'maintenance',
  'forensics',
  'claimed',
] as const
export type Read = (typeof READS)[number]
export type Operation = { [K in keyof Store]: Store[K] extends (...args: never) => unknown ? K : never }[keyof Store]
export type Arguments<O extends Operation> = Parameters<Store[O]>
export type Result<O extends Operation> = ReturnType<Store[O]>

export interface WorkerOptions {
  readonly stateDir: string
  /** ISO 8601, for what is written at start-up. */
  readonly now: string
  readonly maxBytes: number
  readonly retention: Retention
}

export interface Request {
  readonly type: 'request'
  readonly id: number
  readonly operation: Operation
  readonly args: readonly unknown[]
  /** Monotonic milliseconds of the system clock: nobody waits for the answer any more, so do not begin. */
  readonly expires: number
}

/** Answer what came before, then end. */
export interface Close {
  readonly type: 'close'
}

/** An error on its way between threads: cloning one would lose its class and code. */
export interface Failure {
  readonly code: string
  readonly message: string
  readonly hint: string | null
}

export type Answer =
  | { readonly type: 'done'; readonly id: number; readonly value: unknown }
  | { readonly type: 'refused'; readonly id: number; readonly failure: Failure }

export type FromWorker =
  | Answer
  | { readonly type: 'ready'; readonly problems: readonly string[] }
  /** Opening failed; the worker ends. */
  | { readonly type: 'failed'; readonly failure: Failure }

export function toFailure(thrown: unknown): Failure {
  if (thrown instanceof MedykError) return { code: thrown.code, message: thrown.message, hint: thrown.hint ?? null }
  return { code: 'ERR_JOURNAL_WORKER', message: messageOf(thrown), hint: null }
}

export function toError({ code, message, hint }: Failure): MedykError {
  return new MedykError(code, message, hint === null ? {} : { hint })
}
