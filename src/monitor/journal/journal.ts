import { Worker } from 'node:worker_threads'
import { MedykError, printable, redact, type Clock, type Logger } from '@medyk/health/internal'
import type { Action, ActionOutcome, Incident, IncidentAction, Json, Maintenance } from '../model/index.ts'
import { Connection, type Spawn } from './connection.ts'
import {
  defaultRetention,
  type IncidentTransition,
  type JournaledEvent,
  type JournaledIncident,
  type KeyClaim,
  type ProvenInstance,
  type ReadBack,
  type Retention,
} from './records.ts'

/** ok: the last write reached the disk · degraded: it did not · closed */
export type JournalState = 'ok' | 'degraded' | 'closed'

/**
 * The append-only record. A promise that resolved means: on the disk. Calls are carried out in order. Every call settles
 * within its deadline; it rejects with MedykError: `ERR_JOURNAL_WRITE` (disk full, read-only, failing), `ERR_JOURNAL_READ`,
 * `ERR_JOURNAL_BUSY` (queue full), `ERR_JOURNAL_WORKER` (crashed; the next call starts it again), `ERR_JOURNAL_CLOSED`,
 * `ERR_JOURNAL_DUPLICATE`, `ERR_JOURNAL_UNKNOWN`, `ERR_JOURNAL_INPUT`, `ERR_DEADLINE` (it may or may not be written).
 */
export interface Journal extends AsyncDisposable {
  readonly state: JournalState
  /** What was wrong at opening and how it was dealt with, for people; empty when all was well. */
  readonly problems: readonly string[]
  /** Before acting. Also counts as an attempt from now on. */
  commitIntent(action: Action, decidedAt: string): Promise<void>
  /** After acting. The first outcome of an action stands. */
  commitOutcome(actionId: string, outcome: ActionOutcome, finishedAt: string): Promise<void>
  /** Gives a pending action of a former life the outcome `interrupted`. */
  markInterrupted(actionId: string): Promise<void>
  /** What a daemon that starts has to know; attempts of the last 24 h. */
  readBack(): Promise<ReadBack>
  /** The incident as it stands now; `transition` goes into the record beside it. */
  saveIncident(incident: Incident, transition: IncidentTransition): Promise<void>
  saveQuarantine(service: string, since: string, incident: string, reason: string): Promise<void>
  clearQuarantine(service: string): Promise<void>
  /** This instance has been healthy under these probes. */
  saveProven(proven: ProvenInstance): Promise<void>
  /** Forgets who was proven of every service that is not named. */
  retainProven(services: readonly string[]): Promise<void>
  /** A row of the record. Text in `payload` is redacted; at most 64 KiB as JSON. `incident`: whose story it belongs to. */
  appendEvent(type: string, payload: object, incident?: string): Promise<void>
  /** One per service: a new one replaces it. */
  saveMaintenance(maintenance: Maintenance): Promise<void>
  clearMaintenance(service: string): Promise<void>
  /** Those that have not ended yet. */
  maintenance(): Promise<readonly Maintenance[]>
  /** Claims an idempotency key for 24 h; `fresh` is false for one that has been claimed. */
  claimKey(key: string, fingerprint: string, answer: Json): Promise<KeyClaim>
  /** What was claimed under this key within the last 24 h. */
  claimed(key: string): Promise<KeyClaim | null>
  /** State at the opening of an incident that was saved; the first stands. Redacted; at most 64 KiB as JSON. */
  saveForensics(incident: string, forensics: object): Promise<void>
  /** As it was saved; null: there is none (any more). */
  forensics(incident: string): Promise<unknown>
  /** How long a service took to its first good answer, milliseconds; the longest is kept. */
  saveBoot(service: string, bootMs: number): Promise<void>
  /** Newest first; `before` is the id of the last one seen. At most 1,000 at a time. */
  incidents(page: { limit: number; before?: string }): Promise<readonly JournaledIncident[]>
  incident(id: string): Promise<JournaledIncident | null>
  /** The record, oldest first, from after sequence number `after` on. At most 1,000 at a time. */
  events(page: { limit: number; after?: number }): Promise<readonly JournaledEvent[]>
  /** The record of one incident, oldest first, at most 1,000; where there is more, its beginning and its end. */
  eventsOf(incident: string, limit: number): Promise<readonly JournaledEvent[]>
  /** Events of type `audit`, newest first. At most 1,000. */
  audit(limit: number): Promise<readonly JournaledEvent[]>
  action(id: string): Promise<IncidentAction | null>
  /** Writes what was called before. Never rejects; idempotent. */
  close(): Promise<void>
}

export interface JournalOptions {
  /** Created if absent, for its owner only; one process at a time may use it. */
  readonly stateDir: string
  readonly logger: Logger
  readonly clock: Clock
  /** For one call, milliseconds. Default 5,000. */
  readonly deadlineMs?: number
  /** For opening, which may check a large database first, milliseconds. Default 30,000. */
  readonly openDeadlineMs?: number
  /** Calls under way at once; more are refused. Default 2,000. */
  readonly maxQueue?: number
  /** Size of the database; past it the oldest events make room. Default 1 GiB. */
  readonly maxBytes?: number
  readonly retention?: Retention
  onStateChange?(state: JournalState, reason: string): void
}

