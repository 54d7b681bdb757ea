import type { TrackRow } from '../lib/frame.ts'

export interface Stats {
  /** Rows ever stored, those included that have been pruned since. */
  readonly frames: number
  /** Milliseconds since the Unix epoch; null before the first. */
  readonly lastFrameAt: number | null
}

/** Where rows are kept. `open…` functions resolve only after a write has really succeeded. */
export interface Store {
  /** For the log, without secrets. */
  readonly description: string
  /** All of them or none. Rows that it has already are left out; returns how many were new. */
  insert(rows: readonly TrackRow[]): Promise<number> | number
  stats(): Promise<Stats> | Stats
  /** Writes, since a disk that is full can still be read. */
  check(): Promise<void> | void
  close(): Promise<void> | void
}

/** Rows that are kept; older ones go. At 25 pictures a second, eleven hours. */
export const MAX_ROWS = 1_000_000
/** Pruned after this many inserts: each time would cost more than it frees. */
export const PRUNE_EVERY = 1_000
