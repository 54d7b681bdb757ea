import type { IncidentRow, ServiceRow } from '../server/api.ts'

/**
 * What a service is in the whole picture.
 * root: ill itself · impacted: suffers from another · the rest as its status says
 */
export type Role = 'root' | 'impacted' | 'healthy' | 'starting' | 'unknown'

export interface ServiceView {
  readonly row: ServiceRow
  readonly role: Role
  /** The incident at work on it: its own for a root, its root's for an impacted one. */
  readonly incident: IncidentRow | null
  /** Names of the roots it suffers from; empty unless impacted. */
  readonly roots: readonly string[]
  readonly quarantined: boolean
}

export function viewsOf(services: readonly ServiceRow[], incidents: readonly IncidentRow[]): readonly ServiceView[] {
  const open = incidents.filter((incident) => incident.closedAt === null)
  const active = open.filter((incident) => incident.recoveredAt === null)
  const byName = new Map(services.map((row) => [row.name, row]))

  return services.map((row) => {
    const role = roleOf(row)
    if (role === 'impacted') {
      const named = active.filter((incident) => incident.impacted.some((impact) => impact.service === row.name))
      const roots = named.length > 0 ? named.map((incident) => incident.service) : rootsBelow(row, byName)
      const incident = named[0] ?? active.find((candidate) => roots.includes(candidate.service)) ?? null
      return { row, role, incident, roots: [...new Set(roots)], quarantined: false }
    }
    const incident =
      role === 'root' || role === 'unknown'
        ? (active.find((candidate) => candidate.service === row.name) ?? null)
        : null
    return { row, role, incident, roots: [], quarantined: incident?.quarantinedSince != null }
  })
}

function roleOf(row: ServiceRow): Role {
  if (row.status === 'degraded' || row.status === 'unhealthy') return row.cause === 'dependency' ? 'impacted' : 'root'
  return row.status
}

/** Without an incident that says so: the ill services that can be reached over dependencies. */
function rootsBelow(row: ServiceRow, byName: ReadonlyMap<string, ServiceRow>): readonly string[] {
  const seen = new Set([row.name])
  const queue = [...row.dependsOn]
  const roots: string[] = []
  for (let name = queue.shift(); name !== undefined; name = queue.shift()) {
    const next = byName.get(name)
    if (!next || seen.has(name)) continue
    seen.add(name)
    if (roleOf(next) === 'root') roots.push(name)
    queue.push(...next.dependsOn)
  }
  return roots
}

/** Open ones first, then by age, the newest first. */
export function sortedIncidents(incidents: Iterable<IncidentRow>): readonly IncidentRow[] {
  return [...incidents].sort(
    (a, b) =>
      Number(a.closedAt !== null) - Number(b.closedAt !== null) || Date.parse(b.openedAt) - Date.parse(a.openedAt),
  )
}
