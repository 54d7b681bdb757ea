import type { StatementSync } from 'node:sqlite'
import { MedykError } from '@medyk/health/internal'
import type { Json, Maintenance, Restored } from '../model/index.ts'
import { BOOTS_KEPT, FORENSICS_KEPT, KEYS_KEPT, KEYS_KEPT_MS, type KeyClaim } from './records.ts'
import { parse, toJson, wallOf, type Row } from './rows.ts'

/** What is kept as it stands now and replaced, beside the record that only grows: each kind bounded by itself. */
export class Notes {
  readonly #sql: (text: string) => StatementSync

  constructor(sql: (text: string) => StatementSync) {
    this.#sql = sql
  }

  /** One per service: a new one replaces it. */
  saveMaintenance({ service, by, reason, since, until }: Maintenance): void {
    this.#sql(
      `INSERT INTO maintenance (service, by, reason, since, until, until_wall) VALUES (?, ?, ?, ?, ?, ?)
       ON CONFLICT (service) DO UPDATE SET by = excluded.by, reason = excluded.reason, since = excluded.since,
       until = excluded.until, until_wall = excluded.until_wall`,
    ).run(service, by, reason, since, until, wallOf(until))
  }

  /** Whether there was one. */
  clearMaintenance(service: string): boolean {
    return Number(this.#sql('DELETE FROM maintenance WHERE service = ?').run(service).changes) > 0
  }

  maintenance(now: number): Maintenance[] {
    const rows = this.#sql(
      'SELECT service, by, reason, since, until FROM maintenance WHERE until_wall > ? ORDER BY service',
    ).all(now) as Row[]
    const text = (row: Row, column: string) => String(row[column])
    return rows.map((row) => ({
      service: text(row, 'service'),
      by: text(row, 'by'),
      reason: text(row, 'reason'),
      since: text(row, 'since'),
      until: text(row, 'until'),
    }))
  }

  /** Who claims a key first has its answer kept; who comes later is told that. Both in one step. */
  claimKey(key: string, fingerprint: string, answer: Json, now: number): KeyClaim {
    this.#sql('DELETE FROM idempotency_keys WHERE claimed_wall <= ?').run(now - KEYS_KEPT_MS)
    const { changes } = this.#sql(
      `INSERT INTO idempotency_keys (key, fingerprint, answer, claimed_wall) VALUES (?, ?, ?, ?)
       ON CONFLICT (key) DO NOTHING`,
    ).run(key, fingerprint, toJson(answer), now)
    if (Number(changes) > 0) {
      this.#keep('idempotency_keys', 'claimed_wall', KEYS_KEPT)
      return { fresh: true, fingerprint, answer }
    }
    return this.claimed(key, now) ?? { fresh: false, fingerprint, answer }
  }

  claimed(key: string, now: number): KeyClaim | null {
    const row = this.#sql('SELECT fingerprint, answer FROM idempotency_keys WHERE key = ? AND claimed_wall > ?').get(
      key,
      now - KEYS_KEPT_MS,
    )
    if (row === undefined) return null
    return { fresh: false, fingerprint: String(row['fingerprint']), answer: parse(row['answer']) as Json }
  }

  /** `json` is JSON already. Throws `ERR_JOURNAL_UNKNOWN` without the incident: with that it will be removed. */
  saveForensics(incident: string, json: string, at: string): void {
    const { changes } = this.#sql(
      `INSERT INTO forensics (incident, at, forensics) SELECT id, ?, ? FROM incidents WHERE id = ?
       ON CONFLICT (incident) DO NOTHING`,
    ).run(at, json, incident)
    if (Number(changes) > 0) return this.#keep('forensics', 'at', FORENSICS_KEPT)
    if (this.#sql('SELECT 1 FROM incidents WHERE id = ?').get(incident) === undefined)
      throw new MedykError('ERR_JOURNAL_UNKNOWN', `there is no incident ${incident}`)
  }

  forensics(incident: string): unknown {
    return parse(this.#sql('SELECT forensics FROM forensics WHERE incident = ?').get(incident)?.['forensics'])
  }

  /** The longest one stays. */
  saveBoot(service: string, bootMs: number, at: string): void {
    if (!Number.isFinite(bootMs) || bootMs < 0)
      throw new MedykError('ERR_JOURNAL_INPUT', `${bootMs} is not a number of milliseconds`)
    this.#sql(
      `INSERT INTO boots (service, boot_ms, at) VALUES (?, ?, ?) ON CONFLICT (service) DO UPDATE
       SET boot_ms = max(boot_ms, excluded.boot_ms), at = excluded.at`,
    ).run(service, bootMs, at)
    this.#keep('boots', 'at', BOOTS_KEPT)
  }

  boots(): NonNullable<Restored['boots']> {
    const rows = this.#sql('SELECT service, boot_ms FROM boots ORDER BY service').all() as Row[]
    return rows.map((row) => ({ service: String(row['service']), bootMs: Number(row['boot_ms']) }))
  }

  /** Only the newest rows of a table stay. */
  #keep(table: 'idempotency_keys' | 'forensics' | 'boots', time: 'claimed_wall' | 'at', most: number): void {
    this.#sql(
      `DELETE FROM ${table} WHERE rowid IN (SELECT rowid FROM ${table} ORDER BY ${time} DESC LIMIT -1 OFFSET ${most})`,
    ).run()
  }
}
