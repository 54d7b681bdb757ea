import { expect, it } from 'vitest'
import { nestedNpm, npmCommand } from './npm.mjs'

it('hands on where packages come from, and none of the orders of the outer npm', () => {
  const handedOn = nestedNpm({
    PATH: '/bin',
    npm_config_registry: 'r',
    npm_config_https_proxy: 'p',
    npm_config_cache: 'c',
    npm_config_userconfig: 'u',
    npm_config_omit: 'dev',
    npm_config_ignore_scripts: 'true',
    npm_config_workspace: 'x',
    npm_config_dry_run: 'true',
    NPM_CONFIG_PRODUCTION: 'true',
    NODE_ENV: 'production',
    npm_lifecycle_event: 'pretest',
    npm_package_name: 'n',
    npm_command: 'test',
    INIT_CWD: '/elsewhere',
  })
  expect(Object.keys(handedOn)).toEqual([
    'PATH',
    'npm_config_registry',
    'npm_config_https_proxy',
    'npm_config_cache',
    'npm_config_userconfig',
  ])
})

it('uses the npm that started the script under the Node it came with, else the one on the PATH', () => {
  expect(npmCommand({ npm_execpath: '/n/npm-cli.js', npm_node_execpath: '/n/node' })).toEqual([
    '/n/node',
    '/n/npm-cli.js',
  ])
  expect(npmCommand({})).toEqual(['npm'])
})
