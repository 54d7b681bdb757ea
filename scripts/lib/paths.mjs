import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))))

/** @param {...string} parts below the repository root */
export const at = (...parts) => join(root, ...parts)

/** The project's own Node, whatever Node runs this script. */
export const projectNode = at('node_modules', '.bin', 'node')

/** A command line that runs the bin of an installed package under the project's own Node. */
export const bin = (/** @type {string} */ name, /** @type {string[]} */ ...args) => [
  existsSync(projectNode) ? projectNode : process.execPath,
  at('node_modules', '.bin', name),
  ...args,
]
