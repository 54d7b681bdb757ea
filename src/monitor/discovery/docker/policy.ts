import {
  defaultRecoveryPolicy,
  defaultStartupGraceMs,
  type RecoveryPolicy,
  type ServiceSpec,
} from '../../model/index.ts'

/** What holds for a service that nobody has said anything about. Milliseconds. */
export interface DockerDefaults {
  /** Twice the usual: nobody asked a foreign service whether it likes to be looked at. */
  readonly intervalMs: number
  readonly timeoutMs: number
  /** The least; a longer `start_period` of a HEALTHCHECK wins. */
  readonly startupGraceMs: number
  readonly recovery: RecoveryPolicy
}

export interface DockerPolicy {
  /** Compose projects to watch; null: every container of the host. */
  readonly projects: readonly string[] | null
  /** Look and explain, but act on nothing. */
  readonly observe: boolean
  /** What the config file defines already. A container that one of them means is not discovered a second time. */
  readonly services: readonly ServiceSpec[]
  readonly defaults: DockerDefaults
}

export const dockerDefaults: DockerDefaults = {
  intervalMs: 2_000,
  timeoutMs: 1_300,
  startupGraceMs: defaultStartupGraceMs,
  recovery: defaultRecoveryPolicy,
}

/**
 * The policy for what somebody has configured: the projects that are named, or with `observe` and none named every
 * container. A default that is null leaves it to this room.
 */
export function dockerPolicy(
  docker: { readonly projects: readonly string[]; readonly observe: boolean },
  services: readonly ServiceSpec[],
  defaults: { readonly [Key in keyof DockerDefaults]: DockerDefaults[Key] | null },
): DockerPolicy {
  const { intervalMs, timeoutMs, startupGraceMs, recovery } = defaults
  return {
    projects: docker.observe && docker.projects.length === 0 ? null : docker.projects,
    observe: docker.observe,
    services,
    defaults: {
      intervalMs: intervalMs ?? dockerDefaults.intervalMs,
      timeoutMs: timeoutMs ?? dockerDefaults.timeoutMs,
      startupGraceMs: startupGraceMs ?? dockerDefaults.startupGraceMs,
      recovery: recovery ?? dockerDefaults.recovery,
    },
  }
}