const MAX_PAYLOAD = 65_536

/**
 * Opens the journal in `stateDir`. Rejects with `ERR_STATE_IN_USE` (names the other process), `ERR_STATE_DIR`,
 * `ERR_JOURNAL_SCHEMA` (written by a newer Medyk; left untouched), `ERR_JOURNAL_OPEN`. A damaged database is no reason
 * to reject: it is kept aside and told in `problems`.
 */
export function openJournal(options: JournalOptions): Promise<Journal> {
  return openJournalOn(startWorker, options)
}

const startWorker: Spawn = (workerData) =>
  new Worker(new URL(import.meta.resolve('#journal')), { name: 'medyk-journal', workerData })

/** `openJournal` with another way to start the worker, for tests that have to kill it. */
export async function openJournalOn(spawn: Spawn, options: JournalOptions): Promise<Journal> {
  const { stateDir, logger, clock, deadlineMs = 5_000, openDeadlineMs = 30_000, maxQueue = 2_000 } = options
  const problems: string[] = []
  let state: JournalState = 'ok'
  const enter = (next: JournalState, reason: string) => {
    if (state === next || state === 'closed') return
    state = next
    options.onStateChange?.(next, reason)
  }
  const connection = new Connection({
    worker: { stateDir, maxBytes: options.maxBytes ?? 2 ** 30, retention: options.retention ?? defaultRetention },
    clock,
    deadlineMs,
    openDeadlineMs,
    maxQueue,
    spawn,
    onProblems(found) {
      problems.push(...found)
      for (const problem of found) logger.error({ stateDir, problem }, 'the journal had to be repaired')
    },
    onWrite(failure) {
      if (failure !== null && state === 'ok')
        logger.error({ stateDir, code: failure.code, err: failure.message }, 'the journal cannot write')
      if (failure === null && state === 'degraded') logger.info({ stateDir }, 'the journal writes again')
      enter(failure === null ? 'ok' : 'degraded', failure?.message ?? 'a write worked')
    },
  })
  await connection.open()
  const now = () => new Date(clock.wall()).toISOString()
  const close = async () => {
    await connection.close()
    enter('closed', 'closed')
  }
  return {
    get state() {
      return state
    },
    problems,
    commitIntent: (action, decidedAt) => connection.call('commitIntent', action, decidedAt),
    commitOutcome: (actionId, outcome, finishedAt) => connection.call('commitOutcome', actionId, outcome, finishedAt),
    markInterrupted: (actionId) => connection.call('markInterrupted', actionId, now()),
    readBack: () => connection.call('readBack', clock.wall()),
    saveIncident: (incident, transition) => connection.call('saveIncident', incident, transition, now()),
    saveQuarantine: (service, since, incident, reason) =>
      connection.call('saveQuarantine', service, since, incident, reason, now()),
    clearQuarantine: (service) => connection.call('clearQuarantine', service, now()),
    saveProven: (proven) => connection.call('saveProven', proven, now()),
    retainProven: (services) => connection.call('retainProven', services),
    appendEvent: async (type, payload, incident) =>
      connection.call('appendEvent', printable(type, 100), redactedJson(payload), now(), incident ?? null),
    saveMaintenance: (maintenance) => connection.call('saveMaintenance', maintenance, now()),
    clearMaintenance: (service) => connection.call('clearMaintenance', service, now()),
    maintenance: () => connection.call('maintenance', clock.wall()),
    claimKey: (key, fingerprint, answer) => connection.call('claimKey', key, fingerprint, answer, clock.wall()),
    claimed: (key) => connection.call('claimed', key, clock.wall()),
    saveForensics: async (incident, forensics) =>
      connection.call('saveForensics', incident, redactedJson(forensics), now()),
    forensics: (incident) => connection.call('forensics', incident),
    saveBoot: (service, bootMs) => connection.call('saveBoot', service, bootMs, now()),
    incidents: ({ limit, before }) => connection.call('incidents', clamp(limit, 1_000), before ?? null),
    incident: (id) => connection.call('incident', id),
    events: ({ limit, after }) => connection.call('events', clamp(limit, 1_000), after ?? 0),
    eventsOf: (incident, limit) => connection.call('eventsOf', incident, clamp(limit, 1_000)),
    audit: (limit) => connection.call('audit', clamp(limit, 1_000)),
    action: (id) => connection.call('action', id),
    close,
    [Symbol.asyncDispose]: close,
  }
}

function redactedJson(payload: object): string {
  const json = JSON.stringify(payload, (_key, value: unknown) => (typeof value === 'string' ? redact(value) : value))
  if (json.length <= MAX_PAYLOAD) return json
  throw new MedykError('ERR_JOURNAL_INPUT', `a record of ${json.length} characters is larger than ${MAX_PAYLOAD}`)
}

function clamp(limit: number, max: number): number {
  return Math.min(max, Math.max(1, Math.trunc(limit) || 1))
}
