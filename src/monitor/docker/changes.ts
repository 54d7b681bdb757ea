import type { RunEnd } from './run-ends.ts'
import type { ContainerEnd, ContainerView } from './view.ts'

export interface Telling {
  readonly container: ContainerView
  readonly end: ContainerEnd | null
}

export function runs({ startedAt }: ContainerView): boolean {
  return startedAt !== null
}

/** Whether there is a run that has ended and whose end has not been told: the one that finished at `now.finishedAt`. */
export function endsARun(former: ContainerView | null, now: ContainerView): boolean {
  if (now.finishedAt === null) return false
  if (runs(now)) return former !== null && runs(former) && former.startedAt !== now.startedAt
  return former === null || runs(former) || former.finishedAt !== now.finishedAt
}

/**
 * What to tell when a container that looked like `former` looks like `now`. `end`: of its latest run that has ended. A run
 * that was told to run and has been replaced by another is first told to have ended.
 */
export function tellings(former: ContainerView | null, now: ContainerView, end: RunEnd | null): readonly Telling[] {
  const told: Telling[] = []
  if (former && runs(former) && runs(now) && former.startedAt !== now.startedAt) {
    const container: ContainerView = {
      ...former,
      state: 'exited',
      pid: null,
      startedAt: null,
      finishedAt: now.finishedAt,
      exitCode: end?.exitCode ?? UNSEEN_EXIT_CODE,
      health: null,
    }
    told.push({ container, end: end?.end ?? 'unknown' })
  }
  if (!former || significant(former) !== significant(now)) {
    const ended = !runs(now) && now.finishedAt !== null
    const how = isBrokenOff(former, now) ? 'stop' : (end?.end ?? 'unknown')
    told.push({ container: now, end: ended ? how : null })
  }
  return told
}

/**
 * Docker was about to start it again and does not any more, though it did not fail to: somebody has stopped it. There was no
 * process to send a signal to, so nothing else tells.
 */
function isBrokenOff(former: ContainerView | null, now: ContainerView): boolean {
  return (
    former?.state === 'restarting' && now.state === 'exited' && former.finishedAt === now.finishedAt && now.error === ''
  )
}

/** Of a run whose end nobody saw and that has been followed by another. */
export const UNSEEN_EXIT_CODE = -1

/** The output of a check may differ each time it runs, and says nothing new as long as its result is the same. */
function significant(view: ContainerView): string {
  return JSON.stringify(view, (key, value: unknown) => (key === 'output' ? undefined : value))
}
