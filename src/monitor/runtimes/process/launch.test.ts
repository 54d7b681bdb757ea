import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { isMedykError } from '@medyk/health/internal'
import { afterAll, describe, expect, it } from 'vitest'
import { childEnvironment, launch } from './launch.ts'

const directory = mkdtempSync(join(tmpdir(), 'medyk-launch-'))
afterAll(() => rmSync(directory, { recursive: true }))

describe('the environment of a service', () => {
  const parent = {
    PATH: '/bin',
    HOME: '/root',
    LC_ALL: 'C.UTF-8',
    TZ: 'UTC',
    NODE_OPTIONS: '--inspect',
    AWS_SECRET_ACCESS_KEY: 'x',
    HTTPS_PROXY: 'http://u:p@proxy',
    MEDYK_TOKEN: 'y',
  }

  it('inherits a few variables and nothing else', () => {
    const environment = childEnvironment(parent, { command: ['a'] }, 'T')
    expect(Object.keys(environment).sort()).toEqual(['HOME', 'LC_ALL', 'MEDYK_INSTANCE_TOKEN', 'PATH', 'TZ'])
  })

  it("finds the daemon's own Node first", () => {
    expect(childEnvironment(parent, { command: ['a'] }, 'T').PATH).toBe(`${dirname(process.execPath)}:/bin`)
    expect(childEnvironment({}, { command: ['a'] }, 'T').PATH).toContain('/usr/bin')
  })

  it('lets the config overrule everything but the token', () => {
    const env = { PATH: '/opt', TZ: 'Europe/Warsaw', MEDYK_INSTANCE_TOKEN: 'forged' }
    expect(childEnvironment(parent, { command: ['a'], env }, 'T')).toMatchObject({
      PATH: '/opt',
      TZ: 'Europe/Warsaw',
      MEDYK_INSTANCE_TOKEN: 'T',
    })
  })
})

describe('a command that can never run', () => {
  const plain = join(directory, 'plain.txt')
  writeFileSync(plain, 'text')
  const orphan = join(directory, 'orphan.sh')
  writeFileSync(orphan, '#!/no/such/interpreter\n')
  chmodSync(orphan, 0o755)

  it.each([
    ['no program on PATH', { command: ['medyk-no-such-program'] }, '"medyk-no-such-program" is not on PATH'],
    ['no such file', { command: ['./nothing'], cwd: directory }, `"./nothing" does not exist, in "${directory}"`],
    ['not executable', { command: [plain] }, 'may not be executed'],
    ['a directory', { command: [directory] }, 'may not be executed'],
    ['no interpreter', { command: [orphan] }, 'needs an interpreter that does not exist'],
    ['no such cwd', { command: ['true'], cwd: join(directory, 'gone') }, `gone" does not exist`],
    ['cwd is a file', { command: ['true'], cwd: plain }, 'is not a directory'],
    ['cwd below a file', { command: ['true'], cwd: join(plain, 'x') }, 'does not exist'],
    ['too long', { command: ['true', 'x'.repeat(90_000), ...Array(40).fill('y'.repeat(90_000))] }, 'E2BIG'],
  ])('%s: says so with the place', async (_, options, reason) => {
    const error = await launch('thing', options, 'T', directory).then(
      () => null,
      (thrown: unknown) => thrown,
    )
    expect(isMedykError(error, 'ERR_START_IMPOSSIBLE'), String(error)).toBe(true)
    expect(error).toMatchObject({ message: expect.stringContaining('service "thing"'), hint: expect.any(String) })
    expect((error as Error).message).toContain(reason)
  })

  it('never shows an argument, which may be a secret', async () => {
    const launched = launch('thing', { command: ['./nothing', '--password', 'hunter2'] }, 'T', directory)
    await expect(launched).rejects.not.toThrow(/hunter2/)
  })
})
