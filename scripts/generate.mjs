// npm run generate: writes the files that are made from others. With --check it only says which are not up to date.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { architectureDoc } from './lib/architecture-doc.mjs'
import { fromSource } from './lib/from-source.mjs'
import { at } from './lib/paths.mjs'

fromSource(process.argv[1])

const version = JSON.parse(readFileSync(at('package.json'), 'utf8')).version

/** Every generated file: one line each. Sources are imported only when their line is worked on. */
const generated = [
  {
    path: 'docs/architecture.md',
    make: async () => {
      const { rooms, libraryDependencies } = await import('../test/architecture/imports.table.ts')
      return architectureDoc(rooms, libraryDependencies)
    },
  },
  {
    path: 'docs/api/openapi.json',
    make: async () => (await import('../src/monitor/server/openapi.ts')).renderOpenApi(version),
  },
  {
    path: 'examples/detektor/medyk.yaml',
    make: async () => {
      const { defaultPorts, exampleConfig } = await import('../examples/detektor/config.mjs')
      return exampleConfig({ ports: defaultPorts, root: '.', state: '../../.medyk' })
    },
  },
  {
    path: 'src/monitor/config/medyk.schema.json',
    make: async () => {
      const { loadKinds } = await import('../src/monitor/app/kinds.ts')
      return (await import('../src/monitor/config/index.ts')).jsonSchemaOf(await loadKinds())
    },
  },
]

const current = (path) => {
  try {
    return readFileSync(at(path), 'utf8')
  } catch {
    return null
  }
}

const check = process.argv.includes('--check')
for (const { path, make } of generated) {
  try {
    const text = await make()
    const stale = current(path) !== text
    if (stale && !check) {
      mkdirSync(dirname(at(path)), { recursive: true })
      writeFileSync(at(path), text)
    }
    if (stale && check) process.exitCode = 1
    console.log(`${stale ? (check ? '✗ out of date, run npm run generate:' : '✓ written') : '✓ up to date'} ${path}`)
  } catch (error) {
    process.exitCode = 1
    console.log(`✗ could not be made: ${path}: ${error instanceof Error ? error.message : String(error)}`)
  }
}
