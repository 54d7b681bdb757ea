import path from 'node:path'
import { z } from 'zod'
import { serviceDefaults, type Config } from './build.ts'
import { ConfigError, quote, type Problem } from './problem.ts'
import { resolveDocker } from './resolve-docker.ts'
import { serverDefaults, stateDefault } from './schema.ts'

/** What may be said outside the file. Empty text counts as not said. */
export interface Overrides {
  readonly host?: string | undefined
  readonly port?: string | number | undefined
  readonly state?: string | undefined
  readonly dockerHost?: string | undefined
  /** Compose projects; none counts as not said. */
  readonly project?: readonly string[] | undefined
  readonly observe?: boolean | undefined
}

interface Sources {
  /** null: no file; the daemon runs on what else it learns. */
  readonly file: Config | null
  readonly env: Readonly<Record<string, string | undefined>>
  readonly flags?: Overrides
  /** What relative paths in `env` and `flags` refer to, and where state goes without a file. */
  readonly cwd: string
}

/** flags > environment > file > defaults, key by key. Throws ConfigError that names each flag or variable that is wrong. */
export function resolveConfig({ file, env, flags = {}, cwd }: Sources): Config {
  const problems: Problem[] = []
  const pick = (flag: 'host' | 'port' | 'state'): { text: string; from: string } | null => {
    const variable = `MEDYK_${flag.toUpperCase()}`
    const [given, set] = [flags[flag], env[variable]]
    if (given !== undefined && given !== '') return { text: String(given), from: `--${flag}` }
    return set === undefined || set === '' ? null : { text: set, from: variable }
  }
  const wrong = (from: string, message: string) => problems.push({ file: from, at: null, message })

  const host = pick('host')
  if (host !== null && !/^[\w.:-]{1,253}$/.test(host.text)) {
    wrong(host.from, `${quote(host.text)} is not a host; expected a host name or an IP address`)
  }
  const port = pick('port')
  const number = z
    .int()
    .min(0)
    .max(65_535)
    .safeParse(port !== null && /^\d{1,5}$/.test(port.text) ? Number(port.text) : null)
  if (port !== null && !number.success) {
    wrong(port.from, `${quote(port.text)} is not a port; expected a whole number from 0 to 65535`)
  }
  const state = pick('state')
  const docker = resolveDocker(file?.docker ?? null, env, flags, wrong)
  if (problems.length > 0) {
    throw new ConfigError(problems, {
      hint: 'correct or unset what is named; flags win over the environment, and that over the file',
    })
  }
  return {
    file: file?.file ?? null,
    directory: file?.directory ?? path.resolve(cwd),
    server: {
      host: host?.text ?? file?.server.host ?? serverDefaults.host,
      port: number.data ?? file?.server.port ?? serverDefaults.port,
      ...(file?.server.tokens === undefined ? {} : { tokens: file.server.tokens }),
    },
    stateDir: state === null ? (file?.stateDir ?? path.resolve(cwd, stateDefault)) : path.resolve(cwd, state.text),
    services: file?.services ?? [],
    docker,
    defaults: file?.defaults ?? serviceDefaults,
  }
}
