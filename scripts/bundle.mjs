// The daemon in a few files, from what tsc has built: one isolate for each thread has to hold only what it uses, which is what
// keeps three of them small.
import { rmSync } from 'node:fs'
import { rolldown } from 'rolldown'
import { at } from './lib/paths.mjs'

const built = (path) => at('src', 'monitor', 'dist', path)
const dir = built('bundle')

const bundle = await rolldown({
  input: { main: built('cli/main.js'), shard: built('app/shard-worker.js'), journal: built('journal/worker.js') },
  platform: 'node',
  logLevel: 'warn',
})
rmSync(dir, { recursive: true, force: true })
await bundle.write({ dir, format: 'esm', minify: true, entryFileNames: '[name].js', chunkFileNames: 'chunk-[hash].js' })
await bundle.close()
