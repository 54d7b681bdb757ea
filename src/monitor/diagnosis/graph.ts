import type { ServiceSpec } from '../model/index.ts'

/** The dependency graph, read both ways. Edges to services that nobody watches are left out. */
export interface Graph {
  /** Direct and indirect dependencies, nearest first; never contains the service itself. */
  upstream(service: string): readonly string[]
  /** Everyone who depends on it, directly or not, nearest first. */
  downstream(service: string): readonly string[]
}

export function buildGraph(services: Iterable<ServiceSpec>): Graph {
  const specs = [...services]
  const known = new Set(specs.map((spec) => spec.name))
  const up = new Map<string, string[]>()
  const down = new Map<string, string[]>()
  for (const spec of specs) {
    const edges = spec.dependsOn.map((edge) => edge.service).filter((name) => known.has(name) && name !== spec.name)
    up.set(spec.name, edges)
    for (const name of edges) down.set(name, [...(down.get(name) ?? []), spec.name])
  }
  const memo = new Map<string, readonly string[]>()
  const reach = (edges: Map<string, string[]>, prefix: string) => (service: string) => {
    const key = prefix + service
    let found = memo.get(key)
    if (!found) memo.set(key, (found = breadthFirst(edges, service)))
    return found
  }
  return { upstream: reach(up, '<'), downstream: reach(down, '>') }
}

function breadthFirst(edges: Map<string, string[]>, from: string): readonly string[] {
  const seen = new Set([from])
  const queue = [...(edges.get(from) ?? [])]
  const order: string[] = []
  for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
    if (seen.has(next)) continue
    seen.add(next)
    order.push(next)
    queue.push(...(edges.get(next) ?? []))
  }
  return order
}
