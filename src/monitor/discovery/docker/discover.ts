import { printable } from '@medyk/health/internal'
import { isoOf, wallOf, type CoverageRow, type Maintenance, type ServiceSpec } from '../../model/index.ts'
import type { ContainerView } from '../../docker/view.ts'
import type { Discovered } from '../source.ts'
import { newestFirst, sortContainers, type Group } from './containers.ts'
import { graphOf } from './graph/index.ts'
import { readLabels, type MedykLabels } from './labels.ts'
import type { DockerPolicy } from './policy.ts'
import { examine } from './probes.ts'
import { recoveryOf } from './recovery.ts'

const maxProblems = 100

export interface DockerDiscovered extends Discovered {
  /** Ids of the containers that run once and end. */
  readonly jobs: readonly string[]
}

const none: ReadonlySet<string> = new Set()

/**
 * What runs on a Docker host as services: who they are, how each is examined and why so, what may be done to it, and who
 * needs whom. A function of its arguments, and in the same order each time. Never throws.
 *
 * @param known containers that have been jobs before: whoever waited for them may be gone, and they are none the less
 */
export function discover(
  listed: readonly ContainerView[],
  policy: DockerPolicy,
  known: ReadonlySet<string> = none,
): DockerDiscovered {
  // Docker lists them in any order; what is derived must not change with it.
  const containers = [...listed].sort(newestFirst)
  const { groups, excluded } = sortContainers(containers, policy)
  const labels = new Map(groups.map((group) => [group, readLabels(group.newest.labels)]))
  const graph = graphOf(groups, labels, containers, policy)
  const services: ServiceSpec[] = []
  const coverage: CoverageRow[] = []
  const jobs: string[] = []
  for (const group of groups) {
    const own = labels.get(group)
    if (group.configured || !own) continue
    const isJob = own.job || graph.jobs.has(group.name) || known.has(group.newest.id)
    if (isJob) jobs.push(...group.containers.map(({ id }) => id))
    const { spec, row } = describe(group, own, isJob, graph.edges.get(group.name) ?? [], policy)
    services.push(spec)
    coverage.push(row)
  }
  for (const { container, reason } of excluded) {
    coverage.push({
      service: container.name,
      level: 'none',
      probe: null,
      derivedFrom: reason,
      note: null,
      counts: false,
    })
  }
  const wrong = groups.flatMap((group) =>
    (labels.get(group)?.problems ?? []).map((problem) => `${group.name}: ${problem}`),
  )
  return {
    services: [...services, ...graph.externals.services],
    coverage: [...coverage, ...graph.externals.coverage],
    maintenance: groups.flatMap((group) => declared(group, labels.get(group)?.maintenance ?? null)),
    problems: [...wrong, ...graph.problems].slice(0, maxProblems).map((problem) => printable(problem, 500)),
    jobs,
  }
}

/** Nobody said how long it takes to boot. A model that loads for two minutes must not be restarted in a circle. */
const unseenBootMs = 300_000

/** As long as anybody may ask for, counted from the creation of what carries the label. */
const longestMaintenanceMs = 86_400_000

function declared({ name, newest }: Group, held: MedykLabels['maintenance']): readonly Maintenance[] {
  if (held === null) return []
  const until = Math.min(wallOf(held.until), wallOf(newest.createdAt) + longestMaintenanceMs)
  if (Number.isNaN(until)) return []
  const by = 'label io.medyk.maintenance'
  return [{ service: name, by, reason: held.reason, since: newest.createdAt, until: isoOf(until) }]
}

function describe(
  group: Group,
  labels: MedykLabels,
  isJob: boolean,
  dependsOn: ServiceSpec['dependsOn'],
  policy: DockerPolicy,
): { readonly spec: ServiceSpec; readonly row: CoverageRow } {
  const { name, newest, project, service } = group
  const { defaults } = policy
  const { probes, coverage } = isJob ? asJob(labels) : examine(newest, labels, selfOf(group), defaults)
  const spec: ServiceSpec = {
    name,
    runtime: 'docker',
    runtimeOptions: project !== null && service !== null ? { project, service } : { container: newest.name },
    dependsOn,
    probes,
    startupGraceMs: Math.max(defaults.startupGraceMs, newest.healthcheck?.startPeriodMs ?? 0),
    ...(newest.healthcheck?.startPeriodMs ? {} : { unseenBootMs }),
    recovery: recoveryOf(newest, labels, probes, policy),
    ...(project === null ? {} : { domain: project }),
    ...(isJob ? { job: true as const } : mayFinish(newest, probes) ? { mayFinish: true as const } : {}),
  }
  return { spec, row: { service: name, ...coverage } }
}

/** It is to end, so that asking it anything would be asking too late. */
function asJob({ job }: MedykLabels): ReturnType<typeof examine> {
  const derivedFrom = job ? 'label io.medyk.job' : 'others wait for it with service_completed_successfully'
  const note = 'it runs once and ends: a good end is no illness, and it is never started by Medyk'
  return { probes: [], coverage: { level: 'state', probe: null, derivedFrom, note } }
}

/** Nothing can be asked of it, and nobody has told Docker to keep it running. */
function mayFinish({ restartPolicy }: ContainerView, probes: readonly unknown[]): boolean {
  return probes.length === 0 && (restartPolicy === 'no' || restartPolicy === 'on-failure')
}

/** Hosts that mean the container itself, seen from its inside. */
function selfOf({ newest, service }: Group): (host: string) => boolean {
  const names = new Set([newest.name, newest.id.slice(0, 12), ...newest.networks.flatMap(({ aliases }) => aliases)])
  if (service !== null) names.add(service)
  const own = new Set([...names].map((name) => name.toLowerCase()))
  const addresses = new Set(newest.networks.map(({ address }) => address).filter((address) => address !== ''))
  return (host) => {
    const name = host.toLowerCase()
    return (
      /^(?:localhost|127\.[\d.]+|::1|0\.0\.0\.0|::|0|ip6-localhost)$/.test(name) || own.has(name) || addresses.has(name)
    )
  }
}
