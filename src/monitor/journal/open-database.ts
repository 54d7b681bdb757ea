import { existsSync, renameSync, rmSync, statSync } from 'node:fs'
import path from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { MedykError, messageOf } from '@medyk/health/internal'
import { createPrivate, keepOnly, setAside, sync } from './files.ts'
import { migrate, migrations, refuseNewer, schemaVersion } from './migrations.ts'
import { hintFor, sqliteTrouble } from './sqlite-error.ts'

export interface OpenedDatabase {
  readonly db: DatabaseSync
  /** What was wrong and has been dealt with, for people. */
  readonly problems: readonly string[]
}

export interface DatabaseOptions {
  /** ISO 8601. */
  readonly now: string
  readonly maxBytes: number
  /** The schema, for tests of other versions. Default: the one of this Medyk. */
  readonly schema?: readonly string[]
}

/**
 * Opens the journal's database, creates it or brings it to the newest schema. A damaged one is kept aside and replaced;
 * one with a newer schema is refused untouched (`ERR_JOURNAL_SCHEMA`). One with an older schema is first copied to
 * `journal.db.v<version>.bak`: put back in its place, with the Medyk that wrote it, it goes on from there. Only the last
 * such copy stays. Throws `ERR_JOURNAL_OPEN` on anything else.
 */
export function openDatabase(file: string, options: DatabaseOptions): OpenedDatabase {
  const problems: string[] = []
  const schema = options.schema ?? migrations
  try {
    const damage = examine(file, schema.length)
    if (damage !== null) {
      const aside = setAside(file, options.now)
      problems.push(
        `the journal was damaged (${damage}); it is kept as ${path.basename(aside)} and a new one was begun`,
      )
    }
    return { db: prepare(file, { ...options, schema }, problems), problems }
  } catch (error) {
    if (error instanceof MedykError) throw error
    throw new MedykError('ERR_JOURNAL_OPEN', `${file} cannot be opened: ${messageOf(error)}`, {
      hint: hintFor(sqliteTrouble(error) ?? 'other', path.dirname(file)),
      cause: error,
    })
  }
}

/** What is damaged, or null. Read-only, so that a database that will be refused stays as it is, to the byte. */
function examine(file: string, known: number): string | null {
  if (!existsSync(file) || statSync(file).size === 0) return null
  try {
    return look(file, known, true)
  } catch (error) {
    // A roll-back that a killed process left can only be done by one who may write.
    if (sqliteTrouble(error) !== 'readonly') throw error
    return look(file, known, false)
  }
}

function look(file: string, known: number, readOnly: boolean): string | null {
  const db = new DatabaseSync(file, { readOnly, timeout: 2_000 })
  try {
    refuseNewer(file, schemaVersion(db), known)
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

function prepare(file: string, { now, maxBytes, schema }: Required<DatabaseOptions>, problems: string[]): DatabaseSync {
  createPrivate(file)
  const db = new DatabaseSync(file, { timeout: 2_000 })
  try {
    // FULL: a commit is on the disk when it returns. In WAL mode that is one sync.
    db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA journal_size_limit = 16777216')
    const pageSize = Number(db.prepare('PRAGMA page_size').get()?.['page_size'])
    db.exec(`PRAGMA max_page_count = ${Math.max(1, Math.floor(maxBytes / pageSize))}`)
    const version = schemaVersion(db)
    if (version > 0 && version < schema.length) problems.push(...backUp(db, file, version))
    migrate(db, now, schema)
    return db
  } catch (error) {
    db.close()
    throw error
  }
}

/** What went wrong, for people. A disk that has no room for a copy is no reason to watch nobody. */
function backUp(db: DatabaseSync, file: string, version: number): readonly string[] {
  const copy = `${file}.v${version}.bak`
  const unfinished = `${copy}.new`
  try {
    rmSync(unfinished, { force: true })
    createPrivate(unfinished)
    // Whole, whatever still lies in the write-ahead log.
    db.prepare('VACUUM INTO ?').run(unfinished)
    sync(unfinished)
    renameSync(unfinished, copy)
    keepOnly(copy, `${path.basename(file)}.v`, '.bak')
    return []
  } catch (error) {
    rmSync(unfinished, { force: true })
    return [`before its upgrade from version ${version} the journal could not be copied: ${messageOf(error)}`]
  }
}
