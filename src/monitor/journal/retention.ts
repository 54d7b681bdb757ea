import type { DatabaseSync } from 'node:sqlite'
import { ATTEMPTS_KEPT_MS, type Retention } from './records.ts'

/** Rows removed at once: few enough that nobody who waits for a commit notices. */
const STEP = 500

/**
 * Removes up to a step of what exceeds `keep`, oldest first. What stays in any case: open incidents, actions
 * without an outcome, attempts that may still count. Returns how many rows went. Call within a transaction, often.
 */
export function prune(db: DatabaseSync, keep: Retention, now: number, step: number = STEP): number {
  return (
    pruneEvents(db, keep.events, step) +
    pruneIncidents(db, keep.incidents, now, step) +
    pruneActions(db, keep.actions, now, step)
  )
}

/** Removes the oldest tenth of the events, whatever the limit: for a database that has reached its size. */
export function makeRoom(db: DatabaseSync): number {
  const { first, last } = db.prepare('SELECT min(seq) AS first, max(seq) AS last FROM events').get() ?? {}
  if (first === null || last === null) return 0
  const until = Number(first) + Math.max(100, Math.floor((Number(last) - Number(first)) / 10))
  return Number(db.prepare('DELETE FROM events WHERE seq < ?').run(until).changes)
}

function pruneEvents(db: DatabaseSync, keep: number, step: number): number {
  // Sequence numbers have no gaps but at the beginning, so a difference counts rows without visiting them.
  return Number(
    db
      .prepare(
        `DELETE FROM events WHERE seq <= (SELECT max(seq) FROM events) - ?
         AND seq < (SELECT min(seq) FROM events) + ?`,
      )
      .run(keep, step).changes,
  )
}

function pruneIncidents(db: DatabaseSync, keep: number, now: number, step: number): number {
  const surplus = count(db, 'incidents') - keep
  if (surplus <= 0) return 0
  const gone = db
    .prepare('SELECT id FROM incidents WHERE closed_at IS NOT NULL ORDER BY opened_at, id LIMIT ?')
    .all(Math.min(step, surplus))
  for (const { id } of gone) {
    db.prepare('DELETE FROM actions WHERE incident = ? AND outcome IS NOT NULL AND decided_wall <= ?').run(
      id ?? null,
      now - ATTEMPTS_KEPT_MS,
    )
    db.prepare('DELETE FROM forensics WHERE incident = ?').run(id ?? null)
    db.prepare('DELETE FROM incidents WHERE id = ?').run(id ?? null)
  }
  return gone.length
}

function pruneActions(db: DatabaseSync, keep: number, now: number, step: number): number {
  const surplus = count(db, 'actions') - keep
  if (surplus <= 0) return 0
  return Number(
    db
      .prepare(
        `DELETE FROM actions WHERE seq IN
         (SELECT seq FROM actions WHERE outcome IS NOT NULL AND decided_wall <= ? ORDER BY seq LIMIT ?)`,
      )
      .run(now - ATTEMPTS_KEPT_MS, Math.min(step, surplus)).changes,
  )
}

function count(db: DatabaseSync, table: 'incidents' | 'actions'): number {
  return Number(db.prepare(`SELECT count(*) AS n FROM ${table}`).get()?.['n'])
}
