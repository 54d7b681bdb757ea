import { pureNames, type Room } from './imports.table.ts'
import { readImports, type Import } from './read-imports.ts'
import { resolveImport, workspaceOf, type Target, type Tree } from './resolve.ts'

export type Rooms = Readonly<Record<string, Room>>

/** The file under judgement. */
interface Place {
  readonly path: string
  readonly workspace: string
  /** Tests and what only they use: free within their package. */
  readonly test: boolean
  readonly name: string
  readonly room: Room
}

/** `x.test.ts`, and what several of them share: `x.testing.ts`. */
const isTest = (path: string): boolean => /\.test(ing)?\.tsx?$/.test(path)

const TABLE = 'test/architecture/imports.table.ts'

/** Name and room of a file; null: none. */
export function roomOf(rooms: Rooms, path: string): readonly [string, Room] | null {
  const fitting = Object.entries(rooms).filter(([, room]) => path === room.path || path.startsWith(`${room.path}/`))
  return fitting.toSorted((a, b) => b[1].path.length - a[1].path.length)[0] ?? null
}

/** Every import that breaks a rule, as a line that names its place and what to do. */
export function judge(tree: Tree, rooms: Rooms): readonly string[] {
  return [...tree.files].flatMap(([path, source]) => {
    const found = roomOf(rooms, path)
    if (!found) return [`${path} belongs to no room: add its folder to ${TABLE}`]
    const [name, room] = found
    const place = { path, workspace: workspaceOf(tree, path), test: isTest(path), name, room }
    return readImports(path, source).flatMap((one) =>
      problemsOf(tree, rooms, place, one).map((problem) => `${path}:${one.line} ${problem}`),
    )
  })
}

function problemsOf(tree: Tree, rooms: Rooms, place: Place, one: Import): readonly string[] {
  if (one.specifier === null) {
    return place.test
      ? []
      : ['imports something computed at run time, which nobody can check: import it by a literal name']
  }
  const target = resolveImport(tree, place.path, one.specifier)
  return targetProblems(tree, rooms, place, one, target).map((problem) => `imports ${one.specifier}, ${problem}`)
}

function targetProblems(tree: Tree, rooms: Rooms, place: Place, one: Import, target: Target): readonly string[] {
  if (target.kind === 'nowhere') return [`which leads nowhere: ${target.why}`]
  if (target.kind === 'node') return nodeProblems(place, target.prefixed)
  if (target.kind === 'package') {
    const known = place.test || place.room.packages?.includes(target.name)
    const stranger = `but ${place.name} may use no package called ${target.name} (${TABLE})`
    return [...undeclared(tree, place, target.name, one), ...(known ? [] : [stranger])]
  }
  return fileProblems(tree, rooms, place, one, target)
}

function nodeProblems({ test, room, name }: Place, prefixed: boolean): readonly string[] {
  if (!prefixed) return ['a module of Node: write it with its prefix, node:']
  if (test || !(room.pure || room.browser)) return []
  return [`but ${name} ${room.pure ? 'is pure: take it as an argument' : 'runs in a browser'}`]
}

function fileProblems(
  tree: Tree,
  rooms: Rooms,
  place: Place,
  one: Import,
  target: Target & { kind: 'file' },
): readonly string[] {
  const { name, room } = place
  if (place.test && target.path.startsWith('test/')) return []
  const sameWorkspace = workspaceOf(tree, target.path) === place.workspace
  if (target.workspace === null && !sameWorkspace) return ['a file of another package: import that package by its name']
  if (target.workspace !== null && sameWorkspace) return ['but a package does not import itself by its own name']
  const declared = target.workspace === null ? [] : undeclared(tree, place, target.workspace, one)
  if (place.test) return declared
  if (isTest(target.path)) return [...declared, 'which only tests may use']

  const [other] = roomOf(rooms, target.path) ?? ['no room']
  if (other === name) return declared
  const typesOnly = room.types?.includes(other) ?? false
  if (!room.imports.includes(other) && !(typesOnly && one.typeOnly)) {
    const may = typesOnly ? `only types of ${other}` : allowed(room)
    return [...declared, `which is in ${other}, but ${name} may import ${may} (${TABLE})`]
  }
  const impure = room.pure && other === 'health/internal' && !one.typeOnly ? impureNames(one) : []
  return [...declared, ...impure.map((what) => `but ${name} is pure and may not take ${what} from it`)]
}

const impureNames = (one: Import): readonly string[] =>
  one.names === null ? ['everything'] : one.names.filter((name) => !pureNames.includes(name))

function allowed(room: Room): string {
  const types = room.types?.length ? `, and types of ${room.types.join(', ')}` : ''
  return `${room.imports.join(', ') || 'no other room'}${types}`
}

/** Hoisting lets an undeclared package load here and fail at whoever installs ours. */
function undeclared(tree: Tree, place: Place, name: string, one: Import): readonly string[] {
  const own = tree.manifests.get(place.workspace)
  const atWork = place.test || one.typeOnly || place.room.browser || place.room.development
  const sections = [
    own?.dependencies,
    own?.peerDependencies,
    own?.optionalDependencies,
    ...(atWork ? [own?.devDependencies, tree.manifests.get('')?.devDependencies] : []),
  ]
  if (sections.some((section) => section !== undefined && name in section)) return []
  return [`which ${place.workspace || 'the root'}/package.json does not declare`]
}
