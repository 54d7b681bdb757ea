import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { copyProductionTree } from './production-tree.mjs'

let root
const put = (path, manifest, ...files) => {
  mkdirSync(join(root, path), { recursive: true })
  writeFileSync(join(root, path, 'package.json'), JSON.stringify(manifest))
  for (const file of ['index.js', ...files]) {
    mkdirSync(join(root, path, file, '..'), { recursive: true })
    writeFileSync(join(root, path, file), '')
  }
}
const copy = () => copyProductionTree({ root, workspace: 'app', out: join(root, 'out') })
const copied = (path) => existsSync(join(root, 'out/node_modules', path))

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'medyk-tree-'))
  put(
    'app',
    {
      name: 'app',
      files: ['dist'],
      dependencies: { a: '1' },
      devDependencies: { tool: '1' },
      optionalDependencies: { no: '1' },
    },
    'dist/main.js',
    'dist/main.js.map',
    'dist/main.d.ts',
  )
  put('node_modules/a', { name: 'a', dependencies: { b: '2' } }, 'lib/deep.js')
  put('node_modules/a/node_modules/b', { name: 'b', version: '2.0.0' })
  put('node_modules/b', { name: 'b', version: '1.0.0' })
  put('node_modules/tool', { name: 'tool' })
})
afterEach(() => rmSync(root, { recursive: true }))

it('copies what a workspace needs to run, and neither its tools nor what another version is for', () => {
  expect(copy()).toEqual(['a', 'app', 'b'])
  expect(copied('app/dist/main.js')).toBe(true)
  expect(copied('a/lib/deep.js')).toBe(true)
  expect(copied('a/node_modules/b/package.json')).toBe(true)
  for (const path of ['app/index.js', 'app/dist/main.js.map', 'app/dist/main.d.ts', 'b', 'tool']) {
    expect([path, copied(path)]).toEqual([path, false])
  }
})

it('says what to do where something is not installed or not built', () => {
  rmSync(join(root, 'app/dist'), { recursive: true })
  expect(copy).toThrow('app/dist is missing: run npm run build first')
  put('app', { name: 'app', dependencies: { gone: '1' } }, 'dist/main.js')
  expect(copy).toThrow('app needs gone, which is not installed: run npm install first')
})
