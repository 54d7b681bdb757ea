import type { Instance } from './instance.ts'
import type { ServiceSpec } from './service.ts'

/** What a runtime may be able to do; one missing disables what needs it, by name. */
export type Ability = 'start' | 'stop' | 'restart' | 'resume' | 'logs'

/** What a runtime tells unasked. Hints: `list` is the truth. */
export type RuntimeEvent =
  | { readonly type: 'instance.started'; readonly instance: Instance }
  | { readonly type: 'instance.exited'; readonly instance: Instance }
  | { readonly type: 'instance.failed'; readonly instance: Instance }
  | { readonly type: 'instance.suspended'; readonly instance: Instance }
  | { readonly type: 'instance.resumed'; readonly instance: Instance }
  | { readonly type: 'instance.removed'; readonly instance: Instance }
  /** Somebody has asked it to end; state `stopping`. */
  | { readonly type: 'instance.stopping'; readonly instance: Instance }
  /** The runtime does not answer; state `unknown`. What is found when it does is told by the event that fits. */
  | { readonly type: 'instance.lost'; readonly instance: Instance }
  /** The same run in the same state: its address or its runtime's own check is another now. */
  | { readonly type: 'instance.changed'; readonly instance: Instance }

export interface RuntimeCall {
  readonly signal: AbortSignal
}

/**
 * Where services run. Every call settles by its signal at the latest. `start` is idempotent: on a running instance it
 * changes nothing. Errors are MedykError: ERR_NO_INSTANCE, ERR_RUNTIME, ERR_START (temporary), ERR_START_IMPOSSIBLE.
 */
export interface Runtime extends AsyncDisposable {
  readonly kind: string
  readonly abilities: ReadonlySet<Ability>
  /** What runs here belongs to others: Medyk neither starts what has never run nor stops anything when it ends. Absent: false. */
  readonly isForeign?: boolean
  /** Takes over the services of its kind; what runs already is adopted, nothing is started. Returns what it found. */
  adopt(services: readonly ServiceSpec[], call: RuntimeCall): Promise<readonly Instance[]>
  list(call: RuntimeCall): Promise<readonly Instance[]>
  inspect(id: string, call: RuntimeCall): Promise<Instance>
  /** Events from now on, in order per instance. */
  watch(listener: (event: RuntimeEvent) => void): Disposable
  /** Returns when the new run exists, not when it is healthy. */
  start(id: string, call: RuntimeCall): Promise<Instance>
  /** SIGTERM, after `graceMs` SIGKILL. Returns when it is gone. A stopped process is killed at once. */
  stop(id: string, graceMs: number, call: RuntimeCall): Promise<Instance>
  restart(id: string, graceMs: number, call: RuntimeCall): Promise<Instance>
  resume(id: string, call: RuntimeCall): Promise<Instance>
  /** The last output, at most `maxBytes`, redacted. */
  logs(id: string, maxBytes: number, call: RuntimeCall): Promise<string>
  /** Ends watching; what runs goes on running. */
  [Symbol.asyncDispose](): Promise<void>
}
