import { cpSync, existsSync, mkdirSync, readFileSync, realpathSync } from 'node:fs'
import { dirname, join, relative, sep } from 'node:path'

/**
 * Copies a workspace as npm would install it without development packages: its published files, what it depends on, and
 * nothing else. From what is installed and built already, so that an image can be built where no registry is.
 *
 * @param {object} options
 * @param {string} options.root of the repository
 * @param {string} options.workspace folder below the root, such as `src/monitor`
 * @param {string} options.out where `node_modules` is made
 * @returns {string[]} names of the packages, sorted
 * @throws {Error} where a package or a build output is missing, with what to do
 */
export function copyProductionTree({ root, workspace, out }) {
  const done = new Map()
  const own = join(root, workspace)
  // Each with the folder that it goes to: a nested copy of another version stays nested.
  const queue = [{ from: own, to: join(out, 'node_modules', manifestOf(own).name) }]
  for (let next = queue.pop(); next; next = queue.pop()) {
    if (done.has(next.to)) continue
    const manifest = manifestOf(next.from)
    done.set(next.to, manifest.name)
    copyPackage(root, next.from, next.to, manifest)
    const optional = { ...manifest.optionalDependencies, ...optionalPeers(manifest) }
    const wanted = { ...manifest.dependencies, ...manifest.peerDependencies, ...optional }
    for (const name of Object.keys(wanted)) {
      const place = resolvePackage(root, next.from, name)
      if (place === null) {
        if (name in optional) continue
        throw new Error(`${manifest.name} needs ${name}, which is not installed: run npm install first`)
      }
      queue.push({ from: realpathSync(place), to: join(out, relative(root, place)) })
    }
  }
  return [...new Set(done.values())].sort((a, b) => a.localeCompare(b))
}

const manifestOf = (folder) => JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))

const optionalPeers = ({ peerDependencies = {}, peerDependenciesMeta = {} }) =>
  Object.fromEntries(Object.entries(peerDependencies).filter(([name]) => peerDependenciesMeta[name]?.optional))

/** As Node looks for it: in each `node_modules` on the way up to the root. */
function resolvePackage(root, from, name) {
  for (let folder = from; folder.startsWith(root); folder = dirname(folder)) {
    const place = join(folder, 'node_modules', name)
    if (existsSync(join(place, 'package.json'))) return place
  }
  return null
}

function copyPackage(root, from, to, manifest) {
  mkdirSync(to, { recursive: true })
  const isWorkspace = !relative(root, from).split(sep).includes('node_modules')
  if (!isWorkspace) {
    cpSync(from, to, { recursive: true, filter: (file) => !relative(from, file).split(sep).includes('node_modules') })
    return
  }
  cpSync(join(from, 'package.json'), join(to, 'package.json'))
  for (const name of manifest.files ?? ['dist']) {
    if (!existsSync(join(from, name))) {
      throw new Error(`${join(relative(root, from), name)} is missing: run npm run build first`)
    }
    // Maps and declarations are for who compiles against it.
    cpSync(join(from, name), join(to, name), { recursive: true, filter: (file) => !/\.(map|d\.ts)$/.test(file) })
  }
}
