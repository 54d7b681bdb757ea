import { expect, test } from 'vitest'
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
