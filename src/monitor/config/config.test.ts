import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { isMedykError } from '@medyk/health/internal'
import { describe, expect, test } from 'vitest'
import { defaultRecoveryPolicy } from '../model/index.ts'
import { ConfigError, parseConfig } from './index.ts'
import { kinds } from './testdata/kinds.ts'

const testdata = path.join(import.meta.dirname, 'testdata')
const read = (name: string) => readFileSync(path.join(testdata, name), 'utf8')

function refusal(text: string, name = 'medyk.yaml'): ConfigError {
  try {
    parseConfig(text, name, kinds)
  } catch (error) {
    if (error instanceof ConfigError) return error
    throw error
  }
  throw new Error('the config was accepted')
}

describe('one bad file per rule', () => {
  const files = readdirSync(testdata).filter((name) => name.endsWith('.yaml') && name !== 'full.yaml')

  test.each(files)('%s is refused with every problem at its place', (name) => {
    expect(`${refusal(read(name), name).message}\n`).toBe(read(name.replace('.yaml', '.txt')))
  })

  test('the error has a stable code, a hint and the problems in the order of their places', () => {
    const error = refusal(read('wrong-type.yaml'))
    expect(isMedykError(error, 'ERR_CONFIG')).toBe(true)
    expect(error.hint).toMatch(/nothing of this configuration is used/)
    const lines = error.problems.map(({ at }) => at?.line ?? 0)
    expect(lines.length).toBeGreaterThan(8)
    expect(lines).toEqual([...lines].sort((a, b) => a - b))
  })
})

describe('a valid config', () => {
  test('becomes the model, with the defaults of the file and of Medyk filled in', () => {
    const config = parseConfig(read('full.yaml'), '/etc/medyk/medyk.yaml', kinds)
    expect(config.server).toEqual({ host: '127.0.0.1', port: 7711 })
    expect(config.stateDir).toBe('/var/lib/medyk')
    expect(config.services.map(({ name }) => name)).toEqual(['camera', 'frame-buffer', 'rtsp-capture'])
    expect(config.services[2]).toEqual({
      name: 'rtsp-capture',
      runtime: 'process',
      runtimeOptions: { command: ['node', 'rtsp-capture.js'], cwd: '/etc/medyk/services', env: { PORT: '8001' } },
      dependsOn: [
        { service: 'camera', source: 'config' },
        { service: 'frame-buffer', source: 'config' },
      ],
      probes: [
        {
          name: 'liveness',
          role: 'liveness',
          kind: 'http',
          options: { url: 'http://127.0.0.1:8001/health' },
          intervalMs: 1_000,
          timeoutMs: 1_300,
        },
        {
          name: 'readiness',
          role: 'readiness',
          kind: 'http',
          options: { url: 'http://127.0.0.1:8001/ready', expect: [200, 204] },
          intervalMs: 2_000,
          timeoutMs: 900,
        },
      ],
      startupGraceMs: 90_000,
      recovery: { ...defaultRecoveryPolicy, attempts: 3, delaysMs: [0, 5_000], stopGraceMs: 0, stableMs: 60_000 },
    })
    expect(config.services[0]).toMatchObject({
      runtime: null,
      runtimeOptions: {},
      probes: [{ kind: 'tcp', options: { host: '127.0.0.1', port: 8554 }, intervalMs: 2_000 }],
      startupGraceMs: 45_000,
      recovery: { ...defaultRecoveryPolicy, attempts: 3 },
    })
  })

  test('may be as short as its version', () => {
    const config = parseConfig('version: 1', 'conf/medyk.yaml', kinds)
    expect(config).toEqual({
      file: path.resolve('conf/medyk.yaml'),
      directory: path.resolve('conf'),
      server: { host: '127.0.0.1', port: 7700 },
      stateDir: path.resolve('conf/.medyk'),
      services: [],
      docker: null,
      defaults: { intervalMs: null, timeoutMs: null, startupGraceMs: 60_000, recovery: defaultRecoveryPolicy },
    })
  })

  test('says which part of a Docker host is looked after, and what holds for what is found there', () => {
    const text =
      'version: 1\ndocker: { host: "unix:///run/docker.sock", projects: [shop, my_lab], observe: true }\n' +
      'defaults: { probe: { interval: 5s, timeout: 2s }, startupGrace: 90s, recovery: { attempts: 2 } }\n'
    expect(parseConfig(text, 'm.yaml', kinds)).toMatchObject({
      docker: { host: 'unix:///run/docker.sock', projects: ['shop', 'my_lab'], observe: true },
      defaults: {
        intervalMs: 5_000,
        timeoutMs: 2_000,
        startupGraceMs: 90_000,
        recovery: { ...defaultRecoveryPolicy, attempts: 2 },
      },
    })
    expect(parseConfig('version: 1\ndocker: {}\n', 'm.yaml', kinds).docker).toEqual({
      host: null,
      projects: [],
      observe: false,
    })
  })

  test('runs a process in the directory of the file unless it says otherwise', () => {
    const text = 'version: 1\nservices:\n  a: { runtime: process, process: { command: [x] } }\n'
    expect(parseConfig(text, '/srv/m.yaml', kinds).services[0]?.runtimeOptions['cwd']).toBe('/srv')
  })

  test('may choose a runtime that needs no options', () => {
    const text = 'version: 1\nservices:\n  a: { runtime: mock }\n'
    expect(parseConfig(text, 'm.yaml', kinds).services[0]).toMatchObject({ runtime: 'mock', runtimeOptions: {} })
  })

  test('may begin with a byte order mark and end its lines as Windows does', () => {
    expect(parseConfig('\ufeffversion: 1\r\nservices: {}\r\n', 'm.yaml', kinds).services).toEqual([])
  })

  test('may say a policy once and refer to it', () => {
    const text = 'version: 1\nservices:\n  a: { recovery: &p { attempts: 2 } }\n  b: { recovery: *p }\n'
    expect(parseConfig(text, 'm.yaml', kinds).services.map((s) => s.recovery.attempts)).toEqual([2, 2])
  })
})

