import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { locate, requirements, which } from './test-requirements.mjs'

it('finds the first of several programs on the PATH', () => {
  const folder = mkdtempSync(join(tmpdir(), 'medyk-which-'))
  writeFileSync(join(folder, 'second-program'), '')
  expect(which(['first-program', 'second-program'], folder)).toBe(join(folder, 'second-program'))
  expect(which(['first-program'], folder)).toBeNull()
  rmSync(folder, { recursive: true })
})

it('refuses a name that the table does not have', () => {
  expect(() => locate('no-such-server')).toThrow('test-requirements.mjs')
})

it('says of every requirement how it is found, installed and what needs it', () => {
  for (const { folders, release, ...one } of requirements) {
    expect(folders ?? []).toEqual((folders ?? []).filter((folder) => folder.startsWith('/')))
    // What is only unpacked is on no PATH.
    if (release) expect(folders).toContainEqual(expect.stringContaining(one.debian[0]))
    expect(one).toEqual({
      name: expect.stringMatching(/^[a-z]/),
      programs: expect.arrayContaining([expect.any(String)]),
      debian: expect.arrayContaining([expect.any(String)]),
      suites: expect.stringMatching(/./),
    })
  }
})
