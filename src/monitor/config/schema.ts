import path from 'node:path'
import { defaultProbe, defaultRecoveryPolicy as policy, defaultStartupGraceMs } from '../model/index.ts'
import { formatDuration } from '@medyk/health/internal'
import { z } from 'zod'
import { duration } from './duration.ts'

/**
 * The option schemas of what can be configured, by kind; unknown keys are refused for them. A runtime's option called
 * `cwd` is a directory: the file may give it relative to itself, the runtime gets it absolute and always.
 */
export interface Kinds {
  readonly runtimes: Readonly<Record<string, z.ZodObject>>
  readonly probers: Readonly<Record<string, z.ZodObject>>
}

export const serverDefaults = { host: '127.0.0.1', port: 7700 } as const
export const stateDefault = '.medyk'
export const probeRoles = ['liveness', 'readiness', 'startup'] as const

const probeKeys = {
  interval: duration({
    describe: 'Time from one look to the next.',
    default: formatDuration(defaultProbe.intervalMs),
    min: 100,
    max: 3_600_000,
  }).optional(),
  timeout: duration({
    describe: 'Total time for one look: connect, headers and body.',
    default: formatDuration(defaultProbe.timeoutMs),
    min: 10,
    max: 60_000,
  }).optional(),
}

const startupGrace = duration({
  describe: 'Until its first success a fresh instance counts as starting, at most this long.',
  default: formatDuration(defaultStartupGraceMs),
  max: 86_400_000,
}).optional()

const recovery = z
  .strictObject({
    enabled: z.boolean().optional().meta({
      description: 'Whether Medyk acts on this service at all; it watches and explains either way.',
      default: policy.enabled,
    }),
    dryRun: z.boolean().optional().meta({
      description: 'Decide and tell what would be done, but do nothing.',
      default: false,
    }),
    restartHung: z
      .boolean()
      .optional()
      .meta({
        description:
          'Whether an instance that runs and does not answer may be restarted. Default: true, but false for what keeps data ' +
          '(databases, and containers with a named volume).',
      }),
    attempts: z.int().min(1).max(1_000).optional().meta({
      description: 'Actions allowed within the window; the next one quarantines the service instead. A count.',
      default: policy.attempts,
    }),
    window: duration({
      describe: 'The sliding window in which attempts are counted.',
      // The journal reads back the attempts of one day.
      max: 86_400_000,
      default: formatDuration(policy.windowMs),
    }).optional(),
    delays: z
      .array(duration({ describe: 'Delay before one attempt.', min: 0, max: 86_400_000 }))
      .min(1)
      .max(50)
      .optional()
      .meta({
        description: 'Delay before the first, second, … attempt; the last one repeats.',
        default: policy.delaysMs.map((ms) => (ms === 0 ? '0s' : formatDuration(ms))),
      }),
    jitter: z.number().min(0).max(1).optional().meta({
      description: 'Share by which a delay may deviate either way: 0.25 is a quarter. A ratio from 0 to 1.',
      default: policy.jitter,
    }),
    stopGrace: duration({
      describe: 'Time between SIGTERM and SIGKILL for an instance that hangs; 0s kills at once.',
      default: formatDuration(policy.stopGraceMs),
      min: 0,
      max: 600_000,
    }).optional(),
    quarantineRetry: duration({
      describe: 'Pause between single tries while the service is quarantined.',
      default: formatDuration(policy.quarantineRetryMs),
    }).optional(),
    stable: duration({
      describe: 'Healthy for this long after an action: the incident closes.',
      default: formatDuration(policy.stableMs),
    }).optional(),
  })
  .describe('How often and how hard Medyk may try to cure.')

function tokenFile(variable: string) {
  return z
    .string()
    .min(1)
    .max(1_024)
    .optional()
    .meta({
      description: `File with the token, relative to this file; nobody but its owner may read it. ${variable} and ${variable}_FILE win over it.`,
    })
}

const server = z
  .strictObject({
    host: z
      .string()
      .min(1)
      .max(253)
      .regex(/^[\w.:-]+$/, 'expected a host name or an IP address')
      .optional()
      .meta({
        description: 'Address that the API and the page listen on. MEDYK_HOST and --host win over it.',
        default: serverDefaults.host,
      }),
    port: z.int().min(0).max(65_535).optional().meta({
      description: 'TCP port of the API and the page; 0 takes any free one. MEDYK_PORT and --port win over it.',
      default: serverDefaults.port,
    }),
    tokens: z
      .strictObject({ viewerFile: tokenFile('MEDYK_VIEWER_TOKEN'), operatorFile: tokenFile('MEDYK_OPERATOR_TOKEN') })
      .optional()
      .describe(
        'Who may read and who may change. Without a viewer token everybody who reaches the API may read; without an operator token nobody may change anything.',
      ),
  })
  .describe('Where the daemon listens, and whom it lets in.')

/** As DOCKER_HOST has it. */
export const dockerHost = z
  .string()
  .regex(/^(?:unix:\/\/\/|tcp:\/\/[^/\s@])[^\s@]{0,1000}$/, 'expected unix:///path/to/docker.sock or tcp://host:port')
