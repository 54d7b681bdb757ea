import { describe, expect, it } from 'vitest'
import { findCycle } from './cycles.ts'
import { libraryDependencies, rooms } from './imports.table.ts'
import { judge } from './judge.ts'
import { readImports } from './read-imports.ts'
import { resolveImport } from './resolve.ts'
import { readTree } from './tree.ts'

const tree = readTree()

describe('the sources', () => {
  it('import only what the table allows and their manifest declares', () => {
    expect(judge(tree, rooms)).toEqual([])
  })

  it('have no circle of files that load one another', () => {
    const edges = new Map(
      [...tree.files].map(([path, source]) => [
        path,
        readImports(path, source).flatMap((one) => {
          if (one.typeOnly || one.specifier === null) return []
          const target = resolveImport(tree, path, one.specifier)
          return target.kind === 'file' && target.path !== path ? [target.path] : []
        }),
      ]),
    )
    expect(edges.size).toBeGreaterThan(10)
    expect(findCycle(edges)).toBeNull()
  })

  it('of the library ask for its few small packages and nothing else', () => {
    const library = tree.manifests.get('src/shared/health')
    const asked = Object.keys({ ...library?.dependencies, ...library?.optionalDependencies })
    expect(asked.filter((name) => !libraryDependencies.includes(name))).toEqual([])
  })
})

describe('the table', () => {
  it('has no circle of rooms', () => {
    const edges = new Map(Object.entries(rooms).map(([name, room]) => [name, [...room.imports, ...(room.types ?? [])]]))
    expect(findCycle(edges)).toBeNull()
  })

  it('names only rooms that it has, each after those it imports', () => {
    const names = Object.keys(rooms)
    for (const [name, room] of Object.entries(rooms)) {
      const late = [...room.imports, ...(room.types ?? [])].filter(
        (other) => !names.slice(0, names.indexOf(name)).includes(other),
      )
      expect({ name, late }).toEqual({ name, late: [] })
    }
  })
})
