import { spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { at } from './lib/paths.mjs'
import { which } from './lib/test-requirements.mjs'

const script = at('scripts', 'health-check-all.sh')
const row = (name, status, more = {}) => ({
  name,
  status,
  cause: null,
  reason: null,
  since: '2026-01-20T10:00:00.000Z',
  dependsOn: ['other'],
  instances: [{ id: `${name}-1`, kind: 'docker', pid: 7, status, startedAt: null, restarts: 0 }],
  ...more,
})
const services = [
  row('api', 'healthy'),
  row('frame-buffer', 'unhealthy', {
    cause: 'self',
    reason: 'answers 500: {"name":"x","status":"healthy"}, a \\ and more',
  }),
  row('blocked', 'degraded', { cause: 'dependency', reason: 'waits for frame-buffer' }),
]

let server
let answer = { status: 200, body: '' }
let asked
beforeAll(async () => {
  server = createServer((request, response) => {
    asked = request
    response.writeHead(answer.status, { 'content-type': 'application/json' }).end(answer.body)
  }).listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
})
afterAll(() => server.close())

const url = () => `http://127.0.0.1:${server.address().port}`
const say = (rows, status = 200) => (answer = { status, body: JSON.stringify({ services: rows }) })

function run(args = [], env = {}) {
  return new Promise((resolve) => {
    const child = spawn(script, args, { env: { PATH: process.env.PATH, MEDYK_URL: url(), ...env } })
    let stdout = ''
    let stderr = ''
    child.stdout.on('data', (text) => (stdout += text))
    child.stderr.on('data', (text) => (stderr += text))
    child.on('close', (code) => resolve({ code, stdout, stderr }))
  })
}

describe.each(['jq', 'node', 'python3', 'sed'].filter((tool) => which([tool])))(
  'health-check-all.sh with %s',
  (tool) => {
    let folder
    beforeAll(() => {
      folder = mkdtempSync(join(tmpdir(), 'medyk-path-'))
      // Nothing else is on this PATH.
      for (const name of new Set(['sh', 'curl', 'cat', tool])) {
        writeFileSync(join(folder, name), `#!/bin/sh\nPATH='${process.env.PATH}' exec ${which([name])} "$@"\n`, {
          mode: 0o700,
        })
      }
    })
    afterAll(() => rmSync(folder, { recursive: true }))

    it('shows each service with its status, cause and reason', async () => {
      say(services)
      const { code, stdout } = await run([], { PATH: folder })
      expect(stdout.split('\n')).toEqual([
        'api           ● healthy',
        'frame-buffer  ✗ unhealthy  (self: answers 500: {"name":"x","status":"healthy"}, a \\ and more)',
        'blocked       ◐ degraded  (dependency: waits for frame-buffer)',
        '',
        '1 of 3 healthy',
        '',
      ])
      expect(code).toBe(2)
    })
  },
)

it.each([
  [['healthy', 'healthy'], 0],
  [['healthy', 'degraded'], 1],
  [['starting', 'healthy'], 1],
  [['unhealthy', 'degraded'], 2],
  [['healthy', 'unknown'], 2],
  [[], 3],
])('ends %j with %i', async (states, code) => {
  say(states.map((status, i) => row(`s${i}`, status)))
  expect((await run()).code).toBe(code)
})

it('says that nobody answers, that a token is missing, or that somebody else answers, and ends with 3', async () => {
  expect(await run(['--url', 'http://127.0.0.1:1'])).toMatchObject({
    code: 3,
    stderr: expect.stringMatching(/does not answer at http:\/\/127.0.0.1:1: curl:.*\nStart it/),
  })
  say([], 401)
  expect(await run()).toMatchObject({ code: 3, stderr: expect.stringContaining('set MEDYK_TOKEN') })
  answer = { status: 200, body: '<html>' }
  expect(await run()).toMatchObject({ code: 3, stderr: expect.stringContaining('is not Medyk') })
  expect(await run(['--what'])).toMatchObject({ code: 3, stderr: expect.stringContaining('Unknown option: --what') })
})

it('hands the token on, and prints the JSON as it is', async () => {
  say(services)
  const { code, stdout } = await run(['--json'], { MEDYK_TOKEN: 'a-viewer' })
  expect(JSON.parse(stdout)).toEqual({ services })
  expect(code).toBe(2)
  expect(asked.headers.authorization).toBe('Bearer a-viewer')
})

it.skipIf(!which(['shellcheck']))('has nothing that shellcheck complains of', () => {
  const { status, stdout } = spawnSync(which(['shellcheck']), [script], { encoding: 'utf8' })
  expect(stdout).toBe('')
  expect(status).toBe(0)
})
