// node deploy/tree.mjs WORKSPACE OUT: what the images hold. Run by the Dockerfiles here, inside the build.
import { root } from '../scripts/lib/paths.mjs'
import { copyProductionTree } from '../scripts/lib/production-tree.mjs'

const [workspace, out] = process.argv.slice(2)
const names = copyProductionTree({ root, workspace, out })
process.stdout.write(`${names.length} packages: ${names.join(' ')}\n`)
