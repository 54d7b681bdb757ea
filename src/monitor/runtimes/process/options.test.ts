import { describe, expect, it } from 'vitest'
import { commandHash, schema } from './options.ts'

describe('runtimeOptions of a process service', () => {
  it.each([
    [{ command: ['node', 'server.js'] }],
    [{ command: ['/usr/bin/env'], cwd: '/srv', env: { PORT: '8001', _X: '' } }],
    [{ command: ['echo', '', 'a b; rm -rf /'] }],
  ])('accepts %j', (options) => {
    expect(schema.parse(options)).toEqual(options)
  })

  it.each([
    ['nothing', {}, 'command'],
    ['a shell line', { command: 'node server.js' }, 'command'],
    ['an empty command', { command: [] }, 'command'],
    ['an empty program', { command: [''] }, 'command'],
    ['a NUL character', { command: ['a\0b'] }, 'command.0'],
    ['a relative cwd', { command: ['a'], cwd: 'srv' }, 'cwd'],
    ['a number in env', { command: ['a'], env: { PORT: 8001 } }, 'env.PORT'],
    ['a name that is none', { command: ['a'], env: { 'A=B': 'c' } }, 'env.A=B'],
    ['an unknown key', { command: ['a'], shell: true }, ''],
    ['a list', [], ''],
  ])('refuses %s with its place', (_, options, place) => {
    const parsed = schema.safeParse(options)
    expect(parsed.success).toBe(false)
    expect(parsed.error?.issues.map(({ path }) => path.join('.'))).toContain(place)
  })
})

describe('commandHash', () => {
  const options = { command: ['node', 'a.js'], cwd: '/srv', env: { A: '1', B: '2' } }

  it('does not depend on the order of the environment', () => {
    expect(commandHash({ ...options, env: { B: '2', A: '1' } })).toBe(commandHash(options))
  })

  it.each([
    { ...options, command: ['node', 'b.js'] },
    { ...options, command: ['node a.js'] },
    { ...options, cwd: '/' },
    { ...options, env: { A: '1', B: '3' } },
    { command: options.command },
  ])('differs for %j', (other) => {
    expect(commandHash(other)).not.toBe(commandHash(options))
  })
})
