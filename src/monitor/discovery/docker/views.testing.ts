import type { ContainerView, HealthcheckView } from '../../docker/view.ts'
import { dockerDefaults, type DockerPolicy } from './policy.ts'

export const policyOf = (more: Partial<DockerPolicy> = {}): DockerPolicy => ({
  projects: ['shop'],
  observe: false,
  services: [],
  defaults: dockerDefaults,
  ...more,
})

let made = 0

/** A running container as Docker shows it; what is not said is what an image without any settings has. */
export function view(more: Partial<ContainerView> = {}): ContainerView {
  made++
  return {
    id: made.toString(16).padStart(64, '0'),
    name: `container-${made}`,
    image: 'acme/app:1',
    createdAt: '2026-01-01T00:00:00.000Z',
    state: 'running',
    pid: 1_000 + made,
    startedAt: '2026-01-01T00:00:01.000Z',
    finishedAt: null,
    exitCode: 0,
    oomKilled: false,
    error: '',
    restartCount: 0,
    restartPolicy: 'always',
    health: null,
    healthcheck: null,
    labels: {},
    environment: [],
    hosts: [],
    ports: {},
    networkMode: 'bridge',
    networks: [],
    links: [],
    exposed: [],
    published: [],
    mounts: [],
    stopSignal: 'SIGTERM',
    stopTimeoutMs: null,
    ...more,
  }
}

/** A container of a compose service, on its project's network. */
export function compose(service: string, more: Partial<ContainerView> = {}, project = 'shop'): ContainerView {
  const { labels = {}, ...rest } = more
  const name = rest.name ?? `${project}-${service}-1`
  return view({
    name,
    networkMode: `${project}_default`,
    networks: [{ name: `${project}_default`, address: `172.20.0.${(made % 200) + 2}`, aliases: [name, service] }],
    labels: { 'com.docker.compose.project': project, 'com.docker.compose.service': service, ...labels },
    ...rest,
  })
}

export function check(test: string | readonly string[], more: Partial<HealthcheckView> = {}): HealthcheckView {
  return {
    test: typeof test === 'string' ? ['CMD-SHELL', test] : test,
    intervalMs: 30_000,
    timeoutMs: 30_000,
    startPeriodMs: 0,
    retries: 3,
    ...more,
  }
}
