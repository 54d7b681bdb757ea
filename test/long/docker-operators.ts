import { setTimeout as sleep } from 'node:timers/promises'
import type { Scene } from '../support/docker/scene.ts'
import { onSmall, small } from './docker-scene.ts'
import type { Figures, Row } from './row.ts'

const starts: ReadonlySet<string> = new Set(['start', 'restart', 'unpause'])
const actionOf = (deed: string) => deed.split(' ')[0] ?? ''

/** What an operator does with Compose, and how long it is watched afterwards: longer than Medyk waits after a stop. */
async function operate(scene: Scene, command: readonly string[], ownStarts: number, watchMs: number): Promise<Figures> {
  const since = Date.now()
  await scene.compose(...command)
  const ended = Date.now()
  const during = scene.deeds(since).filter((deed) => starts.has(actionOf(deed)))
  await sleep(watchMs)
  // Docker may tell of the operator's last deed a moment after Compose has returned.
  const after = scene.deeds(ended + 250)
  const incidents = await scene.incidents(since)
  const strange = incidents.filter(({ cause }) => cause !== 'operator')
  if (after.length > 0) throw new Error(`somebody else did: ${after.join(', ')}`)
  if (strange.length > 0) {
    throw new Error(
      `told of as ${strange.map(({ service, cause, reason }) => `${service} (${cause}): ${reason}`).join('; ')}`,
    )
  }
  return {
    disturbed: Math.max(0, during.length - ownStarts),
    actions: incidents.reduce((sum, { actions }) => sum + actions.length, 0),
    incidents: incidents.length,
  }
}

const row = (title: string, command: readonly string[], ownStarts: number, watchMs: number): Row => ({
  title,
  runs: 20,
  gates: { disturbed: 0, actions: 0, incidents: 1 },
  run: onSmall((scene) => operate(scene, command, ownStarts, watchMs)),
})

export const operatorRows = {
  'compose-stop': row('compose stop: nothing is started, at most one line tells of it', ['stop'], 0, 40_000),
  'compose-rm': row('compose rm of one service: it stays away', ['rm', '--stop', '--force', 'api'], 0, 30_000),
  'compose-down': row('compose down: nothing is started', ['down', '--timeout', '2'], 0, 30_000),
  'compose-recreate': row(
    'compose up --force-recreate: every container is started once, by Compose',
    ['up', '--detach', '--force-recreate', '--timeout', '2'],
    small.length,
    30_000,
  ),
} satisfies Record<string, Row>
