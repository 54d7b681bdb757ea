import { useEffect, useMemo, useRef, useState } from 'preact/hooks'
import { StatusIcon } from '../parts/icons.tsx'
import { selected, views } from '../state/store.ts'
import type { ServiceView } from '../view.ts'
import { namesOf } from '../words.ts'
import { fitting, type GraphShape, type Point, type Size } from './layout.ts'
import { nodeSize } from './measure.ts'

export function DependencyGraph() {
  const frame = useRef<HTMLDivElement>(null)
  const width = useWidth(frame)
  const all = views.value
  const byName = new Map(all.map((view) => [view.row.name, view]))
  const shape: GraphShape = {
    names: all.map((view) => view.row.name),
    edges: all.flatMap(({ row }) =>
      row.dependsOn.filter((name) => byName.has(name)).map((name) => [row.name, name] as const),
    ),
  }
  // Status changes often, the shape seldom: only the shape costs a layout.
  const key = JSON.stringify(shape)
  const graph = useMemo(() => {
    const parsed = JSON.parse(key) as GraphShape
    const node = nodeSize(parsed.names, getComputedStyle(document.body).fontFamily)
    return { node, ...fitting(parsed, node, width) }
  }, [key, width])
  const firstRoot = all.find((view) => view.role === 'root')?.row.name
  const rootX = firstRoot === undefined ? undefined : graph.nodes.get(firstRoot)?.x
  useEffect(() => {
    // Where the graph is wider than the screen, the culprit is what must be seen.
    if (rootX !== undefined) frame.current?.scrollTo({ left: rootX * graph.scale - width / 2 })
  }, [rootX, graph.scale, width])
  const ill = all.some((view) => view.role === 'root')
  const affected = all.some((view) => view.role === 'impacted')

  return (
    <section class="card graph-card" aria-labelledby="graph-title">
      <div class="card-head">
        <h2 id="graph-title">Dependencies</h2>
        <ul class="legend">
          <li>
            <svg width="26" height="10" aria-hidden="true">
              <path d="M1 5h18" class="edge" />
              <path d="m18 1 7 4-7 4z" class="arrow" />
            </svg>
            depends on
          </li>
          {ill && (
            <li>
              <span class="swatch swatch-root" aria-hidden="true" />
              root cause
            </li>
          )}
          {affected && (
            <li>
              <span class="swatch swatch-impacted" aria-hidden="true" />
              affected
            </li>
          )}
        </ul>
      </div>
      {/* Focusable: what scrolls must scroll by keyboard too. */}
      <div
        class="graph-frame"
        ref={frame}
        tabIndex={graph.width * graph.scale > width + 1 ? 0 : -1}
        role="group"
        aria-label="Dependency graph"
      >
        <div
          class="graph-size"
          style={{ width: `${graph.width * graph.scale}px`, height: `${graph.height * graph.scale}px` }}
        >
          <div
            class="graph-plane"
            style={{ width: `${graph.width}px`, height: `${graph.height}px`, transform: `scale(${graph.scale})` }}
          >
            <svg width={graph.width} height={graph.height} aria-hidden="true" focusable="false">
              <defs>
                <marker
                  id="arrow"
                  viewBox="0 0 10 10"
                  refX="9"
                  refY="5"
                  markerWidth="8"
                  markerHeight="8"
                  orient="auto-start-reverse"
                >
                  <path d="m0 0 10 5-10 5z" class="arrow" />
                </marker>
                <marker
                  id="arrow-hit"
                  viewBox="0 0 10 10"
                  refX="9"
                  refY="5"
                  markerWidth="8"
                  markerHeight="8"
                  orient="auto-start-reverse"
                >
                  <path d="m0 0 10 5-10 5z" class="arrow arrow-hit" />
                </marker>
              </defs>
              {graph.edges.map(({ from, to, path }) => {
                const hit = carriesIllness(byName.get(from), byName.get(to))
                return (
                  <path
                    key={`${from} ${to}`}
                    d={path}
                    class={hit ? 'edge edge-hit' : 'edge'}
                    marker-end={hit ? 'url(#arrow-hit)' : 'url(#arrow)'}
                  />
                )
              })}
            </svg>
            {all.map((view) => {
              const point = graph.nodes.get(view.row.name)
              return point && <Node key={view.row.name} view={view} box={{ ...graph.node, ...point }} />
            })}
          </div>
        </div>
      </div>
    </section>
  )
}

function Node({ view, box }: { view: ServiceView; box: Point & Size }) {
  const { row, role, quarantined } = view
  const note = noteOf(view)
  const sound = row.instances.filter((instance) => instance.status === 'healthy').length
  const needs = row.dependsOn.length > 0 ? `, depends on ${namesOf(row.dependsOn, 6)}` : ''
  return (
    <button
      type="button"
      class={`node is-${row.status} role-${role}`}
      style={{
        left: `${box.x - box.width / 2}px`,
        top: `${box.y - box.height / 2}px`,
        width: `${box.width}px`,
        height: `${box.height}px`,
      }}
      data-service={row.name}
      data-role={role}
      aria-label={`${row.name}: ${row.status}${note === '' ? '' : `, ${note}`}${needs}. Show details`}
      aria-pressed={selected.value === row.name}
      onClick={() => reveal(row.name)}
    >
      <StatusIcon glyph={quarantined ? 'quarantined' : row.status} size={20} />
      <span class="node-text">
        <span class="node-name" title={row.name}>
          {row.name}
        </span>
        <span class="node-status">
          {row.status}
          {row.instances.length > 1 && ` ${sound}/${row.instances.length}`}
        </span>
        {note !== '' && <span class="node-note">{note}</span>}
      </span>
    </button>
  )
}

/** Cause in words, the third line of a node. */
function noteOf({ row, role, roots, quarantined }: ServiceView): string {
  if (quarantined) return 'quarantined, cause self'
  if (role === 'impacted') return roots.length > 0 ? `due to ${namesOf(roots, 2)}` : 'cause dependency'
  return row.cause === null ? '' : `cause ${row.cause}`
}

/** An edge on the way from a service that suffers to the root it suffers from. */
function carriesIllness(from: ServiceView | undefined, to: ServiceView | undefined): boolean {
  if (from?.role !== 'impacted' || !to) return false
  if (from.roots.includes(to.row.name)) return true
  return to.role === 'impacted' && to.roots.some((root) => from.roots.includes(root))
}

function reveal(name: string): void {
  selected.value = selected.value === name ? null : name
  if (selected.value === null) return
  const gentle = !matchMedia('(prefers-reduced-motion: reduce)').matches
  requestAnimationFrame(() =>
    document
      .getElementById(`service-${CSS.escape(name)}`)
      ?.scrollIntoView({ block: 'nearest', behavior: gentle ? 'smooth' : 'auto' }),
  )
}

function useWidth(ref: { readonly current: HTMLElement | null }): number {
  const [width, setWidth] = useState(0)
  useEffect(() => {
    const element = ref.current
    if (!element) return undefined
    const observer = new ResizeObserver(([entry]) => setWidth(Math.floor(entry?.contentRect.width ?? 0)))
    observer.observe(element)
    return () => observer.disconnect()
  }, [])
  return width
}
