import { homedir, tmpdir } from 'node:os'
import { dirname } from 'node:path'
import { describe, expect, it } from 'vitest'
import { read, root, textFiles } from './repository.ts'

/** Folders that only this machine has: the checkout, what it lies in, and the home of whoever runs this. */
function foldersOfThisMachine(): readonly string[] {
  const shared = ['/', '/home', '/root', '/opt', '/srv', '/usr', '/var', '/tmp', '/app', tmpdir()]
  return [root, dirname(root), homedir()].filter((folder) => !shared.includes(folder)).map((folder) => `${folder}/`)
}

const REGISTRIES = /\b(?:[a-z0-9-]+\.)*(?:npm|npmjs|yarnpkg|debian|pypi)\.(?:org|com|net)\b/

function lines(offends: (line: string) => boolean): readonly string[] {
  return textFiles().flatMap((path) =>
    read(path)
      .split('\n')
      .flatMap((line, index) => (offends(line) ? [`${path}:${index + 1} ${line.trim().slice(0, 120)}`] : [])),
  )
}

describe('the project', () => {
  it('holds no path of the machine it was written on', () => {
    const folders = foldersOfThisMachine()
    expect(lines((line) => folders.some((folder) => line.includes(folder)))).toEqual([])
  })

  it('names no package registry by its host: its users have their own', () => {
    expect(lines((line) => REGISTRIES.test(line))).toEqual([])
  })
})

describe('the pattern of registries', () => {
  it.each([
    [['registry', 'npmjs', 'org'].join('.'), true],
    [['deb', 'debian', 'org'].join('.'), true],
    ['npm.cmd and debian packages', false],
  ])('on %s', (text, found) => {
    expect(REGISTRIES.test(text)).toBe(found)
  })
})
