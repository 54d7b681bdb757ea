import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { MedykError } from '@medyk/health/internal'
import type { Action, ActionOutcome, Incident, IncidentAction, Json, Maintenance } from '../model/index.ts'
import { Notes } from './notes.ts'
import {
  ATTEMPTS_KEPT_MS,
  OPERATOR_PREFIX,
  PROVEN_KEPT,
  type IncidentTransition,
  type JournaledEvent,
  type JournaledIncident,
  type KeyClaim,
  type ProvenInstance,
  type ReadBack,
} from './records.ts'
import { parse, textOrNull, toJson, wallOf, type Row } from './rows.ts'

/**
 * The journal's statements on an open database, synchronous. The caller owns the transactions; a method that throws
 * may have written part of its rows.
 */
export class Store {
  readonly #db: DatabaseSync
  readonly #prepared = new Map<string, StatementSync>()
  readonly #notes: Notes

  constructor(db: DatabaseSync) {
    this.#db = db
    this.#notes = new Notes((text) => this.#sql(text))
  }

  /** Throws `ERR_JOURNAL_DUPLICATE` when there is an intent with this id: an action is decided once. */
  commitIntent(action: Action, decidedAt: string): void {
    const { changes } = this.#sql(
      `INSERT INTO actions (id, incident, service, action, decided_at, decided_wall) VALUES (?, ?, ?, ?, ?, ?)
       ON CONFLICT (id) DO NOTHING`,
    ).run(action.id, action.incident, action.service, toJson(action), decidedAt, wallOf(decidedAt))
    if (Number(changes) === 0)
      throw new MedykError('ERR_JOURNAL_DUPLICATE', `the action ${action.id} was committed before`)
    this.appendEvent('action.decided', toJson({ action, decidedAt }), decidedAt, action.incident)
  }

  /** Throws `ERR_JOURNAL_UNKNOWN` without an intent, `ERR_JOURNAL_DUPLICATE` when there is an outcome: the first stands. */
  commitOutcome(actionId: string, outcome: ActionOutcome, finishedAt: string): void {
    const { changes } = this.#sql(
      'UPDATE actions SET outcome = ?, result = ?, finished_at = ? WHERE id = ? AND outcome IS NULL',
    ).run(toJson(outcome), outcome.result, finishedAt, actionId)
    if (Number(changes) === 0) {
      const known = this.#sql('SELECT 1 FROM actions WHERE id = ?').get(actionId)
      throw known === undefined
        ? new MedykError('ERR_JOURNAL_UNKNOWN', `there is no action ${actionId}`)
        : new MedykError('ERR_JOURNAL_DUPLICATE', `the action ${actionId} has an outcome already`)
    }
    const incident = this.#sql('SELECT incident FROM actions WHERE id = ?').get(actionId)?.['incident']
    const payload = toJson({ action: actionId, outcome, finishedAt })
    this.appendEvent('action.finished', payload, finishedAt, textOrNull(incident))
  }

  markInterrupted(actionId: string, at: string): void {
    const detail = 'the monitor ended while the action was under way'
    this.commitOutcome(actionId, { result: 'interrupted', detail, startedAt: null }, at)
  }

  /** Writes the incident as it stands now, and the transition that led there. */
  saveIncident(incident: Incident, transition: IncidentTransition, at: string): void {
    const json = toJson(incident)
    this.#sql(
      `INSERT INTO incidents (id, service, opened_at, closed_at, incident) VALUES (?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE
       SET service = excluded.service, opened_at = excluded.opened_at, closed_at = excluded.closed_at, incident = excluded.incident`,
    ).run(incident.id, incident.service, incident.openedAt, incident.closedAt, json)
    this.appendEvent(transition, json, at, incident.id)
  }

  saveQuarantine(service: string, since: string, incident: string, reason: string, at: string): void {
    this.#sql(
      `INSERT INTO quarantines (service, since, since_wall, incident, reason) VALUES (?, ?, ?, ?, ?) ON CONFLICT (service) DO UPDATE
       SET since = excluded.since, since_wall = excluded.since_wall, incident = excluded.incident, reason = excluded.reason`,
    ).run(service, since, wallOf(since), incident, reason)
    this.appendEvent('service.quarantined', toJson({ service, since, incident, reason }), at, incident)
  }

  clearQuarantine(service: string, at: string): void {
    const held = this.#sql('DELETE FROM quarantines WHERE service = ? RETURNING incident').get(service)
    if (held) this.appendEvent('service.released', toJson({ service }), at, textOrNull(held['incident']))
  }

  /** One row per instance: other probes replace it. No row in the record, since nothing happened to anybody. */
  saveProven({ instance, service, probes }: ProvenInstance, at: string): void {
    this.#sql(
      `INSERT INTO proven (instance, service, probes, since) VALUES (?, ?, ?, ?) ON CONFLICT (instance) DO UPDATE
       SET service = excluded.service, probes = excluded.probes, since = excluded.since`,
    ).run(instance, service, probes, at)
    this.#sql(
      'DELETE FROM proven WHERE instance IN (SELECT instance FROM proven ORDER BY since DESC, instance LIMIT -1 OFFSET ?)',
    ).run(PROVEN_KEPT)
  }

  /** Forgets the instances of every service that is not named. */
  retainProven(services: readonly string[]): void {
    this.#sql('DELETE FROM proven WHERE service NOT IN (SELECT value FROM json_each(?))').run(JSON.stringify(services))
  }

  /** `payload` is JSON already. `incident`: whose story it belongs to. */
  appendEvent(type: string, payload: string, at: string, incident: string | null = null): void {
    this.#sql('INSERT INTO events (at, type, payload, incident) VALUES (?, ?, ?, ?)').run(at, type, payload, incident)
  }

  readBack(now: number): ReadBack {
    const rows = (sql: string, ...values: number[]) => this.#sql(sql).all(...values) as Row[]
    return {
      incidents: rows('SELECT incident FROM incidents WHERE closed_at IS NULL ORDER BY opened_at, id').map(
        (row) => parse(row['incident']) as Incident,
      ),
      // One that was aborted changed nothing and never counted. One without an outcome counts: it may have changed something.
      attempts: rows(
        `SELECT service, decided_wall FROM actions WHERE decided_wall > ? AND coalesce(result, '') <> 'aborted'
         AND substr(incident, 1, ${OPERATOR_PREFIX.length}) <> '${OPERATOR_PREFIX}' ORDER BY seq`,
        now - ATTEMPTS_KEPT_MS,
      ).map((row) => ({ service: String(row['service']), wall: Number(row['decided_wall']) })),
      quarantined: rows('SELECT service, since_wall, reason FROM quarantines ORDER BY since_wall, service').map(
        (row) => ({
          service: String(row['service']),
          sinceWall: Number(row['since_wall']),
          reason: String(row['reason']),
        }),
      ),
      pending: rows('SELECT action FROM actions WHERE outcome IS NULL ORDER BY seq').map(
        (row) => parse(row['action']) as Action,
      ),
      proven: rows('SELECT instance, service, probes FROM proven ORDER BY instance').map((row) => ({
        instance: String(row['instance']),
        service: String(row['service']),
        probes: String(row['probes']),
      })),
      boots: this.#notes.boots(),
      maintenance: this.#notes.maintenance(now),
    }
  }

  saveMaintenance(maintenance: Maintenance, at: string): void {
    this.#notes.saveMaintenance(maintenance)
    this.appendEvent('maintenance.started', toJson(maintenance), at)
  }

  clearMaintenance(service: string, at: string): void {
    if (this.#notes.clearMaintenance(service)) this.appendEvent('maintenance.ended', toJson({ service }), at)
  }

  maintenance(now: number): Maintenance[] {
    return this.#notes.maintenance(now)
  }

  claimKey(key: string, fingerprint: string, answer: Json, now: number): KeyClaim {
    return this.#notes.claimKey(key, fingerprint, answer, now)
  }

  claimed(key: string, now: number): KeyClaim | null {
    return this.#notes.claimed(key, now)
  }

  saveForensics(incident: string, json: string, at: string): void {
    this.#notes.saveForensics(incident, json, at)
  }

  forensics(incident: string): unknown {
    return this.#notes.forensics(incident)
  }

  saveBoot(service: string, bootMs: number, at: string): void {
    this.#notes.saveBoot(service, bootMs, at)
  }

  /** Newest first by `openedAt`; `before` is the id of the last one seen. */
  incidents(limit: number, before: string | null): JournaledIncident[] {
    if (before !== null && this.#sql('SELECT 1 FROM incidents WHERE id = ?').get(before) === undefined)
      throw unknownIncident(before)
    const rows = this.#sql(
      `SELECT id, incident FROM incidents
       WHERE ?1 IS NULL OR (opened_at, id) < (SELECT opened_at, id FROM incidents WHERE id = ?1)
       ORDER BY opened_at DESC, id DESC LIMIT ?2`,
    ).all(before, limit) as Row[]
    return rows.map((row) => this.#withActions(row))
  }

  incident(id: string): JournaledIncident | null {
    const row = this.#sql('SELECT id, incident FROM incidents WHERE id = ?').get(id)
    return row === undefined ? null : this.#withActions(row)
  }

  /** The record itself, oldest first, from after `after` on. */
  events(limit: number, after: number): JournaledEvent[] {
    const rows = this.#sql('SELECT seq, at, type, payload FROM events WHERE seq > ? ORDER BY seq LIMIT ?').all(
      after,
      limit,
    ) as Row[]
    return rows.map(eventOf)
  }

  /** The record of one incident, oldest first; past `limit` its beginning and its end. */
  eventsOf(incident: string, limit: number): JournaledEvent[] {
    const half = Math.ceil(limit / 2)
    const rows = this.#sql(
      `SELECT seq, at, type, payload FROM events WHERE seq IN (
         SELECT seq FROM (SELECT seq FROM events WHERE incident = ?1 ORDER BY seq LIMIT ?2)
         UNION SELECT seq FROM (SELECT seq FROM events WHERE incident = ?1 ORDER BY seq DESC LIMIT ?3))
       ORDER BY seq`,
    ).all(incident, half, limit - half) as Row[]
    return rows.map(eventOf)
  }

  /** Audit rows, newest first. */
  audit(limit: number): JournaledEvent[] {
    const rows = this.#sql(
      `SELECT seq, at, type, payload FROM events WHERE type = 'audit' ORDER BY seq DESC LIMIT ?`,
    ).all(limit) as Row[]
    return rows.map(eventOf)
  }

  action(id: string): IncidentAction | null {
    const row = this.#sql('SELECT action, decided_at, finished_at, outcome FROM actions WHERE id = ?').get(id)
    return row === undefined ? null : actionOf(row)
  }

  #withActions(row: Row): JournaledIncident {
    const actions = this.#sql(
      'SELECT action, decided_at, finished_at, outcome FROM actions WHERE incident = ? ORDER BY seq',
    ).all(String(row['id'])) as Row[]
    return {
      incident: parse(row['incident']) as Incident,
      actions: actions.map(actionOf),
    }
  }

  #sql(text: string): StatementSync {
    let statement = this.#prepared.get(text)
    if (statement === undefined) this.#prepared.set(text, (statement = this.#db.prepare(text)))
    return statement
  }
}

function eventOf(row: Row): JournaledEvent {
  return {
    seq: Number(row['seq']),
    at: String(row['at']),
    type: String(row['type']),
    payload: parse(row['payload']),
  }
}

function actionOf(row: Row): IncidentAction {
  return {
    action: parse(row['action']) as Action,
    decidedAt: String(row['decided_at']),
    finishedAt: textOrNull(row['finished_at']),
    outcome: row['outcome'] === null ? null : (parse(row['outcome']) as ActionOutcome),
  }
}

function unknownIncident(id: string): MedykError {
  return new MedykError('ERR_JOURNAL_UNKNOWN', `there is no incident ${id}`, {
    hint: 'it may be too old to be kept; begin at the newest',
  })
}
