import { describe, expect, test } from 'vitest'
import { ConfigError, parseConfig, resolveConfig } from './index.ts'
import { kinds } from './testdata/kinds.ts'

const file = parseConfig(
  'version: 1\nserver: { host: 10.0.0.1, port: 7701 }\nstate: state\n',
  '/etc/medyk/medyk.yaml',
  kinds,
)
const cwd = '/home/op'

test.each([
  [
    'the defaults hold without anything else',
    { file: null, env: {} },
    { host: '127.0.0.1', port: 7700 },
    '/home/op/.medyk',
  ],
  ['the file wins over the defaults', { file, env: {} }, { host: '10.0.0.1', port: 7701 }, '/etc/medyk/state'],
  [
    'the environment wins over the file, key by key',
    { file, env: { MEDYK_PORT: '7702', MEDYK_STATE: 'from-env' } },
    { host: '10.0.0.1', port: 7702 },
    '/home/op/from-env',
  ],
  [
    'flags win over the environment',
    { file, env: { MEDYK_PORT: '7702', MEDYK_HOST: '::1' }, flags: { port: 7703, state: '/var/lib/medyk' } },
    { host: '::1', port: 7703 },
    '/var/lib/medyk',
  ],
  [
    'an empty variable is not set',
    { file: null, env: { MEDYK_PORT: '', MEDYK_HOST: '' } },
    { host: '127.0.0.1', port: 7700 },
    '/home/op/.medyk',
  ],
])('%s', (_name, sources, server, stateDir) => {
  expect(resolveConfig({ ...sources, cwd })).toMatchObject({ server, stateDir })
})

test('a wrong override is refused by its name, all of them together', () => {
  const wrong = () =>
    resolveConfig({ file, env: { MEDYK_PORT: '77o0', MEDYK_HOST: 'a b' }, flags: { host: 'x/y' }, cwd })
  expect(wrong).toThrow(ConfigError)
  expect(wrong).toThrow(
    /^--host: "x\/y" is not a host.*\nMEDYK_PORT: "77o0" is not a port; expected a whole number from 0 to 65535$/,
  )
})

test.each(['65536', '-1', '1e3', '0x50', '80.5', ' 80'])('%s is not a port', (port) => {
  expect(() => resolveConfig({ file: null, env: {}, flags: { port }, cwd })).toThrow(/--port: /)
})

test('a wrong variable does not matter when a flag wins over it', () => {
  expect(resolveConfig({ file: null, env: { MEDYK_PORT: 'x' }, flags: { port: 1 }, cwd }).server.port).toBe(1)
})

describe('what is discovered on a Docker host', () => {
  const shop = parseConfig(
    'version: 1\ndocker: { host: "tcp://10.0.0.1:2375", projects: [shop] }\n',
    '/etc/medyk/medyk.yaml',
    kinds,
  )

  test.each([
    ['nothing, when nobody says so', { file: null, env: {} }, null],
    ['nothing, when only the place of Docker is said', { file, env: { DOCKER_HOST: 'ssh://x' } }, null],
    [
      'what the file says',
      { file: shop, env: {} },
      { host: 'tcp://10.0.0.1:2375', projects: ['shop'], observe: false },
    ],
    [
      'the environment wins over the file, key by key',
      { file: shop, env: { DOCKER_HOST: 'unix:///run/docker.sock', MEDYK_OBSERVE: 'true' } },
      { host: 'unix:///run/docker.sock', projects: ['shop'], observe: true },
    ],
    [
      'flags win over the environment',
      {
        file: null,
        env: { MEDYK_PROJECTS: 'a,b', MEDYK_OBSERVE: '1', DOCKER_HOST: 'unix:///a' },
        flags: { project: ['c', 'd', 'c'], observe: false, dockerHost: 'unix:///b' },
      },
      { host: 'unix:///b', projects: ['c', 'd'], observe: false },
    ],
    [
      'projects with commas and spaces',
      { file: null, env: { MEDYK_PROJECTS: ' a, b ,' } },
      { host: null, projects: ['a', 'b'], observe: false },
    ],
    [
      'a flag alone is enough',
      { file: null, env: {}, flags: { observe: true } },
      { host: null, projects: [], observe: true },
    ],
    [
      'what is empty is not said',
      { file: null, env: { MEDYK_PROJECTS: '', MEDYK_OBSERVE: '' }, flags: { project: [] } },
      null,
    ],
  ])('%s', (_, sources, docker) => {
    expect(resolveConfig({ ...sources, cwd }).docker).toEqual(docker)
  })

  test.each([
    [{ MEDYK_PROJECTS: 'shop,My Shop' }, {}, /^MEDYK_PROJECTS: "My Shop" is not a compose project/],
    [{}, { project: ['../x'] }, /^--project: "\.\.\/x" is not a compose project/],
    [{ MEDYK_OBSERVE: 'maybe' }, {}, /^MEDYK_OBSERVE: "maybe" is not known here; expected true or false/],
    [{ DOCKER_HOST: 'ssh://host', MEDYK_OBSERVE: 'true' }, {}, /^DOCKER_HOST: .* expected unix:\/\/\//],
    [{}, { dockerHost: '/run/docker.sock' }, /^--docker-host: "\/run\/docker\.sock" cannot be used/],
  ])('%j and %j are refused by name', (env, flags, message) => {
    expect(() => resolveConfig({ file: null, env, flags, cwd })).toThrow(message)
  })
})
