import type { Dependency } from '../../../model/index.ts'
import type { Wish } from './declared.ts'

export interface Edges {
  /** By the name of the service that needs. */
  readonly of: ReadonlyMap<string, readonly Dependency[]>
  readonly problems: readonly string[]
}

/**
 * The edges that hold, of wishes in the order of their worth: each pair once, with the first reason; nobody needs
 * itself; and what would close a circle is left out, which is the wish that is worth least. `fixed` are edges that are
 * there already.
 */
export function acyclic(wishes: readonly Wish[], fixed: ReadonlyMap<string, readonly string[]>): Edges {
  const onward = new Map<string, Set<string>>()
  const goesTo = (from: string) => {
    const known = onward.get(from) ?? new Set<string>()
    onward.set(from, known)
    return known
  }
  for (const [from, list] of fixed) for (const to of list) goesTo(from).add(to)
  const edges = new Map<string, Map<string, Dependency>>()
  const problems: string[] = []
  for (const { from, to, source, via, restart } of wishes) {
    if (to === null || to.name === from.name) continue
    const own = edges.get(from.name) ?? new Map<string, Dependency>()
    edges.set(from.name, own)
    const known = own.get(to.name)
    if (known) {
      if (restart && !known.restart) own.set(to.name, { ...known, restart: true })
      continue
    }
    const back = pathBetween(onward, to.name, from.name)
    if (back !== null) {
      const shown = [from.name, ...(back.length > 8 ? [...back.slice(0, 7), '…', from.name] : back)]
      problems.push(`${from.name} → ${to.name} (${via}) is left out: it would close a circle, ${shown.join(' → ')}`)
      continue
    }
    goesTo(from.name).add(to.name)
    own.set(to.name, { service: to.name, source, via, ...(restart ? { restart: true as const } : {}) })
  }
  return { of: new Map([...edges].map(([from, own]) => [from, [...own.values()]])), problems }
}

/** The services from one to another, both included; null: there is no way. */
function pathBetween(onward: ReadonlyMap<string, ReadonlySet<string>>, from: string, to: string): string[] | null {
  const cameFrom = new Map<string, string | null>([[from, null]])
  const open = [from]
  for (let at = open.pop(); at !== undefined; at = open.pop()) {
    if (at === to) {
      const path: string[] = []
      for (let back: string | null = at; back !== null; back = cameFrom.get(back) ?? null) path.unshift(back)
      return path
    }
    for (const next of onward.get(at) ?? []) {
      if (cameFrom.has(next)) continue
      cameFrom.set(next, at)
      open.push(next)
    }
  }
  return null
}
