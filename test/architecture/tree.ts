import { globSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Manifest, Tree } from './resolve.ts'

export const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))))

const read = (path: string): string => readFileSync(join(root, path), 'utf8')

/** The sources of this repository as they are now. */
export function readTree(): Tree {
  const manifest = JSON.parse(read('package.json')) as Manifest & { workspaces: readonly string[] }
  const skip = (name: string) => ['node_modules', 'dist', 'testdata'].includes(name)
  const paths = manifest.workspaces.flatMap((folder) =>
    globSync(`${folder}/**/*.{ts,tsx,mjs}`, { cwd: root, exclude: skip }).filter((path) => !path.endsWith('.d.ts')),
  )
  return {
    files: new Map(paths.toSorted().map((path) => [path, read(path)])),
    manifests: new Map(
      ['', ...manifest.workspaces].map((folder) => [
        folder,
        JSON.parse(read(join(folder, 'package.json'))) as Manifest,
      ]),
    ),
  }
}
