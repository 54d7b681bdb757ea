import { Graph, layout as dagreLayout } from '@dagrejs/dagre'

export interface Point {
  readonly x: number
  readonly y: number
}

export interface Size {
  readonly width: number
  readonly height: number
}

export interface GraphShape {
  readonly names: readonly string[]
  /** From a service to what it depends on. */
  readonly edges: readonly (readonly [string, string])[]
}

/** Pixels before scaling. */
export interface LaidOutGraph extends Size {
  readonly scale: number
  /** Centres. */
  readonly nodes: ReadonlyMap<string, Point>
  readonly edges: readonly { readonly from: string; readonly to: string; readonly path: string }[]
}

export type Direction = 'LR' | 'TB'

const MARGIN = 16
/** Below this the words cannot be read, and the graph scrolls instead; a phone is held closer. */
const SMALLEST = { wide: 0.84, narrow: 0.7 } as const
const NARROW = 480

/** Lays out both ways and keeps the better one for `available` pixels of width: one that fits, then the lower one. */
export function fitting(shape: GraphShape, node: Size, available: number): LaidOutGraph {
  const [across, down] = [layOut(shape, node, 'LR', available), layOut(shape, node, 'TB', available)]
  const excess = (graph: LaidOutGraph) => Math.max(0, graph.width * graph.scale - available)
  if (excess(across) !== excess(down)) return excess(across) > excess(down) ? down : across
  return across.height * across.scale <= down.height * down.scale ? across : down
}

export function layOut(shape: GraphShape, node: Size, direction: Direction, available: number): LaidOutGraph {
  const graph = new Graph({ directed: true })
  graph.setGraph({
    rankdir: direction,
    nodesep: 22,
    ranksep: direction === 'LR' ? 50 : 44,
    marginx: MARGIN,
    marginy: MARGIN,
  })
  graph.setDefaultEdgeLabel(() => ({}))
  for (const name of shape.names) graph.setNode(name, { ...node })
  for (const [from, to] of shape.edges) graph.setEdge(from, to)
  dagreLayout(graph)

  const { width, height } = size(graph.graph())
  const nodes = new Map(shape.names.map((name) => [name, graph.node(name) as Point]))
  const edges = shape.edges.flatMap(([from, to]) => {
    const [start, end] = [nodes.get(from), nodes.get(to)]
    if (!start || !end) return []
    const { points } = graph.edge(from, to) as { points: readonly Point[] }
    return [{ from, to, path: pathOf(start, points, end, node, direction) }]
  })
  const smallest = available < NARROW ? SMALLEST.narrow : SMALLEST.wide
  const scale = width > 0 && available > 0 ? Math.max(smallest, Math.min(1, available / width)) : 1
  return { width, height, scale, nodes, edges }
}

/** An empty graph has no size, and dagre says so with -Infinity. */
function size(label: unknown): Size {
  const { width = 0, height = 0 } = label as { width?: number; height?: number }
  return { width: Number.isFinite(width) ? width : 0, height: Number.isFinite(height) ? height : 0 }
}

/** From the middle of one side to the middle of the other, around what lies between. */
function pathOf(start: Point, points: readonly Point[], end: Point, node: Size, direction: Direction): string {
  const along = direction === 'LR' ? { x: node.width / 2, y: 0 } : { x: 0, y: node.height / 2 }
  const stops = [
    { x: start.x + along.x, y: start.y + along.y },
    // Between neighbouring ranks there is nothing to go around.
    ...(points.length > 3 ? points.slice(1, -1) : []),
    { x: end.x - along.x, y: end.y - along.y },
  ]
  const [first, ...rest] = stops
  const curves = rest.map((stop, index) => {
    const from = stops[index] ?? stop
    const [one, two] =
      direction === 'LR'
        ? [
            { x: (from.x + stop.x) / 2, y: from.y },
            { x: (from.x + stop.x) / 2, y: stop.y },
          ]
        : [
            { x: from.x, y: (from.y + stop.y) / 2 },
            { x: stop.x, y: (from.y + stop.y) / 2 },
          ]
    return `C${at(one)} ${at(two)} ${at(stop)}`
  })
  return first ? `M${at(first)}${curves.join('')}` : ''
}

const at = ({ x, y }: Point): string => `${Math.round(x * 10) / 10} ${Math.round(y * 10) / 10}`
