import { type Clock, type Logger, MedykError } from '@medyk/health/internal'
import { findHolders, groupMembers, readStat, type ProcessStat } from './proc.ts'
import { TOKEN_VARIABLE } from './launch.ts'

const SWEEP_MS = 2_000
const SWEEP_STEP_MS = 20

/** A process that we started, named so that a stranger who has got its pid meanwhile is not taken for it. */
export interface ProcessName {
  readonly pid: number
  readonly startTicks: number
}

/** null: it has ended, even where another process bears its pid now. */
export function statOf(name: ProcessName): ProcessStat | null {
  const stat = readStat(name.pid)
  return stat && stat.startTicks === name.startTicks && !stat.dead ? stat : null
}

/** Signals the process alone; false when it has ended already. */
export function signalProcess(name: ProcessName, signal: NodeJS.Signals): boolean {
  return statOf(name) !== null && send(name.pid, signal)
}

/** Kills the process and the group that it was started as the leader of. */
export function killGroup(name: ProcessName): boolean {
  const stat = statOf(name)
  return stat !== null && send(stat.group === name.pid ? -name.pid : name.pid, 'SIGKILL')
}

/**
 * Kills what a leader that has just ended left behind in its group: it would hold the port. A group's number is not
 * given away while it has members, so this is our group unless a new leader of that number stands in it.
 */
export async function sweepGroup(leader: ProcessName, clock: Clock, logger: Logger): Promise<void> {
  if (!groupExists(leader.pid)) return
  await sweep(
    async () => {
      const members = groupMembers(leader.pid)
      return members.some(({ pid, startTicks }) => pid === leader.pid && startTicks !== leader.startTicks)
        ? []
        : members
    },
    clock,
    logger,
  )
}

/**
 * The same for a run that ended while no daemon watched: there only the token proves whose processes they are. Its pid is
 * null when it was never written down.
 */
export async function sweepToken(token: string, leaderPid: number | null, clock: Clock, logger: Logger): Promise<void> {
  await sweep(
    async () =>
      (await findHolders(TOKEN_VARIABLE, clock))
        .filter(({ value, stat }) => value === token && stat.group === (leaderPid ?? stat.session))
        .map(({ stat }) => stat),
    clock,
    logger,
  )
}

async function sweep(find: () => Promise<ProcessStat[]>, clock: Clock, logger: Logger): Promise<void> {
  const deadline = clock.mono() + SWEEP_MS
  for (let round = 0; ; round++) {
    const found = await find()
    if (found.length === 0) return
    const pids = found.map(({ pid }) => pid)
    if (round === 0) logger.warn({ pids }, 'killing what an ended service left behind in its process group')
    if (clock.mono() > deadline) {
      logger.error({ pids }, 'these leftovers of an ended service do not die; they may hold its port')
      return
    }
    for (const stat of found) {
      try {
        signalProcess(stat, 'SIGKILL')
      } catch (error) {
        logger.debug({ pid: stat.pid, err: String(error) }, 'cannot kill a leftover')
      }
    }
    await clock.sleep(SWEEP_STEP_MS)
  }
}

function groupExists(group: number): boolean {
  try {
    process.kill(-group, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH'
  }
}

function send(target: number, signal: NodeJS.Signals): boolean {
  try {
    return process.kill(target, signal)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false
    throw new MedykError('ERR_RUNTIME', `cannot send ${signal} to process ${Math.abs(target)}`, {
      hint: 'the service runs as another user; run the daemon as the same one or as root',
      cause: error,
    })
  }
}
