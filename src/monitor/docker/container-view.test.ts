import fc from 'fast-check'
import { isMedykError } from '@medyk/health/internal'
import { describe, expect, it } from 'vitest'
import { toContainerView } from './container-view.ts'

const ID = 'ab'.repeat(32)

/** As Docker 20.10 writes it, shortened. */
const inspected = (over: object = {}) => ({
  Id: ID,
  Created: '2026-11-25T08:16:33.201587301Z',
  State: {
    Status: 'running',
    Running: true,
    OOMKilled: false,
    Pid: 24968,
    ExitCode: 0,
    Error: '',
    StartedAt: '2026-11-25T08:16:33.349722772Z',
    FinishedAt: '0001-01-01T00:00:00Z',
    Health: { Status: 'unhealthy', Log: [{ ExitCode: 1, Output: 'password=hunter2 refused\n' }] },
  },
  Name: '/shop-api-1',
  RestartCount: 2,
  HostConfig: {
    NetworkMode: 'shop_default',
    RestartPolicy: { Name: 'unless-stopped' },
    PortBindings: { '8000/tcp': [{ HostIp: '', HostPort: '18000' }] },
    Links: ['/shop-db-1:/shop-api-1/db'],
  },
  Config: {
    Env: ['DB_PASSWORD=correcthorse', 'REDIS_HOST=cache', 'PORT=8000'],
    Image: 'shop/api:1',
    Labels: { 'com.docker.compose.project': 'shop', note: 'token=hunter2' },
    Healthcheck: { Test: ['CMD-SHELL', 'curl -u a:correcthorse http://localhost:8000/health'], Interval: 5e9 },
    ExposedPorts: { '8000/tcp': {}, '9000/udp': {} },
    StopSignal: 'SIGINT',
    StopTimeout: 30,
  },
  Mounts: [{ Type: 'volume', Name: 'data', Destination: '/data' }],
  NetworkSettings: {
    Ports: { '8000/tcp': [{ HostIp: '0.0.0.0', HostPort: '18000' }], '9100/tcp': null },
    Networks: { shop_default: { IPAddress: '172.18.0.3', Aliases: ['api', 'ab12'], Links: ['shop-db-1:db'] } },
  },
  ...over,
})

