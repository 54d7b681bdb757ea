import { computed, signal } from '@preact/signals'
import type { ApiEvent, Hello, IncidentRow, ObserverState, ServiceRow } from '../../server/api.ts'
import { sortedIncidents, viewsOf } from '../view.ts'
import { overallOf } from '../words.ts'
import type { ConnectionHandlers, LinkState, Lists } from './connection.ts'

/** A live stream beats every 10 s, so this much silence is not normal any more. */
const STALE_MS = 15_000
const MAX_CLOSED_INCIDENTS = 100

export const services = signal<ReadonlyMap<string, ServiceRow>>(new Map())
export const incidents = signal<ReadonlyMap<string, IncidentRow>>(new Map())
export const observer = signal<ObserverState>({ unwell: false, reason: null, since: null })
export const link = signal<LinkState>('connecting')
/** False until the first lists: nothing may be said about what is not known. */
export const loaded = signal(false)
export const daemon = signal<Hello | null>(null)
/** The service whose details are open. */
export const selected = signal<string | null>(null)

const contactAt = signal(performance.now())
const monotonic = signal(performance.now())
/** The daemon's wall clock minus ours: ages are counted on its clock. */
let clockOffset: number | null = null

/** The daemon's time, to the second. */
export const now = signal(Date.now())
/** Since the daemon was last heard. */
export const silenceMs = computed(() => Math.max(0, monotonic.value - contactAt.value))
/** What is shown may not be true any more. */
export const stale = computed(() => link.value === 'lost' || silenceMs.value > STALE_MS)

export const views = computed(() => viewsOf([...services.value.values()], [...incidents.value.values()]))
export const sorted = computed(() => sortedIncidents(incidents.value.values()))
export const overall = computed(() => overallOf(views.value, sorted.value, observer.value))

export function tick(): void {
  monotonic.value = performance.now()
  now.value = Date.now() + (clockOffset ?? 0)
}

export const handlers: ConnectionHandlers = {
  onLink(state: LinkState) {
    link.value = state
  },

  onContact(serverNow: number | null) {
    contactAt.value = performance.now()
    if (serverNow !== null && Number.isFinite(serverNow)) clockOffset = serverNow - Date.now()
    tick()
  },

  onLists(lists: Lists) {
    services.value = new Map(lists.services.map((row) => [row.name, row]))
    incidents.value = new Map(lists.incidents.map((row) => [row.id, row]))
    loaded.value = true
  },

  onEvent(event: ApiEvent) {
    switch (event.type) {
      case 'hello':
        daemon.value = event.data
        observer.value = event.data.observer
        return
      case 'observer':
        observer.value = event.data
        return
      case 'service':
        services.value = new Map(services.value).set(event.data.name, event.data)
        return
      case 'incident':
        incidents.value = trimmed(new Map(incidents.value).set(event.data.id, event.data))
        return
      case 'action': {
        const action = event.data
        const incident = incidents.value.get(action.incident)
        if (!incident) return
        const actions = [...incident.actions.filter((other) => other.id !== action.id), action]
        incidents.value = new Map(incidents.value).set(incident.id, { ...incident, actions })
        return
      }
      default:
        // A newer daemon may say more than this page understands.
        return
    }
  },
}

/** A page that stays open for weeks must not grow for weeks. */
function trimmed(all: Map<string, IncidentRow>): Map<string, IncidentRow> {
  const closed = sortedIncidents(all.values()).filter((incident) => incident.closedAt !== null)
  for (const incident of closed.slice(MAX_CLOSED_INCIDENTS)) all.delete(incident.id)
  return all
}
