import type { EndedBy, Incident, Instance } from '../model/index.ts'

/** An end as old as this is nobody's to undo: who was not there then cannot know what was meant. */
const RECENT_MS = 600_000

export interface Remembered {
  /** Instances that were healthy in a former life of the daemon. */
  readonly proven: ReadonlySet<string>
  /** Left open by the former life. */
  readonly incidents: readonly Incident[]
  /** Whether an action of ours was under way at that time (ISO 8601): then an end was its doing, and no operator's. */
  acted(instance: string, at: string): boolean
  /** How the last run of an instance ended, as far as its runtime still knows. */
  endOf(instance: Instance): EndedBy | null
  /** Wall-clock milliseconds. */
  readonly wall: number
}

/**
 * What is found stopped is left so, whoever stopped it, for that may have been meant. But the daemon itself may have died in the
 * middle of a cure, or together with a service: what it had in hand, and what it knows to have been well and to have
 * been killed or have crashed a moment ago, is taken up again.
 */
export function atFirstSight(instance: Instance, known: Remembered): Instance {
  const { exit, state, id } = instance
  if (exit?.endedBy !== 'before' || (state !== 'exited' && state !== 'failed')) return instance
  const open = known.incidents.find((incident) => incident.instance === id && incident.recoveredAt === null)
  const endedBy = known.endOf(instance)
  // It was ill, and while nobody watched somebody has stopped it.
  const isLeft = open?.cause === 'operator' || (endedBy === 'stop' && !known.acted(id, exit.at))
  if (open) return isLeft ? instance : { ...instance, exit: { ...exit, endedBy: 'itself' } }
  const recent = known.wall - Date.parse(exit.at) < RECENT_MS
  if (!known.proven.has(id) || !recent || (endedBy !== 'kill' && endedBy !== 'itself')) return instance
  return { ...instance, exit: { ...exit, endedBy } }
}