describe('hostile input', () => {
  test('secrets in wrong places do not reach the message', () => {
    const text = [
      'version: 1',
      'services:',
      '  a: { probes: { liveness: "ftp://admin:hunter2secret@host/" } }',
      '  b: { runtime: process, process: { command: [x], env: hunter2secret } }',
      '  c: { runtime: process, process: { command: [x], env: { PIN: 48151623 } } }',
    ].join('\n')
    const { message } = refusal(text)
    expect(message.split('\n')).toHaveLength(4)
    expect(message).not.toMatch(/hunter2|48151623/)
  })

  test('control characters of the file do not reach the terminal', () => {
    expect(refusal('version: 1\n"\\e[31mred\\n": 1').message).toBe(
      'medyk.yaml:2:1: unknown key "\\u001b[31mred\\u000a"; expected one of version, server, state, docker, defaults, services',
    )
  })

  test('nesting without end is refused, not recursed into', () => {
    expect(refusal(`version: ${'['.repeat(500_000)}`).message).toMatch(
      /^medyk\.yaml:1:\d+: nested deeper than 32 levels$/m,
    )
    expect(refusal(`version: ${'{a: '.repeat(20)}${'['.repeat(20)}`).message).toMatch(/^medyk\.yaml:/)
  }, 60_000)

  test('thousands of problems are counted, not all listed', () => {
    const { message, problems } = refusal(
      `version: 1\n${Array.from({ length: 5_000 }, (_, i) => `k${i}: 1`).join('\n')}`,
    )
    expect(problems).toHaveLength(5_000)
    expect(message.split('\n')).toHaveLength(201)
    expect(message).toMatch(/… and 4800 more problems$/)
  })

  test('a chain of dependencies as long as the file does not end the stack, nor does its cycle go unnoticed', () => {
    const chain = Array.from({ length: 20_000 }, (_, i) => `  s${i}: { dependsOn: [s${(i + 1) % 20_000}] }`)
    const { message } = refusal(`version: 1\nservices:\n${chain.join('\n')}`)
    expect(message).toMatch(
      /^medyk\.yaml:3:21: services\.s0\.dependsOn: a dependency cycle: s0 → s1 → .* more ….* → s0;/,
    )
  }, 60_000)

  test('thousands of unknown dependencies are refused in bounded time', () => {
    const services = Array.from({ length: 5_000 }, (_, i) => `  service-${i}: { dependsOn: [servise-${i}-x, q${i}] }`)
    expect(refusal(`version: 1\nservices:\n${services.join('\n')}`).problems).toHaveLength(10_000)
  }, 60_000)
})
