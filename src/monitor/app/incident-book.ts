import { MedykError } from '@medyk/health/internal'
import type { JournaledIncident } from '../journal/index.ts'
import {
  isoOf,
  type Action,
  type ActionOutcome,
  type DerivedEvent,
  type Incident,
  type IncidentAction,
  type Restored,
} from '../model/index.ts'
import type { ActionRow, IncidentPage, IncidentQuery, IncidentRow } from '../server/index.ts'

interface Entry {
  incident: Incident
  /** In the order of their decisions; those between the first and the last are left out. */
  readonly actions: Map<string, IncidentAction>
  leftOut: number
  /** Set and cleared together with `quarantinedSince`: an incident may hold the quarantine of a service that is not its root. */
  quarantined: string | null
  quarantinedSince: string | null
  withheld: string | null
}

/** Incidents kept in memory for the API; the journal has the older ones. */
const KEPT = 1_000
/** Of the actions of one incident: how it began and how it stands. A quarantined service is tried for as long as it is ill. */
const FIRST_ACTIONS = 5
const LAST_ACTIONS = 20

/** The story of every recent incident, put together from the events of the core. */
export class IncidentBook {
  readonly #entries = new Map<string, Entry>()

  /** Oldest first, as the journal remembers them, and the quarantines that the last life left. */
  load(
    rows: readonly { readonly incident: Incident; readonly actions: readonly IncidentAction[] }[],
    quarantined: Restored['quarantined'],
  ): void {
    for (const { incident, actions } of rows) {
      const entry = this.#entry(incident)
      for (const row of actions) remember(entry, row)
    }
    for (const { service, sinceWall, reason } of quarantined) {
      const entry = this.#holderOf(service)
      if (entry) quarantine(entry, service, isoOf(sinceWall), reason)
    }
  }

  /** Actions of an incident that are no longer kept here; the journal has them. */
  leftOut(id: string): number {
    return this.#entries.get(id)?.leftOut ?? 0
  }

  /** Returns the row that changed, for publishing. */
  take(event: DerivedEvent): IncidentRow | null {
    switch (event.type) {
      case 'incident.opened':
      case 'incident.updated':
      case 'incident.recovered':
      case 'incident.closed': {
        const entry = this.#entry(event.incident)
        if (event.type === 'incident.recovered' || event.type === 'incident.closed') entry.withheld = null
        return rowOf(entry)
      }
      case 'action.decided': {
        const entry = this.#entries.get(event.action.incident)
        if (!entry) return null
        entry.withheld = null
        remember(entry, { action: event.action, decidedAt: event.decidedAt, finishedAt: null, outcome: null })
        return rowOf(entry)
      }
      case 'action.withheld':
        return this.#amend(event.incident, (entry) => (entry.withheld = event.reason))
      case 'service.quarantined':
        return this.#amend(event.incident, (entry) => quarantine(entry, event.service, event.since, event.reason))
      case 'service.released':
        return this.#release(event.service)
      default:
        return null
    }
  }

  finished(action: Action, outcome: ActionOutcome, finishedAt: string): { row: IncidentRow; action: ActionRow } | null {
    const entry = this.#entries.get(action.incident)
    const known = entry?.actions.get(action.id)
    if (!entry || !known) return null
    const row = { ...known, finishedAt, outcome }
    entry.actions.set(action.id, row)
    return { row: rowOf(entry), action: actionRow(row) }
  }

  action(id: string, incident: string): ActionRow | null {
    const known = this.#entries.get(incident)?.actions.get(id)
    return known ? actionRow(known) : null
  }

  get(id: string): IncidentRow | null {
    const entry = this.#entries.get(id)
    return entry ? rowOf(entry) : null
  }