describe('a container in our words', () => {
  it('is what inspect says, without a value of its environment and without secrets', () => {
    const view = toContainerView(inspected())
    expect(view).toEqual({
      id: ID,
      name: 'shop-api-1',
      image: 'shop/api:1',
      createdAt: '2026-11-25T08:16:33.201Z',
      state: 'running',
      pid: 24968,
      startedAt: '2026-11-25T08:16:33.349Z',
      finishedAt: null,
      exitCode: 0,
      oomKilled: false,
      error: '',
      restartCount: 2,
      restartPolicy: 'unless-stopped',
      health: { status: 'unhealthy', exitCode: 1, output: 'password=[redacted] refused' },
      healthcheck: {
        test: ['CMD-SHELL', 'curl -u a:[redacted] http://localhost:8000/health'],
        intervalMs: 5_000,
        timeoutMs: 30_000,
        startPeriodMs: 0,
        retries: 3,
      },
      labels: { 'com.docker.compose.project': 'shop', note: 'token=[redacted]' },
      environment: ['DB_PASSWORD', 'REDIS_HOST', 'PORT'],
      hosts: [{ variable: 'REDIS_HOST', host: 'cache', port: null, scheme: null }],
      ports: { PORT: 8_000 },
      networkMode: 'shop_default',
      networks: [{ name: 'shop_default', address: '172.18.0.3', aliases: ['api', 'ab12'] }],
      links: [{ name: 'shop-db-1', alias: 'db' }],
      exposed: [8_000],
      published: [{ port: 8_000, hostAddress: '0.0.0.0', hostPort: 18_000 }],
      mounts: [{ type: 'volume', name: 'data', destination: '/data' }],
      stopSignal: 'SIGINT',
      stopTimeoutMs: 30_000,
    })
  })

  it.each([
    ['exited', { Status: 'exited', Pid: 0, ExitCode: 137, OOMKilled: true, FinishedAt: '2026-11-25T09:00:00.5Z' }],
    ['restarting', { Status: 'restarting', Running: true, Pid: 0, StartedAt: '2026-11-25T08:16:33Z', ExitCode: 3 }],
    ['removing', { Status: 'removing', Pid: 0, StartedAt: '2026-11-25T08:16:33Z' }],
    ['dead', { Status: 'dead', Dead: true, StartedAt: '2026-11-25T08:16:33Z' }],
    ['created', { Status: 'created', StartedAt: '0001-01-01T00:00:00Z', Pid: 0 }],
  ])('%s does not run: no pid, no time of start', (state, State) => {
    expect(toContainerView(inspected({ State }))).toMatchObject({ state, pid: null, startedAt: null })
  })

  it.each([[['NONE']], [[]], [null], ['curl']])('has no check when its test is %j', (Test) => {
    expect(toContainerView(inspected({ Config: { Healthcheck: { Test } } })).healthcheck).toBeNull()
  })

  it('says where it will be published while it does not run', () => {
    const view = toContainerView(inspected({ NetworkSettings: { Ports: {} } }))
    expect(view.published).toEqual([{ port: 8_000, hostAddress: '', hostPort: 18_000 }])
  })

  it('says ERR_RUNTIME to what is no container, and bears any garbage within one', () => {
    const wrong = (value: unknown) => {
      try {
        toContainerView(value)
        return true
      } catch (error) {
        return isMedykError(error, 'ERR_RUNTIME')
      }
    }
    fc.assert(
      fc.property(fc.anything(), (value) => {
        expect(wrong(value)).toBe(true)
      }),
    )
    const keys = fc.constantFrom('State', 'Config', 'HostConfig', 'NetworkSettings', 'Mounts', 'Name', 'Created')
    const part = fc.dictionary(fc.constantFrom(...PARTS), fc.anything({ maxDepth: 4 }))
    fc.assert(
      fc.property(fc.dictionary(keys, fc.oneof(part, fc.anything())), (over) => {
        expect(toContainerView({ ...over, Id: ID }).id).toBe(ID)
      }),
      { numRuns: 500 },
    )
  })

  it('shows no value of an environment variable of six characters or more, but hosts and ports', () => {
    const name = fc.stringMatching(/^[A-Z]{1,8}(_(HOST|URL|PORT|PASSWORD|DSN|TOKEN|ADDR))?$/)
    // Begun with a mark that neither a name nor any other part of the view holds.
    const secret = fc.stringMatching(/^qz[a-z0-9!$%^&()+=~.-]{4,20}$/)
    const around = fc.constantFrom(
      '%',
      'postgres://u:%@db:5432/x',
      'https://%@api/x',
      'redis://:%@cache',
      'key=%;x',
      '"%"',
    )
    fc.assert(
      fc.property(fc.array(fc.tuple(name, around, secret), { maxLength: 8 }), (variables) => {
        const Env = variables.map(([key, form, value]) => `${key}=${form.replace('%', () => value)}`)
        const { hosts, ...view } = toContainerView(inspected({ Config: { Env } }))
        const shown = JSON.stringify(view)
        for (const [, form, value] of variables) {
          expect(shown).not.toContain(value)
          // Where a variable is to hold a host, a word that could be one is taken for it; a password of a URL never is.
          if (form.includes('://'))
            expect(hosts.filter(({ scheme }) => scheme).map(({ host }) => host)).not.toContain(value)
        }
      }),
      { numRuns: 500 },
    )
  })
})

const PARTS =
  'Status Running Pid StartedAt FinishedAt Health ExitCode Env Labels Healthcheck Test Log Networks Ports Links PortBindings RestartPolicy NetworkMode ExposedPorts StopTimeout'.split(
    ' ',
  )
