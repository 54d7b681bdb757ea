import { printable } from '@medyk/health/internal'
import { isoOf, wallOf, type Verdict } from '../model/index.ts'
import type { HealthReport, ServiceDetail, Status } from '../server/index.ts'

export interface ServiceFacts {
  readonly service: ServiceDetail
  /** Last verdict of each instance. */
  readonly verdicts: ReadonlyMap<string, Pick<Verdict, 'status' | 'symptom' | 'failing'>>
  /** Status of each service that it depends on. */
  readonly dependencies: ReadonlyMap<string, Status>
  /** What it says itself, or the tag of its image. null: not known. */
  readonly version: string | null
  readonly wall: number
}

type Shown = HealthReport['checks'][string]

const SEVERITY: readonly Shown[] = ['healthy', 'degraded', 'unhealthy']
/** Three words for five: what is not known is never called healthy. */
const SHOWN: Readonly<Record<Status, HealthReport['status']>> = {
  healthy: 'healthy',
  degraded: 'degraded',
  starting: 'degraded',
  unhealthy: 'unhealthy',
  unknown: 'unhealthy',
}

/**
 * A service in the words that the library's services use of themselves, so that one written in another language looks
 * alike. Liveness: starting is degraded. Readiness: neither starting nor one that says that it cannot serve is ready. Unknown is
 * unhealthy in both, and `last_error` says that it is unknown, and why.
 */
export function serviceReport(facts: ServiceFacts, probe: 'liveness' | 'readiness'): HealthReport {
  const { service, wall } = facts
  const status = probe === 'readiness' && !isReady(facts) ? 'unhealthy' : SHOWN[service.status]
  return {
    status,
    timestamp: isoOf(wall).replace(/\.\d+Z$/, 'Z'),
    service: service.name,
    version: facts.version ?? 'unknown',
    checks: checksOf(facts),
    metadata: { uptime_seconds: uptimeOf(facts), last_error: lastError(service) },
  }
}

export function isReady({ service, verdicts }: Pick<ServiceFacts, 'service' | 'verdicts'>): boolean {
  if (service.status === 'healthy') return true
  if (service.status !== 'degraded' || service.symptom === 'not-ready') return false
  // Of several instances one that can serve is enough.
  const judged = [...verdicts.values()]
  return (
    judged.length === 0 ||
    judged.some(({ status, symptom }) => SHOWN[status] !== 'unhealthy' && symptom !== 'not-ready')
  )
}

/** When the longest of its present runs began; null: nothing runs, or nobody knows since when. */
export function runningSince({ service }: Pick<ServiceFacts, 'service'>): string | null {
  const starts = service.instances.flatMap(({ startedAt }) => startedAt ?? [])
  return starts.sort()[0] ?? null
}

/** Whole seconds. Of what is only watched nobody knows when it began: as long as it has been seen well, at least. */
function uptimeOf(facts: ServiceFacts): number {
  const { status, since } = facts.service
  const from = runningSince(facts) ?? (status === 'healthy' || status === 'degraded' ? since : null)
  return from === null ? 0 : Math.max(0, Math.floor((facts.wall - wallOf(from)) / 1_000))
}

function lastError({ status, reason }: ServiceDetail): string | null {
  if (status === 'healthy') return null
  const why = reason === null || reason === '' ? null : printable(reason)
  if (status === 'unknown') return `unknown: ${why ?? 'not examined yet'}`
  if (status === 'starting') return why ?? 'it is starting'
  return why ?? status
}

/** Its probes, the checks that it calls ill itself, and what it depends on; of two with one name the worse. */
function checksOf({ service, verdicts, dependencies }: ServiceFacts): HealthReport['checks'] {
  const checks = new Map<string, Shown>()
  const note = (name: string, status: Shown) => {
    const known = checks.get(name)
    if (known === undefined || SEVERITY.indexOf(status) > SEVERITY.indexOf(known)) checks.set(name, status)
  }
  for (const { instance, name, lastOutcome } of service.probes) {
    note(name, probeStatus(verdicts.get(instance)?.status ?? 'unknown', lastOutcome))
  }
  for (const { status, failing } of verdicts.values()) {
    for (const name of failing) note(name, status === 'unhealthy' ? 'unhealthy' : 'degraded')
  }
  for (const [name, status] of dependencies) note(name, SHOWN[status])
  return Object.fromEntries(checks)
}

/** One look proves nothing, the verdict does: a single failure of a healthy instance is within what is tolerated. */
function probeStatus(verdict: Status, last: ServiceDetail['probes'][number]['lastOutcome']): Shown {
  if (verdict === 'healthy') return 'healthy'
  if (verdict === 'unknown') return 'unhealthy'
  if (last === 'ok') return 'healthy'
  return last === 'explicit' || last === 'silence' ? 'unhealthy' : 'degraded'
}
