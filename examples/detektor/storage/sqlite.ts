import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { MedykError } from '@medyk/health'
import { MAX_ROWS, PRUNE_EVERY, type Stats, type Store } from './store.ts'

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS frames (
    id INTEGER PRIMARY KEY,
    camera TEXT NOT NULL,
    session TEXT NOT NULL,
    number INTEGER NOT NULL,
    captured_at INTEGER NOT NULL,
    rtp_timestamp INTEGER NOT NULL,
    bytes INTEGER NOT NULL,
    keyframe INTEGER NOT NULL,
    gap_frames INTEGER NOT NULL,
    keyframe_interval_ms REAL,
    bitrate_bps REAL,
    UNIQUE (camera, session, number)
  ) STRICT;
  CREATE TABLE IF NOT EXISTS totals (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    frames INTEGER NOT NULL,
    last_frame_at INTEGER,
    checked_at INTEGER NOT NULL
  ) STRICT;
  INSERT OR IGNORE INTO totals VALUES (1, 0, NULL, 0);
`
/** Longer than any transaction of ours, short enough to say at start-up that another holds the database. */
const BUSY_MS = 500

/** A database file in `directory`, which is made when it is missing. Throws `ERR_STORE` with what to do. */
export function openSqlite(directory: string): Store {
  const path = join(directory, 'metadata.sqlite')
  let db: DatabaseSync | null = null
  try {
    mkdirSync(directory, { recursive: true })
    db = new DatabaseSync(path)
    db.exec(`PRAGMA busy_timeout = ${BUSY_MS}; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; ${SCHEMA}`)
    return storeOn(db, path)
  } catch (error) {
    db?.close()
    const message = `cannot open and write ${path}: ${(error as Error).message}`
    const hint = 'set DATA_DIR to a folder that can be written, and end what else holds the database'
    throw new MedykError('ERR_STORE', message, { hint, cause: error })
  }
}

function storeOn(db: DatabaseSync, path: string): Store {
  const insert = db.prepare(`
    INSERT OR IGNORE INTO frames (camera, session, number, captured_at, rtp_timestamp, bytes, keyframe, gap_frames,
      keyframe_interval_ms, bitrate_bps) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`)
  const add = db.prepare('UPDATE totals SET frames = frames + ?, last_frame_at = max(ifnull(last_frame_at, 0), ?)')
  const totals = db.prepare('SELECT frames, last_frame_at AS lastFrameAt FROM totals')
  const touch = db.prepare('UPDATE totals SET checked_at = ?')
  const prune = db.prepare('DELETE FROM frames WHERE id <= (SELECT max(id) FROM frames) - ?')
  let sincePrune = 0
  const check = () => void touch.run(Date.now())
  check()

  return {
    description: `SQLite at ${path}`,
    insert(rows) {
      db.exec('BEGIN IMMEDIATE')
      try {
        let inserted = 0
        let newest = 0
        for (const row of rows) {
          const { camera, session, number, capturedAt, rtpTimestamp, bytes, keyframe } = row
          const { gapFrames, keyframeIntervalMs, bitrateBps } = row
          const head = [camera, session, number, capturedAt, rtpTimestamp, bytes, Number(keyframe)] as const
          inserted += Number(insert.run(...head, gapFrames, keyframeIntervalMs, bitrateBps).changes)
          newest = Math.max(newest, capturedAt)
        }
        if (inserted > 0) add.run(inserted, newest)
        sincePrune += inserted
        if (sincePrune >= PRUNE_EVERY) {
          prune.run(MAX_ROWS)
          sincePrune = 0
        }
        db.exec('COMMIT')
        return inserted
      } catch (error) {
        db.exec('ROLLBACK')
        throw error
      }
    },
    stats: () => totals.get() as unknown as Stats,
    check,
    close: () => db.close(),
  }
}
