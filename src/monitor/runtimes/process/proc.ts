import { readdirSync, readFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { withDeadline, type Clock } from '@medyk/health/internal'

const SCAN_MS = 5_000

/** What /proc/PID/stat says. `pid` and `startTicks` together name a process for as long as the machine is up. */
export interface ProcessStat {
  readonly pid: number
  readonly state: string
  readonly group: number
  readonly session: number
  /** Clock ticks between boot and its start. */
  readonly startTicks: number
  /** An ended process that nobody has waited for yet. */
  readonly dead: boolean
  /** By SIGSTOP and its kin; a process under a debugger (t) is not stopped in this sense. */
  readonly stopped: boolean
}

export function parseStat(text: string): ProcessStat | null {
  // The name in parentheses may itself contain spaces and parentheses.
  const close = text.lastIndexOf(')')
  if (close < 0) return null
  const pid = Number.parseInt(text, 10)
  const fields = text.slice(close + 2).split(' ')
  const state = fields[0] ?? ''
  const [group, session, threads, startTicks] = [2, 3, 17, 19].map((at) => Number(fields[at]))
  if (![pid, group, session, threads, startTicks].every(Number.isSafeInteger)) return null
  return {
    pid,
    state,
    group: group!,
    session: session!,
    startTicks: startTicks!,
    // A main thread may end before its siblings and is a zombie then, though the process lives.
    dead: state === 'X' || (state === 'Z' && threads! <= 1),
    stopped: state === 'T',
  }
}

/** null: there is no such process, or it cannot be seen. Blocks for some 20 µs; the kernel answers from memory. */
export function readStat(pid: number): ProcessStat | null {
  try {
    return parseStat(readFileSync(`/proc/${pid}/stat`, 'latin1'))
  } catch {
    return null
  }
}

/** Changes with every boot: after one, no former pid means anything. */
export function readBootId(): string {
  return readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim()
}

function listPids(): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
}

/** The living members of a process group. */
export function groupMembers(group: number): ProcessStat[] {
  return listPids()
    .map(readStat)
    .filter((stat) => stat !== null && stat.group === group && !stat.dead) as ProcessStat[]
}

export interface TokenHolder {
  readonly stat: ProcessStat
  readonly value: string
}

/**
 * Every living process that carries the environment variable `name`, as far as this user may look and as far as `SCAN_MS`
 * go: reading waits for the process's memory lock, which one that hangs in the kernel may never give back.
 */
export async function findHolders(name: string, clock: Clock): Promise<readonly TokenHolder[]> {
  const holders: TokenHolder[] = []
  const scan = async (signal: AbortSignal) => {
    for (const pid of listPids()) {
      if (signal.aborted) return
      const value = variableIn(await readFile(`/proc/${pid}/environ`, 'latin1').catch(() => ''), name)
      const stat = value === null ? null : readStat(pid)
      if (value !== null && stat && !stat.dead) holders.push({ stat, value })
    }
  }
  await withDeadline(SCAN_MS, scan, { clock }).catch(() => {})
  return [...holders]
}

function variableIn(environment: string, name: string): string | null {
  const assignment = environment.split('\0').find((entry) => entry.startsWith(`${name}=`))
  return assignment?.slice(name.length + 1) ?? null
}
