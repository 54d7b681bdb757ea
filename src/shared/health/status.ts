/** Worst last. A check that has not run yet has no status at all: unknown is never shown as healthy. */
export type Status = 'healthy' | 'degraded' | 'unhealthy'

/** All statuses, best first. */
export const statuses: readonly Status[] = ['healthy', 'degraded', 'unhealthy']

export function isStatus(value: unknown): value is Status {
  return statuses.includes(value as Status)
}

/** The worst of `all`; `healthy` when there is none. */
export function worst(all: Iterable<Status>): Status {
  let rank = 0
  for (const status of all) rank = Math.max(rank, statuses.indexOf(status))
  return statuses[rank] ?? 'unhealthy'
}
