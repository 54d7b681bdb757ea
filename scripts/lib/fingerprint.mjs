import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join, relative } from 'node:path'

const SKIPPED = new Set(['node_modules', 'dist', 'testdata', '.medyk'])

/** Every file below `dir`, sorted; what is installed, built or test data is left out. */
export function filesBelow(dir) {
  if (!existsSync(dir)) return []
  return readdirSync(dir, { withFileTypes: true })
    .filter((entry) => !SKIPPED.has(entry.name))
    .toSorted((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) => {
      const path = join(dir, entry.name)
      return entry.isDirectory() ? filesBelow(path) : entry.isFile() ? [path] : []
    })
}

/** The folders that `tsc -b` builds, relative to `root`, in the order of the root tsconfig. */
export const projects = (root) =>
  JSON.parse(readFileSync(join(root, 'tsconfig.json'), 'utf8')).references.map((reference) => reference.path)

/** What decides what `npm install` brings: manifests, lock and npm's settings. */
export function installFingerprint(root) {
  const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  const manifests = ['', ...manifest.workspaces].map((workspace) => join(workspace, 'package.json'))
  const hash = createHash('sha256').update(`${process.platform} ${process.arch}\n`)
  for (const path of [...manifests, 'package-lock.json', '.npmrc']) {
    const file = join(root, path)
    hash.update(`${path}\n`).update(existsSync(file) ? readFileSync(file) : '')
  }
  return hash.digest('hex')
}

const isTest = (path) => /\.test\.tsx?$/.test(path)
const isSource = (path) => /\.(ts|tsx|css|html|svg|json|mjs)$/.test(path) && !isTest(path)

/** The sources of the build, by size and time of change: reading some hundred stats beats reading the files. */
export function buildFingerprint(root) {
  const hash = createHash('sha256')
  const configs = ['tsconfig.json', 'tsconfig.base.json', 'package.json'].map((path) => join(root, path))
  for (const file of [...configs, ...projects(root).flatMap((project) => filesBelow(join(root, project)))]) {
    if (!isSource(file)) continue
    const { size, mtimeMs } = statSync(file)
    hash.update(`${relative(root, file)} ${size} ${mtimeMs}\n`)
  }
  return hash.digest('hex')
}

/** How many files the builds have left behind. Fewer than after the last build: somebody deleted some. */
export const countOutputs = (root) =>
  projects(root)
    .flatMap((project) => [join(root, project, 'dist'), join(root, project, 'web', 'dist')])
    .reduce((count, folder) => count + filesBelow(folder).length, 0)
