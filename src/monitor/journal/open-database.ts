import { existsSync, statSync } from 'node:fs'
import path from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { MedykError, messageOf } from '@medyk/health/internal'
import { createPrivate, setAside } from './files.ts'
import { migrate, refuseNewer, schemaVersion } from './migrations.ts'
import { hintFor, sqliteTrouble } from './sqlite-error.ts'

export interface OpenedDatabase {
  readonly db: DatabaseSync
  /** What was wrong and has been dealt with, for people. */
  readonly problems: readonly string[]
}

/**
 * Opens the journal's database, creates it or brings it to the newest schema. A damaged one is kept aside and replaced;
 * one with a newer schema is refused untouched (`ERR_JOURNAL_SCHEMA`). Throws `ERR_JOURNAL_OPEN` on anything else.
 */
export function openDatabase(file: string, options: { now: string; maxBytes: number }): OpenedDatabase {
  const problems: string[] = []
  try {
    const damage = examine(file)
    if (damage !== null) {
      const aside = setAside(file, options.now)
      problems.push(
        `the journal was damaged (${damage}); it is kept as ${path.basename(aside)} and a new one was begun`,
      )
    }
    return { db: prepare(file, options), problems }
  } catch (error) {
    if (error instanceof MedykError) throw error
    throw new MedykError('ERR_JOURNAL_OPEN', `${file} cannot be opened: ${messageOf(error)}`, {
      hint: hintFor(sqliteTrouble(error) ?? 'other', path.dirname(file)),
      cause: error,
    })
  }
}

/** What is damaged, or null. Read-only, so that a database that will be refused stays as it is, to the byte. */
function examine(file: string): string | null {
  if (!existsSync(file) || statSync(file).size === 0) return null
  try {
    return look(file, true)
  } catch (error) {
    // A roll-back that a killed process left can only be done by one who may write.
    if (sqliteTrouble(error) !== 'readonly') throw error
    return look(file, false)
  }
}

function look(file: string, readOnly: boolean): string | null {
  const db = new DatabaseSync(file, { readOnly, timeout: 2_000 })
  try {
    refuseNewer(file, schemaVersion(db))
    const [first] = db.prepare('PRAGMA quick_check(1)').all()
    const verdict = first?.['quick_check']
    return verdict === 'ok' ? null : String(verdict ?? 'no verdict')
  } catch (error) {
    if (sqliteTrouble(error) === 'corrupt') return messageOf(error)
    throw error
  } finally {
    db.close()
  }
}

function prepare(file: string, { now, maxBytes }: { now: string; maxBytes: number }): DatabaseSync {
  createPrivate(file)
  const db = new DatabaseSync(file, { timeout: 2_000 })
  try {
    // FULL: a commit is on the disk when it returns. In WAL mode that is one sync.
    db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA journal_size_limit = 16777216')
    const pageSize = Number(db.prepare('PRAGMA page_size').get()?.['page_size'])
    db.exec(`PRAGMA max_page_count = ${Math.max(1, Math.floor(maxBytes / pageSize))}`)
    migrate(db, now)
    return db
  } catch (error) {
    db.close()
    throw error
  }
}
