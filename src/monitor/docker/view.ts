/**
 * What is known of a container: `inspect` and `list` in our words. Never the value of an environment variable: those may be
 * secrets. What has to be read of them (hosts, ports) is taken out at once, and the rest is forgotten.
 */
export interface ContainerView {
  /** 64 hexadecimal digits. */
  readonly id: string
  /** Without the leading slash. */
  readonly name: string
  readonly image: string
  /** ISO 8601 UTC. */
  readonly createdAt: string
  readonly state: 'created' | 'running' | 'paused' | 'restarting' | 'removing' | 'exited' | 'dead'
  /** On the Docker host; null when it does not run. */
  readonly pid: number | null
  /** ISO 8601 UTC with milliseconds; null: never, or it does not run. */
  readonly startedAt: string | null
  readonly finishedAt: string | null
  /** -1: of a run whose end nobody saw. */
  readonly exitCode: number
  readonly oomKilled: boolean
  /** What Docker says of the last failed start; empty: nothing. */
  readonly error: string
  /** Restarts by Docker's own policy since the last start by anybody else. */
  readonly restartCount: number
  readonly restartPolicy: 'no' | 'always' | 'unless-stopped' | 'on-failure'
  /** Docker's own check, as it stands; null: it has none. */
  readonly health: ContainerHealth | null
  /** As configured: the last word on how Docker checks it; null: none, or switched off. */
  readonly healthcheck: HealthcheckView | null
  readonly labels: Readonly<Record<string, string>>
  /** Names only. */
  readonly environment: readonly string[]
  /** Hosts that values of the environment name. */
  readonly hosts: readonly EnvironmentHost[]
  /** Numbers in variables that name a port (`PORT`, `HTTP_PORT`), by name. */
  readonly ports: Readonly<Record<string, number>>
  /** `bridge`, `host`, `none`, `container:<id>`, or the name of a network. */
  readonly networkMode: string
  readonly networks: readonly { readonly name: string; readonly address: string; readonly aliases: readonly string[] }[]
  /** `name:alias` of legacy links, names without slashes. */
  readonly links: readonly { readonly name: string; readonly alias: string }[]
  /** TCP ports that it exposes, and where they are published on the host. */
  readonly exposed: readonly number[]
  readonly published: readonly { readonly port: number; readonly hostAddress: string; readonly hostPort: number }[]
  readonly mounts: readonly {
    readonly type: 'bind' | 'volume' | 'tmpfs' | 'other'
    /** Of a volume; an anonymous one has 64 hexadecimal digits. */
    readonly name: string
    readonly destination: string
  }[]
  /** Signal that asks it to end, `SIGTERM` unless it says otherwise. */
  readonly stopSignal: string
  /** Milliseconds between that and SIGKILL; null: Docker's default of 10 s. */
  readonly stopTimeoutMs: number | null
}

export interface ContainerHealth {
  readonly status: 'starting' | 'healthy' | 'unhealthy'
  /** Exit code of the last run of the check; null: none yet. */
  readonly exitCode: number | null
  /** Its output, redacted, printable, at most 300 characters. */
  readonly output: string
}

export interface HealthcheckView {
  /** `['CMD', 'curl', …]` or `['CMD-SHELL', '…']`, secrets redacted. */
  readonly test: readonly string[]
  readonly intervalMs: number
  readonly timeoutMs: number
  readonly startPeriodMs: number
  readonly retries: number
}

export interface EnvironmentHost {
  readonly variable: string
  readonly host: string
  /** null: not said. */
  readonly port: number | null
  /** Scheme of a URL in lower case (`redis`, `postgres`, `rtsp`, `http`); null: no URL. */
  readonly scheme: string | null
}

/** How a run of a container came to its end, as far as the event stream told; see `EndedBy` of the model. */
export type ContainerEnd = 'itself' | 'kill' | 'stop' | 'unknown'

/**
 * What changes on the Docker host. `container`: this is how it is now; `end` says how its last run ended, where it does not
 * run any more. `stopping`: somebody has just asked it to end. Every change is told once; nothing is told while Docker is
 * away but `lost` and `back`, and after `back` whatever changed meanwhile.
 */
export type DockerChange =
  | {
      readonly type: 'container'
      readonly container: ContainerView
      readonly stopping: boolean
      readonly end: ContainerEnd | null
    }
  | { readonly type: 'removed'; readonly id: string }
  | { readonly type: 'lost'; readonly reason: string }
  | { readonly type: 'back' }

/** Calls of the Docker API that may be forbidden (a socket proxy): one missing disables what needs it, by name. */
export type DockerPermission = 'inspect' | 'events' | 'logs' | 'start' | 'stop' | 'restart' | 'unpause'

/** Where Docker is and how to get in. */
export interface DockerSettings {
  /** `unix:///var/run/docker.sock`, `tcp://host:2375`, `tcp://host:2376` with TLS; as DOCKER_HOST has it. */
  readonly host: string
  /** For tcp with TLS: PEM texts. null: plain. */
  readonly tls: { readonly ca: string | null; readonly cert: string | null; readonly key: string | null } | null
}

/** The shared view of one Docker host: one event stream, one sweep a second, however many look at it. */
export interface DockerHost extends AsyncDisposable {
  readonly settings: DockerSettings
  /** null while Docker answers; else since when (monotonic) and why it does not. */
  readonly lost: { readonly since: number; readonly reason: string } | null
  /** Negotiated, such as `1.41`. */
  readonly apiVersion: string
  /** What was refused so far, with what it disables, for people. */
  readonly denied: ReadonlyMap<DockerPermission, string>
  /** By id. As of the last look. */
  readonly containers: ReadonlyMap<string, ContainerView>
  /** How the last run of a container that does not run ended, as far as was seen. */
  endOf(id: string): ContainerEnd | null
  /** Changes from now on, in order. */
  watch(listener: (change: DockerChange) => void): Disposable
  /** A fresh look at one container. Rejects with MedykError ERR_NO_INSTANCE, ERR_RUNTIME, or by the signal. */
  inspect(id: string, signal: AbortSignal): Promise<ContainerView>
  start(id: string, signal: AbortSignal): Promise<void>
  /** SIGTERM (its stop signal), after `graceMs` SIGKILL; rounded up to whole seconds, as Docker wants them. */
  stop(id: string, graceMs: number, signal: AbortSignal): Promise<void>
  restart(id: string, graceMs: number, signal: AbortSignal): Promise<void>
  unpause(id: string, signal: AbortSignal): Promise<void>
  /** The last output of both streams, at most `maxBytes`, redacted. */
  logs(id: string, maxBytes: number, signal: AbortSignal): Promise<string>
}
