import type { CoverageRow, Dependency, ServiceSpec } from '../../../model/index.ts'
import { slugOf, uniqueNames } from '../names.ts'
import type { DockerPolicy } from '../policy.ts'
import type { Outside } from './environment.ts'

/** What is not ours is looked at with restraint. */
const intervalMs = 5_000
const most = 50

export interface Externals {
  readonly services: readonly ServiceSpec[]
  readonly coverage: readonly CoverageRow[]
  /** By the name of the service that needs them. */
  readonly edges: ReadonlyMap<string, readonly Dependency[]>
  readonly problems: readonly string[]
}

/** Hosts outside, each once however many services name it: watched, never touched. */
export function externalsOf(outside: readonly Outside[], taken: ReadonlySet<string>, policy: DockerPolicy): Externals {
  const byKey = Map.groupBy(outside, ({ host, port }) => `${host}:${port}`)
  const keys = [...byKey.keys()].sort()
  const kept = keys.slice(0, most)
  const names = uniqueNames(
    kept.map((key) => ({ key, text: slugOf(key) })),
    taken,
  )
  const services: ServiceSpec[] = []
  const coverage: CoverageRow[] = []
  const edges = new Map<string, Dependency[]>()
  for (const key of kept) {
    const [name, wishes] = [names.get(key) ?? slugOf(key), byKey.get(key) ?? []]
    const [first] = wishes
    if (!first) continue
    const derivedFrom = `${first.via} of ${first.from.name}`
    services.push(specOf(name, first, derivedFrom, policy))
    coverage.push({
      service: name,
      level: 'state',
      probe: `TCP ${key}`,
      derivedFrom,
      note: 'outside of what is watched: looked at, never touched. It counts only once it has been reached from here',
    })
    for (const { from, via } of wishes) {
      const own = edges.get(from.name) ?? []
      edges.set(from.name, own)
      if (!own.some((edge) => edge.service === name)) own.push({ service: name, source: 'environment', via })
    }
  }
  const left = keys.length - kept.length
  const problems =
    left > 0 ? [`${left} hosts outside are not watched: more than ${most} are named in environments`] : []
  return { services, coverage, edges, problems }
}

function specOf(name: string, { host, port }: Outside, derivedFrom: string, { defaults }: DockerPolicy): ServiceSpec {
  return {
    name,
    runtime: null,
    runtimeOptions: {},
    dependsOn: [],
    probes: [
      {
        name: 'liveness',
        role: 'liveness',
        kind: 'tcp',
        options: { host, port },
        intervalMs,
        timeoutMs: defaults.timeoutMs,
        derivedFrom,
        guessed: true,
      },
    ],
    startupGraceMs: defaults.startupGraceMs,
    recovery: { ...defaults.recovery, enabled: false, because: 'it is outside of what Medyk watches' },
  }
}
