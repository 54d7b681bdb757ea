import { isBuiltin } from 'node:module'
import { posix } from 'node:path'

export interface Manifest {
  readonly name: string
  readonly dependencies?: Readonly<Record<string, string>>
  readonly devDependencies?: Readonly<Record<string, string>>
  readonly peerDependencies?: Readonly<Record<string, string>>
  readonly optionalDependencies?: Readonly<Record<string, string>>
  readonly exports?: Readonly<Record<string, unknown>>
  readonly imports?: Readonly<Record<string, unknown>>
}

/** Sources by path, manifests by the folder of their workspace; '' is the root's. Paths are relative to the root. */
export interface Tree {
  readonly files: ReadonlyMap<string, string>
  readonly manifests: ReadonlyMap<string, Manifest>
}

/** Where an import leads. `file` may belong to another workspace, then `workspace` is the name it was asked for by. */
export type Target =
  | { readonly kind: 'file'; readonly path: string; readonly workspace: string | null }
  | { readonly kind: 'package'; readonly name: string }
  | { readonly kind: 'node'; readonly prefixed: boolean }
  | { readonly kind: 'nowhere'; readonly why: string }

/** Folder of the workspace that `path` belongs to. */
export function workspaceOf(tree: Tree, path: string): string {
  const owners = [...tree.manifests.keys()].filter((folder) => folder !== '' && path.startsWith(`${folder}/`))
  return owners.reduce((longest, folder) => (folder.length > longest.length ? folder : longest), '')
}

export function resolveImport(tree: Tree, from: string, specifier: string): Target {
  if (specifier.startsWith('.')) {
    return { kind: 'file', path: sourceOf(posix.join(posix.dirname(from), specifier)), workspace: null }
  }
  if (isBuiltin(specifier)) return { kind: 'node', prefixed: specifier.startsWith('node:') }
  const own = workspaceOf(tree, from)
  if (specifier.startsWith('#')) return throughDoor(own, tree.manifests.get(own)?.imports, specifier, null)

  const name = specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/')
  for (const [folder, manifest] of tree.manifests) {
    if (manifest.name === name && folder !== '') {
      return throughDoor(folder, manifest.exports, `.${specifier.slice(name.length)}`, name)
    }
  }
  return { kind: 'package', name }
}

function throughDoor(folder: string, doors: Manifest['exports'], key: string, workspace: string | null): Target {
  const door = doors?.[key]
  const source = typeof door === 'string' ? door : (door as { 'medyk-source'?: string } | undefined)?.['medyk-source']
  if (!source) return { kind: 'nowhere', why: `${folder}/package.json has no entry ${key} with a medyk-source` }
  return { kind: 'file', path: posix.join(folder, source), workspace }
}

/** Bins load what is built, and the daemon as a bundle; the rule is about the source it was built from. */
const sourceOf = (path: string): string =>
  path.includes('/dist/')
    ? path.replace('/dist/bundle/main.js', '/dist/cli/main.js').replace('/dist/', '/').replace(/\.js$/, '.ts')
    : path
