import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { loadTokens } from './tokens.ts'

const directory = mkdtempSync(path.join(tmpdir(), 'medyk-tokens-'))
afterAll(() => rmSync(directory, { recursive: true, force: true }))

function file(name: string, text: string, mode = 0o600): string {
  const full = path.join(directory, name)
  writeFileSync(full, text)
  chmodSync(full, mode)
  return full
}

const VIEWER = 'viewer-0123456789'
const OPERATOR = 'operator-0123456789'
const load = (env: Record<string, string>, tokens?: { viewerFile?: string; operatorFile?: string }) =>
  loadTokens({
    config: { server: { host: '127.0.0.1', port: 0, ...(tokens ? { tokens } : {}) } },
    env,
    cwd: directory,
  })

test('there are none where none is given, and empty text is none', async () => {
  expect(await load({ MEDYK_VIEWER_TOKEN: '', MEDYK_OPERATOR_TOKEN_FILE: '' })).toEqual({
    viewer: null,
    operator: null,
  })
})

test('they come from the environment, from files it names, or from files of the config, in this order', async () => {
  const operatorFile = file('operator', `${OPERATOR}\n`)
  file('viewer', `${VIEWER}\n`)
  expect(await load({ MEDYK_VIEWER_TOKEN_FILE: 'viewer' }, { operatorFile })).toEqual({
    viewer: VIEWER,
    operator: OPERATOR,
  })
  const other = 'another-0123456789'
  expect((await load({ MEDYK_OPERATOR_TOKEN: other }, { operatorFile })).operator).toBe(other)
})

test.each([
  ['too short', { MEDYK_OPERATOR_TOKEN: 'fifteen-letters' }, /MEDYK_OPERATOR_TOKEN: a token of 15 characters/],
  ['with a blank', { MEDYK_VIEWER_TOKEN: 'a blank within this one' }, /without blanks/],
  ['too long', { MEDYK_VIEWER_TOKEN: 'x'.repeat(513) }, /16 to 512/],
  ['the same for both', { MEDYK_VIEWER_TOKEN: VIEWER, MEDYK_OPERATOR_TOKEN: VIEWER }, /the same as the viewer token/],
  ['given twice', { MEDYK_VIEWER_TOKEN: VIEWER, MEDYK_VIEWER_TOKEN_FILE: 'viewer' }, /both .* are set/],
  ['in no file', { MEDYK_VIEWER_TOKEN_FILE: 'nowhere' }, /there is no such file/],
])('one that is %s stops the start, and no token is repeated', async (_what, env, says) => {
  const error = await load(env).then(
    () => null,
    (thrown: unknown) => thrown as Error,
  )
  expect(error?.message).toMatch(says)
  for (const token of Object.values(env)) if (token.length > 15) expect(error?.message).not.toContain(token)
})

test.each([0o604, 0o602, 0o666])('a file of mode %o is refused with the command that mends it', async (mode) => {
  const operatorFile = file('open', OPERATOR, mode)
  await expect(load({}, { operatorFile })).rejects.toMatchObject({
    message: expect.stringContaining('every user can read or write this file') as string,
    hint: `chmod 600 ${operatorFile}`,
  })
})
