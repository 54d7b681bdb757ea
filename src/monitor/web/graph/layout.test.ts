import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { scenario } from '../../../../test/browser/scenarios.ts'
import { fitting, layOut, type GraphShape } from './layout.ts'

const NODE = { width: 180, height: 62 }

function shapeOf(name: 'healthy' | 'forty'): GraphShape {
  const { services } = scenario(name, 0)
  return {
    names: services.map((row) => row.name),
    edges: services.flatMap((row) => row.dependsOn.map((to) => [row.name, to] as const)),
  }
}

/** Any graph without cycles: edges go from a later name to an earlier one. */
const shapes: fc.Arbitrary<GraphShape> = fc.integer({ min: 1, max: 14 }).chain((n) => {
  const names = Array.from({ length: n }, (_, index) => `s${index}`)
  const edge = fc.tuple(fc.nat(n - 1), fc.nat(n - 1)).filter(([from, to]) => from > to)
  const edges = n < 2 ? fc.constant([]) : fc.uniqueArray(edge, { maxLength: 20, selector: ([a, b]) => `${a} ${b}` })
  return edges.map((pairs) => ({
    names,
    edges: pairs.map(([from, to]) => [`s${from}`, `s${to}`] as const),
  }))
})

describe('the layout of the graph', () => {
  it('puts every node on the plane and none onto another', () => {
    fc.assert(
      fc.property(shapes, fc.constantFrom('LR' as const, 'TB' as const), (shape, direction) => {
        const graph = layOut(shape, NODE, direction, 900)
        const points = [...graph.nodes.values()]
        expect(points).toHaveLength(shape.names.length)
        for (const { x, y } of points) {
          expect(x - NODE.width / 2).toBeGreaterThanOrEqual(0)
          expect(y - NODE.height / 2).toBeGreaterThanOrEqual(0)
          expect(x + NODE.width / 2).toBeLessThanOrEqual(graph.width)
          expect(y + NODE.height / 2).toBeLessThanOrEqual(graph.height)
        }
        for (const [index, one] of points.entries()) {
          for (const other of points.slice(index + 1)) {
            const apart = Math.abs(one.x - other.x) >= NODE.width || Math.abs(one.y - other.y) >= NODE.height
            expect(apart).toBe(true)
          }
        }
        expect(graph.edges.every(({ path }) => /^M[\d. -]+(?:C[\d. -]+)+$/.test(path))).toBe(true)
      }),
      { numRuns: 40 },
    )
  })

  it('lays the pipeline out in a row where there is room and downwards on a phone', () => {
    const wide = fitting(shapeOf('healthy'), NODE, 930)
    expect(wide.height).toBeLessThan(220)
    const phone = fitting(shapeOf('healthy'), NODE, 330)
    expect(phone.height).toBeGreaterThan(330)
    expect(phone.width * phone.scale).toBeLessThanOrEqual(331)
  })

  it('stays readable with forty services', () => {
    const graph = fitting(shapeOf('forty'), NODE, 930)
    expect(graph.nodes.size).toBe(40)
    expect(graph.scale).toBeGreaterThanOrEqual(0.84)
    expect(graph.width * graph.scale).toBeLessThanOrEqual(931)
  })

  it('copes with nothing and with a width that is not known yet', () => {
    expect(fitting({ names: [], edges: [] }, NODE, 500)).toMatchObject({ width: 0, height: 0, scale: 1 })
    expect(fitting(shapeOf('healthy'), NODE, 0).scale).toBe(1)
  })
})
