import { printable } from '@medyk/health/internal'
import type { CoverageRow, Dependency, ServiceSpec } from '../../../model/index.ts'
import type { ContainerView } from '../../../docker/view.ts'
import type { Group } from '../containers.ts'
import type { MedykLabels } from '../labels.ts'
import type { DockerPolicy } from '../policy.ts'
import { acyclic } from './acyclic.ts'
import { declaredWishes, type Directory, type Wish } from './declared.ts'
import { environmentWishes } from './environment.ts'
import { externalsOf } from './externals.ts'
import { Reach } from './reach.ts'

export interface Graph {
  /** By the name of the service that needs. */
  readonly edges: ReadonlyMap<string, readonly Dependency[]>
  /** Names of those that others wait for to end well. */
  readonly jobs: ReadonlySet<string>
  readonly externals: { readonly services: readonly ServiceSpec[]; readonly coverage: readonly CoverageRow[] }
  readonly problems: readonly string[]
}

/** Who needs whom, and from where that is known. `labelsOf` are those of a group's newest container. */
export function graphOf(
  groups: readonly Group[],
  labelsOf: ReadonlyMap<Group, MedykLabels>,
  containers: readonly ContainerView[],
  policy: DockerPolicy,
): Graph {
  const directory = directoryOf(groups, containers, policy)
  const own = groups.filter((group) => !group.configured)
  const problems: string[] = []
  const declared = own.flatMap((group) => {
    const labels = labelsOf.get(group)
    return labels ? declaredWishes(group, labels, directory) : []
  })
  for (const { from, to, source, via, called } of declared) {
    if (to === null && (source === 'label' || source === 'network')) {
      problems.push(`${from.name}: ${via} names ${printable(called, 80)}, which is no service that is watched`)
    }
  }
  const environment = own.map((group) => environmentWishes(group, directory))
  const jobs = new Set(declared.flatMap(({ to, isJob }) => (isJob && to ? [to.name] : [])))
  const wishes = [...inOrder(declared), ...environment.flatMap((one) => one.wishes)].filter(
    // What has ended well is no cause of anything later.
    ({ isJob, to }) => !isJob && !(to && jobs.has(to.name)),
  )
  const fixed = new Map(policy.services.map((spec) => [spec.name, spec.dependsOn.map((edge) => edge.service)]))
  const held = acyclic(wishes, fixed)
  const taken = new Set([...groups.map(({ name }) => name), ...policy.services.map(({ name }) => name)])
  const externals = externalsOf(
    environment.flatMap(({ outside }) => outside),
    taken,
    policy,
  )
  const edges = new Map(
    own.map(({ name }) => [name, [...(held.of.get(name) ?? []), ...(externals.edges.get(name) ?? [])]]),
  )
  return { edges, jobs, externals, problems: [...problems, ...held.problems, ...externals.problems] }
}

const worth: readonly Wish['source'][] = ['label', 'compose', 'network', 'link']

/** All labels before all that compose says, and so on: of a circle the weakest word is left out, whoever said it. */
function inOrder(wishes: readonly Wish[]): readonly Wish[] {
  return worth.flatMap((source) => wishes.filter((wish) => wish.source === source))
}

function directoryOf(groups: readonly Group[], containers: readonly ContainerView[], policy: DockerPolicy): Directory {
  const byContainer = new Map(groups.flatMap((group) => group.containers.map((one) => [one.id, group] as const)))
  const byName = new Map(groups.map((group) => [group.name, group]))
  const configured = new Set(policy.services.map(({ name }) => name))
  return {
    reach: new Reach(containers),
    groupOf: (id) => byContainer.get(id) ?? null,
    // What the config file defines need not be on this host: an edge may lead there all the same.
    byName: (name) => byName.get(name) ?? (configured.has(name) ? { name } : null),
  }
}
