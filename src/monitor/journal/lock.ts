import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { MedykError } from '@medyk/health/internal'
import { createPrivate } from './files.ts'
import { sqliteTrouble } from './sqlite-error.ts'

interface Owner {
  readonly pid: number
  /** Clock ticks after boot at which the process began: with the pid it names one process for ever. null: not Linux. */
  readonly startTicks: string | null
  readonly since: string
}

/** A process that was killed may need this long to let go; one that lives on keeps its lock longer. */
const PATIENCE_MS = 1_000

/**
 * Takes the state directory for this process alone; dispose to give it back. The lock is one of the kernel on
 * `daemon.lock`, so it ends with the process however that ends. `daemon.json` only says who it is. Throws `ERR_STATE_IN_USE`.
 */
export function lockStateDir(stateDir: string, now: string): Disposable {
  const lockFile = path.join(stateDir, 'daemon.lock')
  const ownerFile = path.join(stateDir, 'daemon.json')
  createPrivate(lockFile)
  // An exclusive transaction in an empty database that is never written: SQLite knows how to lock on every platform, and
  // unlike a lock by hand it also keeps apart two users within one process.
  const db = new DatabaseSync(lockFile, { timeout: PATIENCE_MS })
  try {
    db.exec('PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE')
  } catch (error) {
    db.close()
    if (sqliteTrouble(error) !== 'busy') throw error
    throw inUse(stateDir, ownerFile)
  }
  const owner: Owner = { pid: process.pid, startTicks: startTicks(process.pid), since: now }
  // By renaming: whoever finds the lock taken must not read half a line.
  writeFileSync(`${ownerFile}.new`, `${JSON.stringify(owner)}\n`, { mode: 0o600 })
  renameSync(`${ownerFile}.new`, ownerFile)
  return {
    [Symbol.dispose]() {
      if (!db.isOpen) return
      rmSync(ownerFile, { force: true })
      db.close()
    },
  }
}

function inUse(stateDir: string, ownerFile: string): MedykError {
  const owner = readOwner(ownerFile)
  const who = owner === null ? 'another process' : `the daemon with pid ${owner.pid}, since ${owner.since},`
  return new MedykError('ERR_STATE_IN_USE', `${who} uses the state directory ${stateDir}`, {
    hint:
      owner === null
        ? 'end it, or choose another directory with --state'
        : `end it (kill ${owner.pid}), or choose another directory with --state`,
  })
}

/** null when the file does not tell: absent, or left by one that died, while the new owner has yet to write its own. */
function readOwner(ownerFile: string): Owner | null {
  try {
    const owner = JSON.parse(readFileSync(ownerFile, 'utf8')) as Owner
    return Number.isInteger(owner.pid) && startTicks(owner.pid) === owner.startTicks ? owner : null
  } catch {
    return null
  }
}

function startTicks(pid: number): string | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    // Field 22; the second field, the name, may itself contain blanks and brackets.
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? null
  } catch {
    return null
  }
}