  page(query: IncidentQuery): IncidentPage {
    const all = [...this.#entries.values()].sort((a, b) => compareNewest(a.incident, b.incident))
    const from = query.cursor === undefined ? 0 : all.findIndex((entry) => entry.incident.id === query.cursor) + 1
    if (query.cursor !== undefined && from === 0) {
      throw new MedykError('ERR_CURSOR', 'this cursor is not known (any more)', { hint: 'start at the first page' })
    }
    const wanted = all.slice(from).filter(({ incident }) => {
      if (query.service !== undefined && incident.service !== query.service) return false
      return query.state === 'all' || (query.state === 'open') === (incident.closedAt === null)
    })
    const page = wanted.slice(0, query.limit)
    const last = page.at(-1)
    return {
      incidents: page.map(rowOf),
      nextCursor: wanted.length > page.length && last ? last.incident.id : null,
    }
  }

  #entry(incident: Incident): Entry {
    const known = this.#entries.get(incident.id)
    if (known) {
      known.incident = incident
      return known
    }
    const entry: Entry = {
      incident,
      actions: new Map(),
      leftOut: 0,
      quarantined: null,
      quarantinedSince: null,
      withheld: null,
    }
    this.#entries.set(incident.id, entry)
    this.#makeRoom(entry)
    return entry
  }

  /** The oldest that is closed goes first; where none is, the oldest, for memory is bounded whatever goes on. */
  #makeRoom(newest: Entry): void {
    if (this.#entries.size <= KEPT) return
    const others = [...this.#entries.values()].filter((entry) => entry !== newest)
    const oldest = others.find(({ incident }) => incident.closedAt !== null) ?? others[0]
    if (oldest) this.#entries.delete(oldest.incident.id)
  }

  /** The journal keeps a quarantine by its service: the newest open incident that is about it. */
  #holderOf(service: string): Entry | undefined {
    const open = [...this.#entries.values()].filter(({ incident }) => incident.closedAt === null)
    return (
      open.findLast(({ incident }) => incident.service === service) ??
      open.findLast(({ actions }) => [...actions.values()].some(({ action }) => action.service === service))
    )
  }

  #release(service: string): IncidentRow | null {
    const held = [...this.#entries.values()].filter(({ quarantined }) => quarantined === service)
    for (const entry of held) {
      entry.quarantined = null
      entry.quarantinedSince = null
      entry.withheld = null
    }
    const newest = held.at(-1)
    return newest ? rowOf(newest) : null
  }

  #amend(id: string, change: (entry: Entry) => void): IncidentRow | null {
    const entry = this.#entries.get(id)
    if (!entry) return null
    change(entry)
    return rowOf(entry)
  }
}

function remember(entry: Entry, row: IncidentAction): void {
  entry.actions.set(row.action.id, row)
  if (entry.actions.size <= FIRST_ACTIONS + LAST_ACTIONS) return
  const [middle] = [...entry.actions.keys()].slice(FIRST_ACTIONS)
  if (middle !== undefined && entry.actions.delete(middle)) entry.leftOut++
}

function quarantine(entry: Entry, service: string, since: string, reason: string): void {
  entry.quarantined = service
  entry.quarantinedSince = since
  entry.withheld = `quarantined: ${reason}`
}

const compareNewest = (a: Incident, b: Incident) => b.openedAt.localeCompare(a.openedAt) || b.id.localeCompare(a.id)

/** An incident that is no longer in memory, as the journal keeps it. Whether it is in quarantine it does not say. */
export function journaledRow({ incident, actions }: JournaledIncident): IncidentRow {
  return { ...incident, quarantinedSince: null, withheld: null, actions: actions.map(actionRow) }
}

function rowOf({ incident, actions, quarantinedSince, withheld }: Entry): IncidentRow {
  return { ...incident, quarantinedSince, withheld, actions: [...actions.values()].map(actionRow) }
}

export function actionRow({ action, decidedAt, finishedAt, outcome }: IncidentAction): ActionRow {
  const { id, incident, service, instance, kind, attempt, reason } = action
  return {
    id,
    incident,
    service,
    instance,
    kind,
    attempt,
    reason,
    decidedAt,
    finishedAt,
    result: outcome?.result ?? null,
    detail: outcome?.detail || null,
  }
}
