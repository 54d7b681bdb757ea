import { MedykError } from '@medyk/health/internal'
import type { DatabaseSync } from 'node:sqlite'

/**
 * The n-th entry takes the schema from version n-1 to n. Never change one that has been released: append. Times that are
 * compared stand in columns of their own, the nouns themselves as JSON, so that a new field of a noun needs no migration.
 */
export const migrations: readonly string[] = [
  `
  CREATE TABLE actions (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    incident TEXT NOT NULL,
    service TEXT NOT NULL,
    action TEXT NOT NULL,
    decided_at TEXT NOT NULL,
    decided_wall INTEGER NOT NULL,
    outcome TEXT,
    result TEXT,
    finished_at TEXT
  ) STRICT;
  CREATE INDEX actions_by_incident ON actions (incident);
  CREATE INDEX actions_by_time ON actions (decided_wall);
  CREATE INDEX actions_pending ON actions (seq) WHERE outcome IS NULL;

  CREATE TABLE incidents (
    id TEXT PRIMARY KEY,
    service TEXT NOT NULL,
    opened_at TEXT NOT NULL,
    closed_at TEXT,
    incident TEXT NOT NULL
  ) STRICT;
  CREATE INDEX incidents_by_time ON incidents (opened_at, id);
  CREATE INDEX incidents_open ON incidents (opened_at) WHERE closed_at IS NULL;

  CREATE TABLE quarantines (
    service TEXT PRIMARY KEY,
    since TEXT NOT NULL,
    since_wall INTEGER NOT NULL,
    incident TEXT NOT NULL,
    reason TEXT NOT NULL
  ) STRICT;

  CREATE TABLE events (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    at TEXT NOT NULL,
    type TEXT NOT NULL,
    payload TEXT NOT NULL
  ) STRICT;
  `,
  `
  CREATE TABLE proven (
    instance TEXT PRIMARY KEY,
    service TEXT NOT NULL,
    probes TEXT NOT NULL,
    since TEXT NOT NULL
  ) STRICT;
  CREATE INDEX proven_by_time ON proven (since);
  `,
  `
  ALTER TABLE events ADD COLUMN incident TEXT;
  UPDATE events SET incident = CASE
    WHEN type LIKE 'incident.%' THEN json_extract(payload, '$.id')
    WHEN type = 'action.decided' THEN json_extract(payload, '$.action.incident')
    WHEN type = 'action.finished' THEN (SELECT incident FROM actions WHERE id = json_extract(payload, '$.action'))
    ELSE json_extract(payload, '$.incident')
  END
  WHERE type LIKE 'incident.%' OR type IN ('action.decided', 'action.finished', 'action.withheld', 'service.quarantined');
  CREATE INDEX events_by_incident ON events (incident, seq) WHERE incident IS NOT NULL;
  CREATE INDEX events_audit ON events (seq) WHERE type = 'audit';

  CREATE TABLE maintenance (
    service TEXT PRIMARY KEY,
    by TEXT NOT NULL,
    reason TEXT NOT NULL,
    since TEXT NOT NULL,
    until TEXT NOT NULL,
    until_wall INTEGER NOT NULL
  ) STRICT;

  CREATE TABLE idempotency_keys (
    key TEXT PRIMARY KEY,
    fingerprint TEXT NOT NULL,
    answer TEXT NOT NULL,
    claimed_wall INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX idempotency_keys_by_time ON idempotency_keys (claimed_wall);

  CREATE TABLE forensics (
    incident TEXT PRIMARY KEY,
    at TEXT NOT NULL,
    forensics TEXT NOT NULL
  ) STRICT;
  CREATE INDEX forensics_by_time ON forensics (at);

  CREATE TABLE boots (
    service TEXT PRIMARY KEY,
    boot_ms REAL NOT NULL,
    at TEXT NOT NULL
  ) STRICT;
  CREATE INDEX boots_by_time ON boots (at);
  `,
]

/** Version of the schema in `db`; 0 for an empty database. */
export function schemaVersion(db: DatabaseSync): number {
  const exists = db.prepare(`SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'schema_version'`).get()
  if (exists === undefined) return 0
  return Number(db.prepare('SELECT coalesce(max(version), 0) AS version FROM schema_version').get()?.['version'])
}

/** Brings `db` forward to the newest version in `list`, one transaction per step; a step that fails leaves no trace. */
export function migrate(db: DatabaseSync, now: string, list: readonly string[] = migrations): void {
  db.exec('CREATE TABLE IF NOT EXISTS schema_version (version INTEGER PRIMARY KEY, applied_at TEXT NOT NULL) STRICT')
  for (let version = schemaVersion(db) + 1; version <= list.length; version++) {
    db.exec('BEGIN IMMEDIATE')
    try {
      db.exec(list[version - 1] ?? '')
      db.prepare('INSERT INTO schema_version (version, applied_at) VALUES (?, ?)').run(version, now)
      db.exec('COMMIT')
    } catch (error) {
      if (db.isTransaction) db.exec('ROLLBACK')
      throw error
    }
  }
}

/** A database written by a newer Medyk: read by an older one it would lose what that one does not know. */
export function refuseNewer(file: string, found: number, known: number = migrations.length): void {
  if (found <= known) return
  throw new MedykError('ERR_JOURNAL_SCHEMA', `${file} has schema version ${found}; this Medyk knows ${known}`, {
    hint: 'run the newer Medyk again, or move the file away to begin an empty journal; it was left untouched',
  })
}
