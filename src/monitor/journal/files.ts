import {
  accessSync,
  chmodSync,
  closeSync,
  constants,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs'
import path from 'node:path'
import { MedykError, messageOf } from '@medyk/health/internal'

/** How many damaged databases are kept; a disk that damages each new one must not fill itself with them. */
const MAX_KEPT = 5

/** Creates the directory, for its owner only, or makes sure that nobody else can write in it. Throws `ERR_STATE_DIR`. */
export function prepareStateDir(stateDir: string): void {
  try {
    mkdirSync(stateDir, { recursive: true, mode: 0o700 })
    accessSync(stateDir, constants.R_OK | constants.W_OK | constants.X_OK)
    if ((statSync(stateDir).mode & 0o002) === 0) return
  } catch (error) {
    throw new MedykError('ERR_STATE_DIR', `${stateDir} cannot be used as state directory: ${messageOf(error)}`, {
      hint: 'choose a directory that the daemon can create and write, with --state, MEDYK_STATE or state in the config',
      cause: error,
    })
  }
  throw new MedykError('ERR_STATE_DIR', `every user can write the state directory ${stateDir}`, {
    hint: `chmod o-w ${stateDir}`,
  })
}

/**
 * Makes sure that `file` exists and that only its owner can read it. An existing one is never opened here: closing any
 * descriptor of a file would drop the locks that this process holds on it.
 */
export function createPrivate(file: string): void {
  try {
    closeSync(openSync(file, 'wx', 0o600))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    chmodSync(file, 0o600)
  }
}

/** Renames a damaged database, with its write-ahead log, and returns the new path. */
export function setAside(file: string, now: string): string {
  const stamp = now.replaceAll(/[-:]|\.\d+/g, '')
  const directory = path.dirname(file)
  const taken = new Set(readdirSync(directory))
  let name = `${path.basename(file)}.corrupt-${stamp}`
  for (let n = 2; taken.has(name); n++) name = `${path.basename(file)}.corrupt-${stamp}-${n}`
  const aside = path.join(directory, name)
  renameSync(file, aside)
  // Not readable without its log, nor must the log be taken for one of the new database.
  if ((statSync(`${file}-wal`, { throwIfNoEntry: false })?.size ?? 0) > 0) renameSync(`${file}-wal`, `${aside}-wal`)
  for (const suffix of ['-wal', '-shm']) rmSync(file + suffix, { force: true })
  const kept = readdirSync(directory)
    .filter((each) => each.startsWith(`${path.basename(file)}.corrupt-`) && !/-(wal|shm)$/.test(each))
    .sort()
  for (const old of kept.slice(0, -MAX_KEPT)) {
    for (const suffix of ['', '-wal', '-shm']) rmSync(path.join(directory, old + suffix), { force: true })
  }
  return aside
}

/** Waits until a file's content is on the disk. Not for one that SQLite has open here: closing drops its locks. */
export function sync(file: string): void {
  const descriptor = openSync(file, 'r+')
  try {
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
}

/** Removes the other files beside `file` whose names begin and end like this. */
export function keepOnly(file: string, prefix: string, suffix: string): void {
  const directory = path.dirname(file)
  const others = readdirSync(directory).filter((name) => name.startsWith(prefix) && name.endsWith(suffix))
  for (const name of others) if (name !== path.basename(file)) rmSync(path.join(directory, name), { force: true })
}
