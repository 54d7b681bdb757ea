import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'

export const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))))

// What .gitignore leaves out, without asking git: a machine that only tests may not have it.
const IGNORED = new Set([
  '.git',
  'node_modules',
  'dist',
  '.tsbuild',
  '.medyk',
  'coverage',
  'test-results',
  '.bench',
  '.cache',
])
const BINARY = /\.(png|jpe?g|gif|ico|woff2?|mp4|h264|264|ts\.bin|bin|db|sqlite|gz)$/

/** Paths of the project's own text files, relative to its root. */
export function textFiles(folder = root): readonly string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) return IGNORED.has(entry.name) ? [] : textFiles(path)
    return entry.isFile() && !BINARY.test(entry.name) && !entry.name.endsWith('.log') ? [relative(root, path)] : []
  })
}

export const read = (path: string): string => readFileSync(join(root, path), 'utf8')

/** README, CONTRIBUTING and their kin at the root, and everything in docs/. */
export const documents = (): readonly string[] =>
  textFiles().filter((path) => path.endsWith('.md') && (!path.includes('/') || path.startsWith('docs/')))
