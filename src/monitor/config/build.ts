import path from 'node:path'
import type { z } from 'zod'
import {
  defaultProbe,
  defaultRecoveryPolicy,
  defaultStartupGraceMs,
  type ProbeSpec,
  type RecoveryPolicy,
  type ServiceSpec,
} from '../model/index.ts'
import { probeRoles, serverDefaults, stateDefault, type configSchema } from './schema.ts'

type Input = z.output<ReturnType<typeof configSchema>>
type Service = NonNullable<Input['services']>[string]
type Recovery = NonNullable<Service['recovery']>
type Probe = NonNullable<NonNullable<Service['probes']>['liveness']>

/** A whole configuration: checked, complete, plain data. */
export interface Config {
  /** Absolute path of the file that it was read from; null when there is none. */
  readonly file: string | null
  /** Absolute: what relative paths in runtime options refer to. */
  readonly directory: string
  readonly server: {
    readonly host: string
    readonly port: number
    /** Absolute paths; absent: no such file was named. The tokens themselves are no part of a configuration. */
    readonly tokens?: { readonly viewerFile?: string; readonly operatorFile?: string }
  }
  /** Absolute path of the directory for the journal. */
  readonly stateDir: string
  readonly services: readonly ServiceSpec[]
  /** What is to be discovered on a Docker host; null: nothing. */
  readonly docker: DockerConfig | null
  /** What holds for services that somebody else names. */
  readonly defaults: ServiceDefaults
}

export interface DockerConfig {
  /** As DOCKER_HOST has it; null: Docker's own. */
  readonly host: string | null
  /** Compose projects. None: with `observe` every container of the host, else nothing. */
  readonly projects: readonly string[]
  readonly observe: boolean
}

/** Milliseconds; null: whoever names the service knows best. */
export interface ServiceDefaults {
  readonly intervalMs: number | null
  readonly timeoutMs: number | null
  readonly startupGraceMs: number
  readonly recovery: RecoveryPolicy
}

export const serviceDefaults: ServiceDefaults = {
  intervalMs: null,
  timeoutMs: null,
  startupGraceMs: defaultStartupGraceMs,
  recovery: defaultRecoveryPolicy,
}

/** A valid file's content as the model has it, every default filled in. */
export function buildConfig(input: Input, file: string): Config {
  const absolute = path.resolve(file)
  const directory = path.dirname(absolute)
  return {
    file: absolute,
    directory,
    server: buildServer(input.server, directory),
    stateDir: path.resolve(directory, input.state ?? stateDefault),
    services: Object.entries(input.services ?? {}).map(([name, service]) =>
      buildService(name, service, input.defaults),
    ),
    docker: input.docker === undefined ? null : { host: null, projects: [], observe: false, ...defined(input.docker) },
    defaults: {
      ...serviceDefaults,
      ...defined({
        intervalMs: input.defaults?.probe?.interval,
        timeoutMs: input.defaults?.probe?.timeout,
        startupGraceMs: input.defaults?.startupGrace,
      }),
      recovery: { ...defaultRecoveryPolicy, ...policyOf(input.defaults?.recovery) },
    },
  }
}

function buildServer(given: Input['server'], directory: string): Config['server'] {
  const { tokens, ...where } = given ?? {}
  const files = Object.entries(defined(tokens)).map(([role, file]) => [role, path.resolve(directory, file)])
  return {
    ...serverDefaults,
    ...defined(where),
    ...(files.length > 0 ? { tokens: Object.fromEntries(files) as NonNullable<Config['server']['tokens']> } : {}),
  }
}

function buildService(name: string, service: Service, defaults: Input['defaults']): ServiceSpec {
  const runtime = service.runtime === undefined || service.runtime === 'none' ? null : service.runtime
  return {
    name,
    runtime,
    runtimeOptions: (runtime === null
      ? {}
      : ((service as Record<string, unknown>)[runtime] ?? {})) as ServiceSpec['runtimeOptions'],
    dependsOn: (service.dependsOn ?? []).map((to) => ({ service: to, source: 'config' as const })),
    probes: probeRoles.flatMap((role) => {
      const probe = service.probes?.[role]
      return probe === undefined ? [] : [buildProbe(role, probe, defaults?.probe)]
    }),
    startupGraceMs: service.startupGrace ?? defaults?.startupGrace ?? defaultStartupGraceMs,
    recovery: { ...defaultRecoveryPolicy, ...policyOf(defaults?.recovery), ...policyOf(service.recovery) },
  }
}

function buildProbe(
  role: ProbeSpec['role'],
  probe: Probe,
  defaults: { interval?: number | undefined; timeout?: number | undefined } = {},
): ProbeSpec {
  const { kind, interval, timeout, ...options } =
    typeof probe === 'string'
      ? { kind: 'http', url: probe }
      : (probe as {
          kind: string
          interval?: number
          timeout?: number
        })
  return {
    name: role,
    role,
    kind,
    options,
    intervalMs: interval ?? defaults.interval ?? defaultProbe.intervalMs,
    timeoutMs: timeout ?? defaults.timeout ?? defaultProbe.timeoutMs,
  }
}

function policyOf(recovery: Recovery | undefined): Partial<RecoveryPolicy> {
  const { enabled, dryRun, restartHung, attempts, window, delays, jitter, stopGrace, quarantineRetry, stable } =
    recovery ?? {}
  return defined({
    enabled,
    dryRun,
    restartHung,
    attempts,
    windowMs: window,
    delaysMs: delays,
    jitter,
    stopGraceMs: stopGrace,
    quarantineRetryMs: quarantineRetry,
    stableMs: stable,
  })
}

type Defined<T> = { [K in keyof T]?: Exclude<T[K], undefined> }

function defined<T extends object>(fields: T | undefined): Defined<T> {
  return Object.fromEntries(Object.entries(fields ?? {}).filter(([, value]) => value !== undefined)) as Defined<T>
}
