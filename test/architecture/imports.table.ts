/**
 * Who may import whom: the one place where it is decided. `imports.test.ts` holds the sources to it and
 * `docs/architecture.md` is drawn from it (`npm run generate`).
 *
 * The rooms stand in the order of the way of data. A room imports only what stands above it, and the steps from
 * discovery to runtimes never one another: `app` alone wires them.
 */
export interface Room {
  /** Folder or file from the repository's root. The longest path that fits a file is its room. */
  readonly path: string
  readonly purpose: string
  /** Rooms it may import. */
  readonly imports: readonly string[]
  /** Rooms of which it may import types, and only types. */
  readonly types?: readonly string[]
  /** npm packages it may import; each must stand in the manifest of its workspace as well. */
  readonly packages?: readonly string[]
  /** Of `health/internal` only what neither reads a clock nor waits; no npm package; nothing of Node. */
  readonly pure?: true
  /** Runs in a browser: nothing of Node, and its packages are bundled, so they may be devDependencies. */
  readonly browser?: true
  /** Never shipped: its packages may be devDependencies. */
  readonly development?: true
}

const library = ['health', 'health/internal'] as const
const steps = ['discovery', 'probing', 'detection', 'diagnosis', 'recovery', 'alerting', 'journal', 'runtimes'] as const

/** What pure rooms may take from `health/internal`: functions of their arguments. */
export const pureNames: readonly string[] = [
  'MedykError',
  'isMedykError',
  'messageOf',
  'redact',
  'printable',
  'parseDuration',
  'formatDuration',
  'Logger',
  'Clock',
]

/** What a service installs with `@medyk/health`: nothing else, ever. Drivers and servers belong to the caller. */
export const libraryDependencies: readonly string[] = ['@prometheus-io/client', 'cockatiel']

