import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/** A file of this example, whether it runs from its sources or from dist/, one folder further down. */
export function assetPath(relative: string): string {
  const candidates = ['..', '../..'].map((up) => fileURLToPath(new URL(`${up}/${relative}`, import.meta.url)))
  return candidates.find((path) => existsSync(path)) ?? candidates[0] ?? relative
}
