import { MedykError } from '@medyk/health/internal'
import type { Action, ActionOutcome, DerivedEvent, Incident, IncidentAction } from '../model/index.ts'
import type { ActionRow, IncidentPage, IncidentQuery, IncidentRow } from '../server/index.ts'

interface Entry {
  incident: Incident
  readonly actions: Map<string, IncidentAction>
  quarantinedSince: string | null
  withheld: string | null
}

/** Incidents kept in memory for the API; the journal has the older ones. */
const KEPT = 1_000

/** The story of every recent incident, put together from the events of the core. */
export class IncidentBook {
  readonly #entries = new Map<string, Entry>()

  /** Oldest first, as the journal remembers them. */
  load(rows: readonly { readonly incident: Incident; readonly actions: readonly IncidentAction[] }[]): void {
    for (const { incident, actions } of rows) {
      const entry = this.#entry(incident)
      for (const row of actions) entry.actions.set(row.action.id, row)
    }
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
        entry.actions.set(event.action.id, {
          action: event.action,
          decidedAt: event.decidedAt,
          finishedAt: null,
          outcome: null,
        })
        return rowOf(entry)
      }
      case 'action.withheld':
        return this.#amend(event.incident, (entry) => (entry.withheld = event.reason))
      case 'service.quarantined':
        return this.#amend(event.incident, (entry) => {
          entry.quarantinedSince = event.since
          entry.withheld = `quarantined: ${event.reason}`
        })
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
    const entry: Entry = { incident, actions: new Map(), quarantinedSince: null, withheld: null }
    this.#entries.set(incident.id, entry)
    for (const [id, old] of this.#entries) {
      if (this.#entries.size <= KEPT) break
      if (old.incident.closedAt !== null) this.#entries.delete(id)
    }
    return entry
  }

  #amend(id: string, change: (entry: Entry) => void): IncidentRow | null {
    const entry = this.#entries.get(id)
    if (!entry) return null
    change(entry)
    return rowOf(entry)
  }
}

const compareNewest = (a: Incident, b: Incident) => b.openedAt.localeCompare(a.openedAt) || b.id.localeCompare(a.id)

function rowOf({ incident, actions, quarantinedSince, withheld }: Entry): IncidentRow {
  return { ...incident, quarantinedSince, withheld, actions: [...actions.values()].map(actionRow) }
}

function actionRow({ action, decidedAt, finishedAt, outcome }: IncidentAction): ActionRow {
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
