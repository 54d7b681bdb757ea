import type { ServiceSpec } from '../../model/index.ts'
import type { ContainerView } from '../../docker/view.ts'
import { slugOf, uniqueNames } from './names.ts'
import type { DockerPolicy } from './policy.ts'

export const composeLabel = {
  project: 'com.docker.compose.project',
  service: 'com.docker.compose.service',
  oneoff: 'com.docker.compose.oneoff',
  dependsOn: 'com.docker.compose.depends_on',
} as const

/** All containers of one service, and what it is called. */
export interface Group {
  readonly name: string
  /** Compose's; null: started without it. */
  readonly project: string | null
  readonly service: string | null
  /** Newest first, so that the first one says what holds from now on. Never empty. */
  readonly containers: readonly ContainerView[]
  readonly newest: ContainerView
  /** The config file describes it; only its name matters here. */
  readonly configured: boolean
}

export interface Sorted {
  readonly groups: readonly Group[]
  /** What is in sight and no service, with the reason. */
  readonly excluded: readonly { readonly container: ContainerView; readonly reason: string }[]
}

/** Which containers are services, together with which others, and under which name. `containers` come newest first. */
export function sortContainers(containers: readonly ContainerView[], policy: DockerPolicy): Sorted {
  const inSight = containers.filter((one) => isInSight(one, policy))
  const excluded = inSight.flatMap((container) => {
    const reason = whyNot(container)
    return reason === null ? [] : [{ container, reason }]
  })
  const left = new Set(excluded.map(({ container }) => container))
  const byKey = Map.groupBy(
    inSight.filter((one) => !left.has(one)),
    keyOf,
  )
  const found = [...byKey].map(([key, members]) => ({ key, members, owner: ownerOf(members, policy) }))
  found.sort((a, b) => (a.key < b.key ? -1 : 1))
  const own = found.filter(({ owner }) => owner === null)
  const names = uniqueNames(
    own.map(({ key, members }) => ({ key, text: callNameOf(members[0] as ContainerView, policy) })),
    new Set(policy.services.map(({ name }) => name)),
  )
  const groups = found.map(({ key, members, owner }): Group => {
    const newest = members[0] as ContainerView
    const { project, service } = composeOf(newest)
    const name = owner ?? names.get(key) ?? slugOf(key)
    return { name, project, service, containers: members, newest, configured: owner !== null }
  })
  return { groups, excluded }
}

export function composeOf({ labels }: ContainerView): { project: string | null; service: string | null } {
  const [project, service] = [labels[composeLabel.project], labels[composeLabel.service]]
  return project && service ? { project, service } : { project: null, service: null }
}

/** Started by `compose run`. */
export function isOneOff({ labels }: Pick<ContainerView, 'labels'>): boolean {
  return labels[composeLabel.oneoff]?.toLowerCase() === 'true'
}

function isInSight({ labels }: ContainerView, { projects }: DockerPolicy): boolean {
  return projects === null || projects.includes(labels[composeLabel.project] ?? '')
}

function whyNot({ labels, state }: ContainerView): string | null {
  if (labels['io.medyk.role'] === 'daemon') return 'Medyk itself, which may not restart itself'
  if (labels['io.medyk.ignore']?.toLowerCase() === 'true') return 'label io.medyk.ignore'
  if (isOneOff({ labels })) return 'started by `compose run`, for one time'
  return state === 'removing' ? 'it is being removed' : null
}

function keyOf(container: ContainerView): string {
  const { project, service } = composeOf(container)
  return project === null ? `container/${container.name}` : `compose/${project}/${service}`
}

function callNameOf(container: ContainerView, { projects }: DockerPolicy): string {
  const { project, service } = composeOf(container)
  if (project === null || service === null) return container.name
  return projects?.length === 1 ? service : `${project}-${service}`
}

/**
 * The config file's service that means these containers: by the options of its runtime, or by its name where it has no
 * runtime, for then somebody has said that it is never to be touched.
 */
function ownerOf(members: readonly ContainerView[], policy: DockerPolicy): string | null {
  const names = new Set(members.map((one) => slugOf(callNameOf(one, policy))))
  const owner = policy.services.find(
    (spec) => isMeant(spec, members) || (spec.runtime === null && names.has(spec.name)),
  )
  return owner?.name ?? null
}

function isMeant({ runtime, runtimeOptions }: ServiceSpec, members: readonly ContainerView[]): boolean {
  if (runtime !== 'docker') return false
  const { container, project, service } = runtimeOptions
  if (container !== undefined) return members.some(({ name }) => name === container)
  return members.some((one) => {
    const compose = composeOf(one)
    return compose.project !== null && compose.project === project && compose.service === service
  })
}

export function newestFirst(a: ContainerView, b: ContainerView): number {
  if (a.createdAt !== b.createdAt) return a.createdAt < b.createdAt ? 1 : -1
  return a.id < b.id ? -1 : 1
}
