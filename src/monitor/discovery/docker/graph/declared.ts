import { printable } from '@medyk/health/internal'
import type { Dependency } from '../../../model/index.ts'
import { composeLabel, type Group } from '../containers.ts'
import type { MedykLabels } from '../labels.ts'
import type { Reach } from './reach.ts'

export type Named = Pick<Group, 'name'>

/** One thing that a service needs, before it is known whether that is watched. */
export interface Wish {
  readonly from: Group
  /** null: nobody who is watched. */
  readonly to: Named | null
  readonly source: Dependency['source']
  readonly via: string
  readonly restart: boolean
  /** What it was called, for saying that it is not there. */
  readonly called: string
  /** Compose waits for its good end: a job, and no dependency of what runs later. */
  readonly isJob: boolean
}

const maxEdges = 200

/** Which group a name means, where people write one: in the same project, then by its own name or its container's. */
export interface Directory {
  readonly reach: Reach
  readonly groupOf: (containerId: string) => Group | null
  readonly byName: (name: string) => Named | null
}

/** Labels of Medyk, `depends_on` of compose, shared network namespaces, links; in this order. */
export function declaredWishes(group: Group, labels: MedykLabels, directory: Directory): readonly Wish[] {
  return [
    ...labels.dependsOn.map((name) => byLabel(group, name, 'io.medyk.depends-on', false, directory)),
    ...labels.restartWith.map((name) => byLabel(group, name, 'io.medyk.restart-with', true, directory)),
    ...byCompose(group, directory),
    ...byNetwork(group, directory),
    ...byLink(group, directory),
  ]
}

function byLabel(from: Group, name: string, label: string, restart: boolean, directory: Directory): Wish {
  const { reach } = directory
  const container = reach.ofProject(from.project, name) ?? reach.container(name)
  const to = (container ? directory.groupOf(container.id) : null) ?? directory.byName(name)
  return { from, to, source: 'label', via: `label ${label}`, restart, called: name, isJob: false }
}

function byCompose(from: Group, { reach, groupOf }: Directory): readonly Wish[] {
  const text = from.newest.labels[composeLabel.dependsOn] ?? ''
  const parts = text.split(',').filter((part) => part.trim() !== '')
  return parts.slice(0, maxEdges).flatMap((part) => {
    const [service = '', condition = '', restart = ''] = part.trim().split(':')
    const container = reach.ofProject(from.project, service)
    // What was never created, such as a service of a profile that is off, cannot be what it suffers from.
    if (container === null) return []
    const isJob = condition === 'service_completed_successfully'
    const via = `depends_on ${printable(condition || 'service_started', 60)}`
    const to = groupOf(container.id)
    return { from, to, source: 'compose' as const, via, restart: restart === 'true', called: service, isJob }
  })
}

function byNetwork(from: Group, { reach, groupOf }: Directory): readonly Wish[] {
  return from.containers.slice(0, 1).flatMap(({ networkMode }) => {
    if (!networkMode.startsWith('container:')) return []
    const reference = networkMode.slice('container:'.length)
    const container = reach.container(reference)
    const called = container?.name ?? reference.slice(0, 12)
    const to = container && groupOf(container.id)
    const via = `network_mode container:${printable(called, 80)}`
    return { from, to, source: 'network' as const, via, restart: true, called, isJob: false }
  })
}

function byLink(from: Group, { reach, groupOf }: Directory): readonly Wish[] {
  return from.newest.links.slice(0, maxEdges).map(({ name, alias }) => {
    const container = reach.container(name)
    const to = container && groupOf(container.id)
    const via = `link ${printable(alias || name, 80)}`
    return { from, to, source: 'link' as const, via, restart: false, called: name, isJob: false }
  })
}
