import { execFile } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const root = dirname(dirname(import.meta.dirname))
const MINUTE = 60_000
const run = promisify(execFile)
let copy: string

/** A copy of the repository without what is built; the packages are shared with the original. */
beforeAll(() => {
  copy = mkdtempSync(join(tmpdir(), 'medyk-new-'))
  const skipped = /(^|\/)(dist|node_modules|testdata|web|clip)$/
  for (const path of [
    'package.json',
    'tsconfig.base.json',
    'tsconfig.tests.json',
    'vitest.config.ts',
    '.oxfmtrc.json',
    '.oxlintrc.json',
    'scripts',
    'src',
  ]) {
    cpSync(join(root, path), join(copy, path), { recursive: true, filter: (source) => !skipped.test(source) })
  }
  symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'))
}, MINUTE)

afterAll(() => rmSync(copy, { recursive: true, force: true }))

const node = (...args: string[]) => run(process.execPath, args, { cwd: copy, timeout: 2 * MINUTE })
const tool = (name: string, ...args: string[]) => node(join('node_modules', '.bin', name), ...args)
const begin = (...args: string[]) => node('scripts/new.mjs', ...args)
const read = (path: string) => readFileSync(join(copy, path), 'utf8')

/** Resolves with what a command that has to fail said. */
async function refusal(...args: string[]): Promise<string> {
  const said = await begin(...args).then(
    () => null,
    (error: { stderr: string }) => error.stderr,
  )
  expect(said).not.toBeNull()
  return said ?? ''
}

describe('npm run new', () => {
  it('begins a check and a prober that compile, are formatted and pass their own tests', async () => {
    await begin('check', 'disk-space')
    await begin('prober', 'memcached')
    await begin('prober', 'beanstalk-queue')
    const files = [
      'src/shared/health/checks/disk-space.ts',
      'src/monitor/probing/probers/memcached.ts',
      'src/monitor/probing/probers/beanstalk-queue.ts',
    ]
    const tests = files.map((file) => file.replace(/\.ts$/, '.test.ts'))
    const maps = ['src/shared/health/index.ts', 'src/monitor/probing/probers/index.ts']
    expect(read(maps[0] ?? '')).toContain(`export { diskSpace, type DiskSpaceOptions } from './checks/disk-space.ts'`)
    expect(read(maps[1] ?? '')).toContain(`  memcached: () => import('./memcached.ts'),\n`)
    expect(read(maps[1] ?? '')).toContain(`  'beanstalk-queue': () => import('./beanstalk-queue.ts'),\n}`)

    const project = { extends: './tsconfig.tests.json', include: [...files, ...tests, ...maps] }
    writeFileSync(join(copy, 'tsconfig.new.json'), JSON.stringify(project))
    await tool('tsc', '-p', 'tsconfig.new.json')
    await tool('oxfmt', '--check', ...files, ...tests, ...maps)
    await tool('oxlint', ...files, ...tests)
    await tool('vitest', 'run', '--project', 'unit', ...tests)
  })

  it('begins a runtime, named in the map, and says that the contract is still to be met', async () => {
    const { stdout } = await begin('runtime', 'podman')
    expect(stdout).toContain('contract')
    expect(read('src/monitor/runtimes/index.ts')).toContain(`podman: () => import('./podman/index.ts'),`)
    await tool('vitest', 'run', '--project', 'unit', 'src/monitor/runtimes/podman')
  })

  it('overwrites nothing', async () => {
    writeFileSync(join(copy, 'src/shared/health/checks/mine.ts'), 'mine')
    const map = read('src/shared/health/index.ts')
    expect(await refusal('check', 'mine')).toContain('src/shared/health/checks/mine.ts exists already')
    expect(read('src/shared/health/checks/mine.ts')).toBe('mine')
    expect(read('src/shared/health/index.ts')).toBe(map)
  })

  it.each([
    [['check', '../escape'], 'cannot be a name'],
    [['check', 'Disk'], 'cannot be a name'],
    [['check', 'delete'], 'reserved word'],
    [['check'], 'One name is needed'],
    [['gadget', 'x'], 'no kind of plug-in'],
    [['notifier', 'pager'], 'Notifiers come with alerting'],
  ])('refuses %j', async (args, reason) => {
    expect(await refusal(...args)).toContain(reason)
  })

  it('touches nothing when a map is not as it expects', async () => {
    const map = 'src/monitor/probing/probers/index.ts'
    const before = read(map)
    writeFileSync(join(copy, map), 'export const other = 1\n')
    expect(await refusal('prober', 'late')).toContain('no longer looks as')
    expect(read(map)).toBe('export const other = 1\n')
    writeFileSync(join(copy, map), before)
  })
})
