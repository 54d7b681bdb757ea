import { readFileSync, writeFileSync } from 'node:fs'
import { at } from './paths.mjs'

/** In node_modules: whoever deletes that deletes what bootstrap believes about it. */
export const stampFile = at('node_modules', '.medyk-bootstrap.json')

/** What bootstrap did last. @returns {{ install?: string, node?: string, build?: string, outputs?: number }} */
export function readStamp() {
  try {
    return JSON.parse(readFileSync(stampFile, 'utf8'))
  } catch {
    return {}
  }
}

export const writeStamp = (part) =>
  writeFileSync(stampFile, `${JSON.stringify({ ...readStamp(), ...part }, null, 2)}\n`)
