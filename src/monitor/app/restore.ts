import type { Journal, ReadBack } from '../journal/index.ts'
import type { Restored, ServiceSpec } from '../model/index.ts'
import type { IncidentBook } from './incident-book.ts'

/** Incidents that the API shows of former lives. */
const SHOWN = 500

/** What the last life left behind. An action that it did not finish counts as an attempt and is never repeated blindly. */
export async function restore(
  journal: Journal,
  book: IncidentBook,
  services: readonly ServiceSpec[],
): Promise<{ readonly restored: Restored } & Pick<ReadBack, 'proven' | 'maintenance'>> {
  const { incidents, attempts, quarantined, pending, proven, boots, maintenance } = await journal.readBack()
  for (const action of pending) await journal.markInterrupted(action.id)
  await journal.retainProven(services.map(({ name }) => name))
  book.load([...(await journal.incidents({ limit: SHOWN }))].reverse(), quarantined)
  return { restored: { type: 'restored', incidents, attempts, quarantined, boots }, proven, maintenance }
}
