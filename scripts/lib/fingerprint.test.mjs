import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { buildFingerprint, countOutputs, installFingerprint } from './fingerprint.mjs'

let root

const put = (path, text) => {
  mkdirSync(dirname(join(root, path)), { recursive: true })
  writeFileSync(join(root, path), text)
}

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'medyk-fingerprint-'))
  put('package.json', '{ "workspaces": ["src/a"] }')
  put('package-lock.json', '{}')
  put('tsconfig.json', '{ "references": [{ "path": "src/a" }] }')
  put('tsconfig.base.json', '{}')
  put('src/a/package.json', '{}')
  put('src/a/index.ts', 'export {}')
  put('src/a/deep/b.ts', 'export {}')
})

afterEach(() => rmSync(root, { recursive: true, force: true }))

it.each([
  ['a manifest', 'src/a/package.json', true],
  ['the lock', 'package-lock.json', true],
  ["npm's settings", '.npmrc', true],
  ['a source', 'src/a/index.ts', false],
])('an install is due again after a change of %s: %s → %s', (_, path, due) => {
  const before = installFingerprint(root)
  put(path, '{ "changed": true }')
  expect(installFingerprint(root) !== before).toBe(due)
})

it.each([
  ['a source', 'src/a/deep/b.ts', true],
  ['a new source', 'src/a/deep/c.ts', true],
  ['a compiler option', 'tsconfig.json', true],
  ['a test', 'src/a/index.test.ts', false],
  ['an output', 'src/a/dist/index.js', false],
  ['test data', 'src/a/testdata/x.ts', false],
])('a build is due again after a change of %s: %s → %s', (_, path, due) => {
  const before = buildFingerprint(root)
  put(path, '{ "references": [{ "path": "src/a" }], "changed": true }')
  expect(buildFingerprint(root) !== before).toBe(due)
})

it('sees a change that keeps the size', () => {
  const before = buildFingerprint(root)
  utimesSync(join(root, 'src/a/index.ts'), 1_000, 1_000)
  expect(buildFingerprint(root)).not.toBe(before)
})

it('counts what the builds left behind, the page included', () => {
  expect(countOutputs(root)).toBe(0)
  put('src/a/dist/index.js', '')
  put('src/a/dist/deep/b.js', '')
  put('src/a/web/dist/index.html', '')
  expect(countOutputs(root)).toBe(3)
})
