import { diagnosisRules, type ServiceRecord, type Turn } from './state.ts'

export interface Mass {
  readonly ill: number
  readonly of: number
  readonly domain: string | null
}

/** Asked at most: enough to tell one illness from a general one. */
const MOST = 8

/**
 * Services that have nothing to do with it but share its domain, or else the host: were the fault its own, they would be
 * well. Only those that seemed well until now, since of the others nothing new can be learned.
 */
export function peersOf(turn: Turn, record: ServiceRecord): readonly string[] {
  const { services, graph } = turn.state
  const name = record.spec.name
  const related = new Set([name, ...graph.upstream(name), ...graph.downstream(name)])
  const near: string[] = []
  const far: string[] = []
  for (const { spec, verdicts } of services.values()) {
    if (related.has(spec.name) || spec.probes.length === 0 || spec.runtime === null) continue
    if (![...verdicts.values()].some(({ status }) => status === 'healthy' || status === 'degraded')) continue
    ;(spec.domain === record.spec.domain ? near : far).push(spec.name)
  }
  // Some of the others in any case: a small domain tells little of what befalls the whole host.
  return [...near.slice(0, Math.max(MOST / 2, MOST - far.length)), ...far].slice(0, MOST)
}

/**
 * Whether what is ill at once, in its domain or on the whole host, is too much to be a coincidence, given which of the asked
 * peers gave no good answer.
 */
export function massOf(
  turn: Turn,
  record: ServiceRecord,
  asked: readonly string[],
  doubtful: readonly string[],
): Mass | null {
  const { services } = turn.state
  const { domain } = record.spec
  const near = (name: string) => services.get(name)?.spec.domain === domain
  const own = massAmong(turn, record, near, asked, doubtful)
  if (own) return { ...own, domain: domain ?? null }
  const all = massAmong(turn, record, () => true, asked, doubtful)
  return all && { ...all, domain: null }
}

function massAmong(
  turn: Turn,
  record: ServiceRecord,
  among: (service: string) => boolean,
  everybody: readonly string[],
  doubtful: readonly string[],
): Omit<Mass, 'domain'> | null {
  const asked = everybody.filter(among)
  const { services, share, withinMs } = diagnosisRules.mass
  const { graph } = turn.state
  const name = record.spec.name
  const related = new Set([name, ...graph.upstream(name), ...graph.downstream(name)])
  const silent = new Set(asked.filter((peer) => doubtful.includes(peer)))
  for (const other of turn.state.services.values()) {
    if (related.has(other.spec.name) || !among(other.spec.name)) continue
    // The dead are certain: whatever they died of, it is not our eyes.
    const alike = [...other.verdicts.values()].some(
      ({ status, evidence, firstEvidenceAt }) =>
        status === 'unhealthy' &&
        (evidence === 'silence' || evidence === 'explicit') &&
        turn.now.mono - firstEvidenceAt <= withinMs,
    )
    if (alike) silent.add(other.spec.name)
  }
  // Whoever is ill under somebody who is ill as well is a symptom of that, and no case of its own.
  for (const peer of silent) if (graph.upstream(peer).some((above) => silent.has(above))) silent.delete(peer)
  const ill = silent.size + 1
  const of = new Set([...asked, ...silent]).size + 1
  return ill >= services && ill / of >= share ? { ill, of } : null
}
