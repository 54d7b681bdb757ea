import type { ParsedDocument } from './document.ts'
import { nearest, quote, type Problem } from './problem.ts'
import type { Kinds } from './schema.ts'

interface Edge {
  readonly to: string
  /** Position in the list `dependsOn`. */
  readonly index: number
}

/**
 * What no schema of one value can see: dependencies that do not exist or go round in a circle, and options that do not
 * belong to the runtime chosen. Reads the raw value defensively, so that it also speaks when the schema was violated.
 */
export function checkAcross(document: ParsedDocument, kinds: Kinds, report: (problem: Problem) => void): void {
  const services = asMap(asMap(document.value)['services'])
  const suggest = suggester(Object.keys(services))
  const graph = new Map<string, Edge[]>()
  for (const [name, service] of Object.entries(services)) {
    graph.set(name, edgesOf(document, name, service, services, suggest, report))
    checkRuntime(document, name, asMap(service), kinds, report)
  }
  for (const cycle of findCycles(graph)) {
    const [from = '', to = ''] = cycle
    const index = graph.get(from)?.find((edge) => edge.to === to)?.index ?? 0
    const shown = cycle.length <= 12 ? cycle : [...cycle.slice(0, 11), `… ${cycle.length - 12} more …`, from]
    const message = `services.${from}.dependsOn: a dependency cycle: ${shown.join(' → ')}; expected no service to need itself`
    report(document.problemAt(['services', from, 'dependsOn', index], message))
  }
}

function edgesOf(
  document: ParsedDocument,
  name: string,
  service: unknown,
  services: Record<string, unknown>,
  suggest: (name: string) => string | undefined,
  report: (problem: Problem) => void,
): Edge[] {
  const listed = asMap(service)['dependsOn']
  const edges = new Map<string, Edge>()
  for (const [index, to] of (Array.isArray(listed) ? listed : []).entries()) {
    if (typeof to !== 'string') continue
    const path = ['services', name, 'dependsOn', index]
    const say = (message: string) =>
      report(document.problemAt(path, `services.${name}.dependsOn[${index}]: ${message}`))
    if (edges.has(to)) {
      say(`${quote(to)} is listed twice`)
    } else if (Object.hasOwn(services, to)) {
      edges.set(to, { to, index })
    } else {
      const near = suggest(to)
      const advice = near === undefined ? 'expected the name of a service in this file' : `did you mean ${quote(near)}?`
      say(`there is no service ${quote(to)}; ${advice}`)
    }
  }
  return [...edges.values()]
}

function checkRuntime(
  document: ParsedDocument,
  name: string,
  service: Record<string, unknown>,
  kinds: Kinds,
  report: (problem: Problem) => void,
): void {
  const chosen = service['runtime'] ?? 'none'
  for (const [kind, schema] of Object.entries(kinds.runtimes)) {
    const given = Object.hasOwn(service, kind)
    if (given && chosen !== kind) {
      const message = `services.${name}.${kind}: options of a runtime that is not chosen; expected runtime: ${kind} beside them`
      report(document.problemAt(['services', name, kind], message, 'key'))
    }
    if (!given && chosen === kind && !schema.safeParse({}).success) {
      const message = `services.${name}: runtime ${kind} needs options; expected them under the key ${quote(kind)}`
      report(document.problemAt(['services', name, 'runtime'], message))
    }
  }
}

/**
 * Cycles such as [a, b, a], so that taking out each one's services leaves none. Not every cycle there is: their number
 * can be exponential. Iterative, since a chain of dependencies may be as long as the file.
 */
export function findCycles(graph: ReadonlyMap<string, readonly Edge[]>): string[][] {
  const alive = new Set(graph.keys())
  // What is dead stays dead, so each list of edges is read once, however often its service is looked at.
  const cursors = new Map<string, number>()
  const next = (name: string) => {
    const edges = graph.get(name) ?? []
    let cursor = cursors.get(name) ?? 0
    while (cursor < edges.length && !alive.has(edges[cursor]?.to ?? '')) cursor++
    cursors.set(name, cursor)
    return edges[cursor]?.to
  }
  const cycles: string[][] = []
  for (const start of graph.keys()) {
    // Walk along until the path bites its own tail or ends. What ends is on no cycle and goes, so each step is paid for once.
    const path: string[] = []
    const position = new Map<string, number>()
    let at: string | undefined = alive.has(start) ? start : undefined
    while (at !== undefined) {
      const bitten = position.get(at)
      if (bitten !== undefined) {
        const cycle = path.splice(bitten)
        cycles.push([...cycle, at])
        for (const name of cycle) {
          alive.delete(name)
          position.delete(name)
        }
        at = path.pop()
        if (at !== undefined) position.delete(at)
        continue
      }
      const onward: string | undefined = next(at)
      if (onward === undefined) {
        alive.delete(at)
        at = path.pop()
        if (at !== undefined) position.delete(at)
        continue
      }
      position.set(at, path.length)
      path.push(at)
      at = onward
    }
  }
  return cycles
}

/** Nearest names for the first few that ask: each answer costs a comparison with every service. */
function suggester(names: readonly string[]): (name: string) => string | undefined {
  let left = 50
  return (name) => (left-- > 0 ? nearest(name, names) : undefined)
}

function asMap(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {}
}
