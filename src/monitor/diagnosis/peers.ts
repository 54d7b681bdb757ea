import { diagnosisRules, type ServiceRecord, type Turn } from './state.ts'

export interface Mass {
  readonly ill: number
  readonly of: number
  readonly domain: string | null
}

/** Asked at most: enough to tell one illness from a general one. */
const MOST = 8

/**
 * Services that share its domain and nothing else: were the fault its own, they would be well. Only those that seemed well
 * until now, since of the others nothing new can be learned.
 */
export function peersOf(turn: Turn, record: ServiceRecord): readonly string[] {
  const { services, graph } = turn.state
  const name = record.spec.name
  const related = new Set([name, ...graph.upstream(name), ...graph.downstream(name)])
  const peers: string[] = []
  for (const other of services.values()) {
    if (peers.length >= MOST) break
    if (other.spec.domain !== record.spec.domain || related.has(other.spec.name) || other.spec.probes.length === 0)
      continue
    if ([...other.verdicts.values()].some(({ status }) => status === 'healthy' || status === 'degraded'))
      peers.push(other.spec.name)
  }
  return peers
}

/** Whether what is ill at once is too much to be a coincidence, given which of the asked peers gave no good answer. */
export function massOf(
  turn: Turn,
  record: ServiceRecord,
  asked: readonly string[],
  doubtful: readonly string[],
): Mass | null {
  const { services, share, withinMs } = diagnosisRules.mass
  const { graph } = turn.state
  const name = record.spec.name
  const related = new Set([name, ...graph.upstream(name), ...graph.downstream(name)])
  const silent = new Set(asked.filter((peer) => doubtful.includes(peer)))
  for (const other of turn.state.services.values()) {
    if (related.has(other.spec.name) || other.spec.domain !== record.spec.domain) continue
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
  return ill >= services && ill / of >= share ? { ill, of, domain: record.spec.domain ?? null } : null
}
