import type { Journal, ReadBack } from '../journal/index.ts'
import type { IncidentAction, Restored, ServiceSpec } from '../model/index.ts'
import type { IncidentBook } from './incident-book.ts'

/** Incidents that the API shows of former lives. */
const SHOWN = 500

export interface LastLife extends Pick<ReadBack, 'proven' | 'maintenance'> {
  readonly restored: Restored
  /** Whether an action for an incident that is open may have brought about what happened to an instance at that time. */
  acted(instance: string, at: string): boolean
}

/** So long after the end of an action Docker may still be at it. */
const AFTERMATH_MS = 20_000

/** What the last life left behind. An action that it did not finish counts as an attempt and is never repeated blindly. */
export async function restore(
  journal: Journal,
  book: IncidentBook,
  services: readonly ServiceSpec[],
): Promise<LastLife> {
  const { incidents, attempts, quarantined, pending, proven, boots, maintenance } = await journal.readBack()
  for (const action of pending) await journal.markInterrupted(action.id)
  await journal.retainProven(services.map(({ name }) => name))
  const shown = await journal.incidents({ limit: SHOWN })
  book.load([...shown].reverse(), quarantined)
  const actions = shown.filter(({ incident }) => incident.closedAt === null).flatMap((open) => open.actions)
  const restored = { type: 'restored' as const, incidents, attempts, quarantined, boots }
  return { restored, proven, maintenance, acted: (instance, at) => actions.some((one) => wasAt(one, instance, at)) }
}

/** Whether this action may have brought about what happened to the instance at that time. */
function wasAt({ action, decidedAt, finishedAt, outcome }: IncidentAction, instance: string, at: string): boolean {
  if (action.instance !== instance || at < decidedAt) return false
  // Of one that was interrupted nobody knows how long it took.
  if (finishedAt === null || outcome?.result === 'interrupted') return true
  return Date.parse(at) <= Date.parse(finishedAt) + AFTERMATH_MS
}
