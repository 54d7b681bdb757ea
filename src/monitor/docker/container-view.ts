import { MedykError, printable, redact } from '@medyk/health/internal'
import { readEnvironment } from './environment.ts'
import { integer, list, portOf, record, text, texts, type Unknown } from './untrusted.ts'
import type { ContainerHealth, ContainerView, HealthcheckView } from './view.ts'

const STATES = ['created', 'running', 'paused', 'restarting', 'removing', 'exited', 'dead'] as const
const POLICIES = ['no', 'always', 'unless-stopped', 'on-failure'] as const
const MAX_LABELS = 300
const MAX_NETWORKS = 50
const MAX_TEST_WORDS = 50

/** Docker's own, where nothing is said. */
const CHECK = { intervalMs: 30_000, timeoutMs: 30_000, startPeriodMs: 0, retries: 3 } as const

/**
 * An answer of `inspect` in our words; of an environment variable's value nothing but the hosts and the port that it names.
 * Throws MedykError ERR_RUNTIME for what is no container.
 */
export function toContainerView(inspected: unknown): ContainerView {
  const container = record(inspected)
  const id = text(container.Id, 64)
  if (!isContainerId(id)) {
    throw new MedykError('ERR_RUNTIME', "Docker's answer to inspect is no container", {
      hint: 'see what is behind that address',
    })
  }
  const config = record(container.Config)
  const host = record(container.HostConfig)
  const settings = record(container.NetworkSettings)
  const state = record(container.State)
  const { secrets, ...environment } = readEnvironment(config.Env)
  const hide = (said: string) => secrets.reduce((out, secret) => out.replaceAll(secret, '[redacted]'), said)
  const published = publishedPorts(settings.Ports, host.PortBindings)
  return {
    id,
    name: text(container.Name, 300).replace(/^\//, ''),
    image: text(config.Image, 300) || text(container.Image, 300),
    createdAt: timeOf(container.Created) ?? new Date(0).toISOString(),
    ...stateOf(state),
    error: printable(hide(text(state.Error, 2_000))),
    restartCount: integer(container.RestartCount),
    restartPolicy: POLICIES.find((policy) => policy === record(host.RestartPolicy).Name) ?? 'no',
    health: healthOf(state, hide),
    healthcheck: healthcheckOf(record(config.Healthcheck), hide),
    labels: labelsOf(config.Labels, hide),
    ...environment,
    networkMode: text(host.NetworkMode, 200).replace(/^default$/, 'bridge') || 'bridge',
    networks: networksOf(settings),
    links: linksOf(host.Links, settings),
    exposed: [...new Set([...tcpPorts(config.ExposedPorts), ...published.map(({ port }) => port)])].sort(
      (a, b) => a - b,
    ),
    published,
    mounts: mountsOf(container.Mounts),
    stopSignal: text(config.StopSignal, 30) || 'SIGTERM',
    stopTimeoutMs: typeof config.StopTimeout === 'number' ? Math.max(0, integer(config.StopTimeout, 10)) * 1_000 : null,
  }
}

export function isContainerId(id: string): boolean {
  return /^[0-9a-f]{64}$/.test(id)
}

/** ISO 8601 UTC with milliseconds; null: never, which Docker writes as the year 1. */
function timeOf(value: unknown): string | null {
  const ms = Date.parse(text(value, 60))
  return Number.isFinite(ms) && ms > 0 ? new Date(ms).toISOString() : null
}

function stateOf(state: Unknown) {
  const known = STATES.find((one) => one === state.Status)
  const now = known ?? (state.Running === true ? 'running' : 'exited')
  const runs = now === 'running' || now === 'paused'
  const pid = integer(state.Pid)
  return {
    state: now,
    pid: runs && pid > 0 ? pid : null,
    startedAt: runs ? timeOf(state.StartedAt) : null,
    finishedAt: timeOf(state.FinishedAt),
    exitCode: integer(state.ExitCode),
    oomKilled: state.OOMKilled === true,
  }
}

function healthOf(state: Unknown, hide: (said: string) => string): ContainerHealth | null {
  const health = record(state.Health)
  const status = (['starting', 'healthy', 'unhealthy'] as const).find((one) => one === health.Status)
  if (status === undefined) return null
  const last = record(list(health.Log).at(-1))
  const code = typeof last.ExitCode === 'number' ? integer(last.ExitCode) : null
  return { status, exitCode: code, output: printable(hide(text(last.Output, 4_096)).trim()) }
}

function healthcheckOf(check: Unknown, hide: (said: string) => string): HealthcheckView | null {
  const test = texts(check.Test, MAX_TEST_WORDS)
  const [form] = test
  if (form !== 'CMD' && form !== 'CMD-SHELL') return null
  const ms = (value: unknown, otherwise: number) => Math.round(integer(value) / 1e6) || otherwise
  return {
    test: test.map((word) => redact(hide(word)).slice(0, 2_000)),
    intervalMs: ms(check.Interval, CHECK.intervalMs),
    timeoutMs: ms(check.Timeout, CHECK.timeoutMs),
    startPeriodMs: ms(check.StartPeriod, CHECK.startPeriodMs),
    retries: integer(check.Retries) || CHECK.retries,
  }
}

/** What Medyk and Compose say is read by machines and stays as it is; the rest may hold anything. */
function labelsOf(labels: unknown, hide: (said: string) => string): Readonly<Record<string, string>> {
  const entries = Object.entries(record(labels)).slice(0, MAX_LABELS)
  return Object.fromEntries(
    entries.map(([name, value]) => {
      const said = hide(text(value, 2_000))
      return [name.slice(0, 300), /^(?:io\.medyk|com\.docker\.compose)\./.test(name) ? said : redact(said)]
    }),
  )
}

function networksOf(settings: Unknown): ContainerView['networks'] {
  return Object.entries(record(settings.Networks))
    .slice(0, MAX_NETWORKS)
    .map(([name, value]) => {
      const network = record(value)
      const address = text(network.IPAddress, 50) || text(network.GlobalIPv6Address, 50)
      return { name: name.slice(0, 200), address, aliases: texts(network.Aliases, 50) }
    })
}

/** `/db:/web/cache` of the default network, `db:cache` of the others. */
function linksOf(legacy: unknown, settings: Unknown): ContainerView['links'] {
  const ofNetworks = Object.values(record(settings.Networks)).flatMap((network) => texts(record(network).Links, 50))
  const links = [...texts(legacy, 50), ...ofNetworks].flatMap((link) => {
    const [name = '', alias = ''] = link.split(':')
    return name ? [{ name: name.replace(/^\//, ''), alias: alias.replace(/^.*\//, '') || name.replace(/^\//, '') }] : []
  })
  const seen = new Set<string>()
  return links.filter(({ name, alias }) => seen.size < seen.add(`${name}:${alias}`).size)
}

function tcpPorts(ports: unknown): readonly number[] {
  return Object.keys(record(ports))
    .slice(0, 1_000)
    .flatMap((key) => {
      const [number, protocol = 'tcp'] = key.split('/')
      const port = protocol === 'tcp' ? portOf(number) : null
      return port === null ? [] : [port]
    })
}

/** While it runs Docker says what it has published, else what it will. */
function publishedPorts(now: unknown, configured: unknown): ContainerView['published'] {
  const ports = Object.keys(record(now)).length > 0 ? record(now) : record(configured)
  return Object.entries(ports)
    .slice(0, 1_000)
    .flatMap(([key, bindings]) => {
      const [port] = tcpPorts({ [key]: {} })
      if (port === undefined) return []
      return list(bindings, 10).flatMap((binding) => {
        const hostPort = portOf(record(binding).HostPort)
        return hostPort === null ? [] : [{ port, hostAddress: text(record(binding).HostIp, 50), hostPort }]
      })
    })
}

function mountsOf(mounts: unknown): ContainerView['mounts'] {
  return list(mounts, 100).map((one) => {
    const mount = record(one)
    const type = (['bind', 'volume', 'tmpfs'] as const).find((kind) => kind === mount.Type) ?? 'other'
    return { type, name: text(mount.Name, 300), destination: text(mount.Destination, 1_000) }
  })
}