/** What compose itself takes for a project's name. */
export const projectName = z
  .string()
  .regex(/^[a-z0-9][a-z0-9_-]{0,127}$/, 'not a compose project; expected lower-case letters, digits, - and _')
export const maxProjects = 100

const docker = z
  .strictObject({
    host: dockerHost.optional().meta({
      description:
        "Where Docker is: unix:///path or tcp://host:port. DOCKER_HOST and --docker-host win over it. Default: Docker's own.",
    }),
    projects: z.array(projectName).max(maxProjects).optional().meta({
      description:
        'Compose projects to watch and to cure, without another word about their services. MEDYK_PROJECTS (with commas) and --project (once for each) win over it.',
      default: [],
    }),
    observe: z.boolean().optional().meta({
      description:
        'Watch and explain, and act on nothing that was discovered; without any project, every container of the host. MEDYK_OBSERVE and --observe win over it.',
      default: false,
    }),
  })
  .describe('What is discovered on a Docker host. What `services` says of a container wins over it.')

/** Lower case, as in DNS: a service name ends up in host names, metrics and file names. */
export const serviceName = z.string().regex(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/, {
  error: 'not a service name; expected 1 to 63 lower-case letters, digits and inner hyphens',
})

/**
 * The schema of the whole file. Its output has milliseconds for durations; absent keys stay absent. `directory` is the
 * absolute path of the one that the file stands in.
 */
export function configSchema(kinds: Kinds, directory: string) {
  const probe = probeSchema(kinds.probers)
  return z.strictObject({
    version: z.literal(1).describe('Version of this format; 1.'),
    server: server.optional(),
    state: z.string().min(1).max(1_024).optional().meta({
      description:
        'Directory for what Medyk must remember, relative to this file. MEDYK_STATE and --state win over it.',
      default: stateDefault,
    }),
    docker: docker.optional(),
    defaults: z
      .strictObject({
        probe: z.strictObject(probeKeys).optional().describe('For every probe that does not say otherwise.'),
        startupGrace,
        recovery: recovery.optional(),
      })
      .optional()
      .describe('What holds for every service that does not say otherwise, also for what is discovered.'),
    services: z
      .record(serviceName, serviceSchema(kinds.runtimes, probe, directory))
      .optional()
      .describe('The services to watch, by name.'),
  })
}

function serviceSchema(runtimes: Kinds['runtimes'], probe: ReturnType<typeof probeSchema>, directory: string) {
  const core = {
    runtime: z
      .enum(['none', ...Object.keys(runtimes)])
      .optional()
      .meta({
        description:
          'What runs it; its options stand under the key of the same name. none: watched only, never touched.',
        default: 'none',
      }),
    dependsOn: z
      .array(serviceName)
      .max(200)
      .optional()
      .describe('Services that this one needs. When one of them is the cause, this one is not restarted.'),
    probes: z
      .strictObject({
        liveness: probe
          .optional()
          .describe('Is it alive? A failure is a reason to restart; never let it test a dependency.'),
        readiness: probe.optional().describe('Can it serve? May depend on others.'),
        startup: probe.optional().describe('Has it finished starting?'),
      })
      .optional()
      .describe('How it is examined. A bare http:// or https:// URL stands for { kind: http, url: … }.'),
    startupGrace,
    recovery: recovery.optional(),
  }
  return z.strictObject({ ...core, ...optionsByKind(runtimes, core, directory) })
}

function optionsByKind(
  runtimes: Kinds['runtimes'],
  reserved: object,
  directory: string,
): Record<string, z.ZodOptional<z.ZodObject>> {
  const options: Record<string, z.ZodOptional<z.ZodObject>> = {}
  for (const [kind, schema] of Object.entries(runtimes)) {
    if (kind === 'none' || kind in reserved) throw new TypeError(`a runtime cannot be called ${kind}`)
    const { cwd } = schema.shape
    const located =
      cwd === undefined
        ? schema
        : schema.safeExtend({ cwd: locatedIn(directory).pipe(cwd as z.ZodType<unknown, string>) })
    options[kind] = located.strict().optional().describe(`Options of the runtime ${kind}.`)
  }
  return options
}

function locatedIn(directory: string) {
  return z
    .string()
    .min(1)
    .default('.')
    .describe("Directory to run in, relative to this file; by default the file's own.")
    .transform((given) => path.resolve(directory, given))
}

function probeSchema(probers: Kinds['probers']) {
  const variants = Object.entries(probers).map(([kind, schema]) => {
    for (const key of ['kind', ...Object.keys(probeKeys)]) {
      if (key in schema.shape) throw new TypeError(`the prober ${kind} cannot have an option called ${key}`)
    }
    return schema.safeExtend({ kind: z.literal(kind).describe('The prober.'), ...probeKeys }).strict()
  })
  const [first, ...others] = variants
  if (first === undefined) throw new TypeError('there has to be at least one prober')
  const full = z.discriminatedUnion('kind', [first, ...others])
  // The prober's own schema of a URL: the short form must not let through what the long one refuses.
  const url = probers['http']?.shape['url'] as z.ZodType<string> | undefined
  return url === undefined ? z.union([full]) : z.union([url.describe('Short for { kind: http, url: … }.'), full])
}
