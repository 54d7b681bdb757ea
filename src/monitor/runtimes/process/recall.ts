import type { ExitInfo } from '../../model/index.ts'
import type { TokenHolder } from './proc.ts'
import type { InstanceRecord, RunRecord } from './record.ts'
import type { ProcessName } from './signals.ts'

/** What a new daemon sees of the machine when it reads a record. */
export interface Sight {
  readonly bootId: string
  /** Processes that carry a token of any instance. */
  readonly holders: readonly TokenHolder[]
  /** Of this instance's tokens: `tokenPrefix`, the wall-clock milliseconds of the start, a point, something random. */
  readonly tokenPrefix: string
  readonly isAlive: (name: ProcessName) => boolean
  readonly unknownExit: ExitInfo
}

export interface Recalled {
  readonly record: InstanceRecord
  readonly alive: { readonly run: RunRecord; readonly name: ProcessName; readonly orphan: boolean } | null
  /** The run that has ended unseen; its children may still be there. */
  readonly leftBehind: { readonly token: string; readonly pid: number | null } | null
}

export function tokenFor(tokenPrefix: string, wall: number, random: string): string {
  return `${tokenPrefix}${wall}.${random}`
}

/** What became of an instance while no daemon watched. Pure. */
export function recall(record: InstanceRecord, sight: Sight): Recalled {
  const { run } = record
  const name = run && run.bootId === sight.bootId ? nameOf(run) : null
  if (run && name && sight.isAlive(name)) return { record, alive: { run, name, orphan: false }, leftBehind: null }

  const orphan = findOrphan(record, sight)
  if (orphan) {
    const { pid, startTicks } = orphan.stat
    const startedAt = new Date(startOf(orphan, sight.tokenPrefix)).toISOString()
    const known = run?.token === orphan.value ? run : { token: orphan.value, startedAt, commandHash: '' }
    const found: RunRecord = { ...known, bootId: sight.bootId, pid, startTicks }
    return {
      record: { ...record, desired: 'running', lastStartedAt: found.startedAt, run: found },
      alive: { run: found, name: { pid, startTicks }, orphan: true },
      leftBehind: null,
    }
  }
  if (!run) return { record, alive: null, leftBehind: null }
  const leftBehind = { token: run.token, pid: run.pid }
  // Announced and never spawned: that was no start.
  if (run.pid === null) {
    return { record: { ...record, starts: Math.max(0, record.starts - 1), run: null }, alive: null, leftBehind }
  }
  const lastExit = record.lastExit && record.lastExit.at >= run.startedAt ? record.lastExit : sight.unknownExit
  return { record: { ...record, run: null, lastExit }, alive: null, leftBehind }
}

/**
 * A run whose pid the record does not hold. Only leaders, since whatever the service starts inherits the token, and only
 * what is newer than the record: an older leader is some helper that a former run has detached.
 */
function findOrphan(record: InstanceRecord, { holders, tokenPrefix }: Sight): TokenHolder | undefined {
  const after = Date.parse(record.lastStartedAt ?? '') || 0
  const announced = record.run?.pid === null ? record.run.token : null
  return holders
    .filter(({ value, stat }) => value.startsWith(tokenPrefix) && stat.pid === stat.session)
    .filter((holder) => startOf(holder, tokenPrefix) > after || holder.value === announced)
    .sort((a, b) => startOf(b, tokenPrefix) - startOf(a, tokenPrefix) || a.stat.startTicks - b.stat.startTicks)[0]
}

function startOf({ value }: TokenHolder, tokenPrefix: string): number {
  const wall = Number(value.slice(tokenPrefix.length).split('.')[0])
  return Number.isSafeInteger(wall) && wall > 0 && wall < 8.64e15 ? wall : 0
}

function nameOf({ pid, startTicks }: RunRecord): ProcessName | null {
  return pid !== null && startTicks !== null ? { pid, startTicks } : null
}
