/** SQLite's primary result codes that we tell apart; see sqlite.org/rescode.html. */
const CODES = { busy: [5, 6], readonly: [8], io: [10, 14], corrupt: [11, 26], full: [13] } as const

export type SqliteTrouble = keyof typeof CODES | 'other'

/** What kind of trouble SQLite reports; null when `thrown` is not from SQLite. */
export function sqliteTrouble(thrown: unknown): SqliteTrouble | null {
  const { code, errcode } = (thrown ?? {}) as { code?: unknown; errcode?: unknown }
  if (code !== 'ERR_SQLITE_ERROR' || typeof errcode !== 'number') return null
  // The upper bytes refine the reason; the lowest names the kind.
  const primary = errcode & 0xff
  for (const [trouble, codes] of Object.entries(CODES)) {
    if ((codes as readonly number[]).includes(primary)) return trouble as SqliteTrouble
  }
  return 'other'
}

export function hintFor(trouble: SqliteTrouble, directory: string): string {
  const hints: Readonly<Record<SqliteTrouble, string>> = {
    full: `free space on the file system of ${directory}`,
    readonly: `let the daemon write to ${directory}`,
    io: `check the disk under ${directory} and the daemon's limits (ulimit)`,
    corrupt: 'the damaged file is kept aside and a new one begun',
    busy: `end what holds the database in ${directory} open`,
    other: `look at the database in ${directory}`,
  }
  return hints[trouble]
}