export const rooms: Readonly<Record<string, Room>> = {
  'health/internal': {
    path: 'src/shared/health/internal',
    purpose: 'Clock, MedykError, redactor, deadlines: what our own packages of the same version share',
    imports: [],
  },
  'health/core': {
    path: 'src/shared/health',
    purpose: 'Check, registry, report, metrics, circuit breaker: what a service registers and what becomes of it',
    imports: ['health/internal'],
    packages: ['@prometheus-io/client', 'cockatiel'],
  },
  'health/checks': {
    path: 'src/shared/health/checks',
    purpose: 'One file a check',
    imports: ['health/core', 'health/internal'],
  },
  'health/endpoints': {
    path: 'src/shared/health/endpoints',
    purpose: '/health, /ready, /startup and /metrics as a web-standard handler, and its adapters',
    imports: ['health/core', 'health/internal'],
  },
  'health/rtsp': {
    path: 'src/shared/health/rtsp',
    purpose: 'RTSP signalling, RTP, the stream watch and a replay server',
    imports: ['health/core', 'health/internal'],
  },
  'health/testing': {
    path: 'src/shared/health/testing',
    purpose: 'FakeClock and the contract suite that any check must pass',
    imports: ['health/core', 'health/internal'],
  },
  health: {
    path: 'src/shared/health/index.ts',
    purpose: 'What a service imports as @medyk/health',
    imports: ['health/internal', 'health/core', 'health/checks', 'health/endpoints'],
  },
  model: {
    path: 'src/monitor/model',
    purpose: 'The nouns and the ports: service, instance, observation, verdict, incident, action, runtime',
    imports: [],
    pure: true,
  },
  docker: {
    path: 'src/monitor/docker',
    purpose: 'One Docker host: a small client of its API, and one shared view of its containers',
    imports: ['model', ...library],
  },
  discovery: {
    path: 'src/monitor/discovery',
    purpose: 'What exists: sources of services and instances',
    imports: ['model', ...library, 'docker'],
    packages: ['zod'],
  },
  'probing/schedule': {
    path: 'src/monitor/probing/schedule',
    purpose: 'When to probe: cadence, hedges, phases',
    imports: ['model', 'health/internal'],
    pure: true,
  },
  'probing/probers': {
    path: 'src/monitor/probing/probers',
    purpose: 'How to look: one file a prober',
    imports: ['model', ...library],
    packages: ['zod'],
  },
  probing: {
    path: 'src/monitor/probing',
    purpose: 'Observe: runs probes by the schedule and yields observations',
    imports: ['model', ...library, 'probing/schedule', 'probing/probers'],
    packages: ['zod'],
  },
  detection: {
    path: 'src/monitor/detection',
    purpose: 'Judge: observations become verdicts',
    imports: ['model', 'health/internal'],
    pure: true,
  },
  diagnosis: {
    path: 'src/monitor/diagnosis',
    purpose: 'Explain: verdicts and the dependency graph become causes and incidents',
    imports: ['model', 'health/internal'],
    pure: true,
  },
  'recovery/decide': {
    path: 'src/monitor/recovery/decide',
    purpose: 'What to do, when, within which budget',
    imports: ['model', 'health/internal'],
    pure: true,
  },
  recovery: {
    path: 'src/monitor/recovery',
    purpose: 'Act: carries actions out, intent before and outcome after',
    imports: ['model', ...library, 'recovery/decide'],
  },
  alerting: {
    path: 'src/monitor/alerting',
    purpose: 'Tell: incidents leave as alerts',
    imports: ['model', ...library],
    packages: ['zod'],
  },
  journal: {
    path: 'src/monitor/journal',
    purpose: 'Remember: the append-only record in SQLite',
    imports: ['model', ...library],
  },
  runtimes: {
    path: 'src/monitor/runtimes',
    purpose: 'Where services run: one runtime a folder, one contract for all',
    imports: ['model', ...library, 'docker'],
    packages: ['zod'],
  },
  config: {
    path: 'src/monitor/config',
    purpose: 'The strict configuration file, every problem with its place',
    imports: ['model', ...library, ...steps, 'probing/probers'],
    packages: ['yaml', 'zod'],
  },
  simulation: {
    path: 'src/monitor/simulation',
    purpose: 'The same pure core under a virtual clock, with simulated services and faults',
    imports: ['model', ...library, 'health/testing', ...steps, 'probing/schedule', 'recovery/decide'],
  },
  'server/schemas': {
    path: 'src/monitor/server/schemas.ts',
    purpose: 'What the API says, as schemas: the OpenAPI document and the types come from them',
    imports: [],
    packages: ['@hono/zod-openapi'],
  },
  'server/api': {
    path: 'src/monitor/server/api.ts',
    purpose: 'The types of the API, and nothing but types',
    imports: [],
    types: ['server/schemas'],
    packages: ['@hono/zod-openapi'],
  },
  server: {
    path: 'src/monitor/server',
    purpose: 'HTTP API and event stream',
    imports: ['model', ...library, 'config', 'server/schemas', 'server/api'],
    types: [...steps, 'simulation'],
    packages: ['hono', '@hono/node-server', '@hono/zod-openapi', '@prometheus-io/client', 'zod'],
  },
  web: {
    path: 'src/monitor/web',
    purpose: 'The dashboard',
    imports: [],
    types: ['server/api'],
    packages: ['preact', '@preact/signals', '@dagrejs/dagre'],
    browser: true,
  },
  'web/build': {
    path: 'src/monitor/web/vite.config.ts',
    purpose: 'How the dashboard is bundled',
    imports: [],
    packages: ['vite', '@preact/preset-vite'],
    development: true,
  },
  app: {
    path: 'src/monitor/app',
    purpose: 'Composition root and lifecycle: the only room that wires the steps',
    imports: [
      'model',
      ...library,
      ...steps,
      'probing/schedule',
      'probing/probers',
      'recovery/decide',
      'docker',
      'config',
      'simulation',
      'server',
      'server/api',
    ],
    packages: ['@prometheus-io/client', 'zod'],
  },
  cli: {
    path: 'src/monitor/cli',
    purpose: 'The commands of medyk',
    imports: ['model', ...library, ...steps, 'docker', 'config', 'simulation', 'server', 'server/api', 'app'],
    packages: ['commander', 'cli-table3', 'pino'],
  },
  bin: {
    path: 'src/monitor/bin',
    purpose: 'Checks the version of Node, then hands over to the CLI',
    imports: ['cli'],
  },
  'examples/detektor': {
    path: 'examples/detektor',
    purpose: 'A small video pipeline: what a user of the library would write',
    imports: ['health', 'health/rtsp'],
    packages: ['pg'],
  },
}
