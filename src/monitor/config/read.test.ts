import { execFileSync } from 'node:child_process'
import { chmodSync, chownSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { loadConfig } from './index.ts'
import { kinds } from './testdata/kinds.ts'

let dir = ''
beforeEach(() => {
  dir = mkdtempSync(path.join(tmpdir(), 'medyk-config-'))
})
afterEach(() => rmSync(dir, { recursive: true, force: true }))

const put = (name: string, content: string | Uint8Array, mode = 0o644) => {
  const file = path.join(dir, name)
  writeFileSync(file, content)
  chmodSync(file, mode)
  return file
}
const load = (file: string) => loadConfig(file, kinds)
const isRoot = process.getuid?.() === 0

test('a file is read, through a symbolic link too', async () => {
  const file = put('medyk.yaml', 'version: 1\nserver: { port: 7799 }\n')
  symlinkSync(file, path.join(dir, 'link.yaml'))
  await expect(load(path.join(dir, 'link.yaml'))).resolves.toMatchObject({ server: { port: 7799 } })
})

describe('what cannot be a config is refused by name', () => {
  test('no such file', async () => {
    const file = path.join(dir, 'nowhere.yaml')
    await expect(load(file)).rejects.toMatchObject({
      code: 'ERR_CONFIG',
      message: `${file}: there is no such file`,
      hint: /create it/,
    })
  })

  test('a directory', async () => {
    await expect(load(dir)).rejects.toMatchObject({ message: `${dir}: this is a directory; expected a file` })
  })

  test('a FIFO that nobody writes to, without waiting for it', async () => {
    const file = path.join(dir, 'fifo')
    execFileSync('mkfifo', [file])
    await expect(load(file)).rejects.toMatchObject({ message: `${file}: this is not a regular file; expected one` })
  })

  test('a device', async () => {
    await expect(load('/dev/zero')).rejects.toMatchObject({
      message: '/dev/zero: this is not a regular file; expected one',
    })
  })

  test('links in a circle', async () => {
    const file = path.join(dir, 'loop')
    symlinkSync(file, file)
    await expect(load(file)).rejects.toMatchObject({ message: `${file}: its symbolic links go round in a circle` })
  })

  test.skipIf(isRoot)('a file without permission', async () => {
    await expect(load(put('closed.yaml', 'version: 1', 0o000))).rejects.toMatchObject({ message: /no permission/ })
  })

  test('more than 1 MiB, but not exactly 1 MiB', async () => {
    const filler = (size: number) => `version: 1 #${' '.repeat(size - 12)}`
    await expect(load(put('max.yaml', filler(1_048_576)))).resolves.toMatchObject({ services: [] })
    const file = put('big.yaml', filler(1_048_577))
    await expect(load(file)).rejects.toMatchObject({
      message: `${file}: larger than 1048576 bytes; expected at most 1 MiB`,
    })
  })

  test.each([
    ['a Latin-1 letter', Buffer.from('version: 1\nstate: za\xf3\n', 'latin1'), '2:10'],
    ['UTF-16', Buffer.from('\ufeffversion: 1\n', 'utf16le'), '1:1'],
    [
      'a sequence cut off at the end',
      Buffer.concat([Buffer.from('version: 1\nstate: "é'), Buffer.from([0xc3])]),
      '2:10',
    ],
  ])('%s instead of UTF-8', async (_name, bytes, place) => {
    const file = put('bad.yaml', bytes)
    await expect(load(file)).rejects.toMatchObject({
      message: `${file}:${place}: not UTF-8 from here on; expected UTF-8 text`,
    })
  })
})

describe('a file that others could write is refused', () => {
  test('by its own mode', async () => {
    const file = put('open.yaml', 'version: 1', 0o666)
    await expect(load(file)).rejects.toMatchObject({
      message: /every user can write this file/,
      hint: `chmod o-w ${file}`,
    })
  })

  test('by the directory that it stands in, or one above', async () => {
    const inner = path.join(dir, 'shared', 'conf')
    mkdirSync(inner, { recursive: true })
    const file = put('shared/conf/medyk.yaml', 'version: 1')
    await expect(load(file)).resolves.toBeDefined()
    chmodSync(path.join(dir, 'shared'), 0o777)
    await expect(load(file)).rejects.toMatchObject({
      message: /shared is writable for all; expected that only its owner can/,
    })
  })

  test('behind a link that stands in a safe place', async () => {
    mkdirSync(path.join(dir, 'shared'))
    symlinkSync(put('shared/medyk.yaml', 'version: 1'), path.join(dir, 'link.yaml'))
    chmodSync(path.join(dir, 'shared'), 0o777)
    await expect(load(path.join(dir, 'link.yaml'))).rejects.toMatchObject({ message: /shared is writable for all/ })
  })

  test.runIf(isRoot)('a sticky directory protects only what belongs to the user or to root', async () => {
    mkdirSync(path.join(dir, 'sticky'))
    const file = put('sticky/medyk.yaml', 'version: 1')
    chmodSync(path.join(dir, 'sticky'), 0o1777)
    await expect(load(file)).resolves.toBeDefined()
    chownSync(file, 4_711, 4_711)
    await expect(load(file)).rejects.toMatchObject({ message: /sticky is writable for all/ })
  })
})
