import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { endpointOf, resolveDockerSettings } from './settings.ts'

const directory = mkdtempSync(join(tmpdir(), 'medyk-pem-'))
for (const name of ['ca', 'cert', 'key']) writeFileSync(join(directory, `${name}.pem`), name)
const half = mkdtempSync(join(tmpdir(), 'medyk-pem-'))
writeFileSync(join(half, 'cert.pem'), 'cert')
afterAll(() => [directory, half].forEach((path) => rmSync(path, { recursive: true })))

describe('where Docker is', () => {
  it.each([
    ['nothing said', {}, {}, { host: 'unix:///var/run/docker.sock', tls: null }],
    ['an empty DOCKER_HOST', { DOCKER_HOST: ' ' }, {}, { host: 'unix:///var/run/docker.sock', tls: null }],
    ['DOCKER_HOST', { DOCKER_HOST: 'tcp://h:2375' }, {}, { host: 'tcp://h:2375', tls: null }],
    ['a flag', { DOCKER_HOST: 'tcp://h:2375' }, { host: 'unix:///x' }, { host: 'unix:///x', tls: null }],
    [
      'certificates for a socket',
      { DOCKER_HOST: 'unix:///x', DOCKER_CERT_PATH: directory },
      {},
      { host: 'unix:///x', tls: null },
    ],
    [
      'certificates',
      { DOCKER_HOST: 'tcp://h:2376', DOCKER_CERT_PATH: directory },
      {},
      { host: 'tcp://h:2376', tls: { ca: 'ca', cert: 'cert', key: 'key' } },
    ],
    [
      'a directory without any: the roots of the system',
      { DOCKER_HOST: 'tcp://h:2376', DOCKER_TLS_VERIFY: '1', DOCKER_CERT_PATH: join(directory, 'none') },
      {},
      { host: 'tcp://h:2376', tls: { ca: null, cert: null, key: null } },
    ],
  ])('%s', (_, env, flags, settings) => {
    expect(resolveDockerSettings(env, flags)).toEqual(settings)
  })

  it.each([
    ['ssh://host', 'ssh is not supported'],
    ['/var/run/docker.sock', 'no scheme'],
    ['unix://docker.sock', 'absolute path'],
    ['npipe:////./pipe/docker', '"npipe" is not supported'],
    ['tcp://', 'not host:port'],
    ['tcp://h:1/x', 'not host:port'],
    ['tcp://user:hunter2@h:1', 'not host:port'],
  ])('refuses %s and says what to write', (host, reason) => {
    const resolving = () => resolveDockerSettings({ DOCKER_HOST: host })
    expect(resolving).toThrow(reason)
    expect(resolving).toThrow(expect.objectContaining({ code: 'ERR_RUNTIME', hint: expect.any(String) }))
    expect(resolving).not.toThrow('hunter2')
  })

  it('refuses half a client certificate', () => {
    expect(() => resolveDockerSettings({ DOCKER_HOST: 'tcp://h:2376' }, { certPath: half })).toThrow('only one of')
  })

  it.each([
    ['tcp://h:2376', 'h', 2376],
    ['tcp://h', 'h', 2375],
    ['tcp://h:80', 'h', 80],
    ['tcp://[::1]:2375', '::1', 2375],
  ])('takes %s apart', (host, name, port) => {
    expect(endpointOf(host)).toEqual({ kind: 'tcp', host: name, port })
  })
})
