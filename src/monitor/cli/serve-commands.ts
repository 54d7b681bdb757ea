import { existsSync } from 'node:fs'
import path from 'node:path'
import { Command } from 'commander'
import pino from 'pino'
import { MedykError, redact, systemClock, type Logger } from '@medyk/health/internal'
import { loadKinds, startDaemon } from '../app/index.ts'
import { jsonSchemaOf, loadConfig, loadTokens, resolveConfig, type Config } from '../config/index.ts'
import { LogSink } from './log-sink.ts'

interface ServeOptions {
  readonly config?: string
  readonly host?: string
  readonly port?: string
  readonly state?: string
  readonly logFile?: string
  readonly record?: string
  readonly leaveRunning?: boolean
  readonly project?: readonly string[]
  readonly observe?: boolean
  readonly dockerHost?: string
}

const DEFAULT_FILE = 'medyk.yaml'
/** npm, a shell and a terminal may each pass the same Ctrl-C on: what comes this soon is the first one again. */
const SAME_SIGNAL_MS = 1_000

export function serveCommand(version: string): Command {
  return new Command('serve')
    .description('Run the daemon: watch the services of a config file or of compose projects, cure what is ill')
    .option('-p, --project <name>', 'watch and cure this compose project; may be given more than once', collect)
    .option('--observe', 'watch and explain only, act on nothing; without --project every container of the host')
    .option('--docker-host <address>', 'where Docker is (default: DOCKER_HOST, or unix:///var/run/docker.sock)')
    .option('-c, --config <file>', `config file (default: ${DEFAULT_FILE} in this directory, if there is one)`)
    .option('--host <host>', 'address to listen on (default: 127.0.0.1)')
    .option('--port <port>', 'port of the API and the page (default: 7700)')
    .option('--state <directory>', 'where the journal and the state of processes are kept (default: .medyk)')
    .option('--log-file <file>', 'write the log there instead of to stderr; past 10 MiB it becomes <file>.1')
    .option('--record <file>', 'record a trace of everything that is seen and decided, for `medyk replay`')
    .option('--leave-running', 'when the daemon is stopped, let the services run on; the next one takes them over')
    .action((options: ServeOptions) => serve(options, version))
}

async function serve(options: ServeOptions, version: string): Promise<void> {
  const config = await configOf(options)
  const tokens = await loadTokens({ config, env: process.env, cwd: process.cwd() })
  surviveLostReaders()
  const file = options.logFile ? path.resolve(options.logFile) : null
  const sink = new LogSink({ file, now: () => new Date(systemClock.wall()).toISOString() })
  const log = pino(
    {
      base: { service: 'medyk', version },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (level) => ({ level }) },
    },
    sink,
  )
  const stop = Promise.withResolvers<NodeJS.Signals>()
  listenForSignals(stop.resolve)
  const daemon = await startDaemon({
    config,
    version,
    clock: systemClock,
    logger: redacting(log, sink),
    tokens,
    record: options.record ?? null,
  })
  process.stdout.write(`Medyk ${version} watches ${countOf(daemon.watched)}: ${daemon.url}\n`)
  const signal = await stop.promise
  log.info({ signal }, 'stopping')
  await daemon.stop({ stopServices: options.leaveRunning !== true })
}

const countOf = (services: number) => `${services} ${services === 1 ? 'service' : 'services'}`
const collect = (name: string, before: readonly string[] = []) => [...before, name]

async function configOf(options: ServeOptions): Promise<Config> {
  const named = options.config ?? process.env['MEDYK_CONFIG']
  const file = named ?? (existsSync(DEFAULT_FILE) ? DEFAULT_FILE : null)
  const { host, port, state, project, observe, dockerHost } = options
  const config = resolveConfig({
    file: file === null ? null : await loadConfig(file, await loadKinds()),
    env: process.env,
    flags: { host, port, state, project, observe, dockerHost },
    cwd: process.cwd(),
  })
  if (file === null && !isToldWhatToWatch(config)) {
    throw new MedykError('ERR_NO_CONFIG', `there is no ${DEFAULT_FILE} in ${process.cwd()}, and no project is named`, {
      hint: 'watch a compose project with --project NAME, look at a whole Docker host with --observe, or name a file with --config',
    })
  }
  return config
}

/** A Docker host alone is no order: what nobody named is not cured. */
const isToldWhatToWatch = ({ docker }: Config) => docker !== null && (docker.projects.length > 0 || docker.observe)

/** Who started the daemon may close its terminal or fill the disk behind it: it watches on, and only its words are lost. */
function surviveLostReaders(): void {
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined)
}

function listenForSignals(first: (signal: NodeJS.Signals) => void): void {
  let since: number | null = null
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(name, () => {
      const now = systemClock.mono()
      if (since === null) {
        since = now
        first(name)
      } else if (now - since > SAME_SIGNAL_MS) {
        process.stderr.write(
          'medyk: stopped at once by a second signal; services may still run, the next daemon takes them over\n',
        )
        process.exit(130)
      }
    })
  }
}

/** pino as our Logger; every text that leaves goes through the one redactor. */
function redacting(log: pino.Logger, sink: LogSink): Logger {
  const clean = (fields: object): object => JSON.parse(redact(JSON.stringify(fields))) as object
  const at = (level: 'debug' | 'info' | 'warn' | 'error') => (fields: object, message: string) => {
    try {
      log[level](clean(fields), redact(message))
    } catch {
      // Not logged: what failed is the log.
      sink.drop()
    }
  }
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') }
}

export function configCommand(): Command {
  const config = new Command('config').description('Check a config file, or print the JSON Schema of one')
  config
    .command('validate')
    .description('Check a config file as the daemon would, and list every problem with its place')
    .argument('[file]', 'config file', DEFAULT_FILE)
    .action(async (file: string) => {
      const { services } = await loadConfig(file, await loadKinds())
      process.stdout.write(
        `${file} is valid: ${countOf(services.length)}${services.length > 0 ? ` (${services.map((spec) => spec.name).join(', ')})` : ''}\n`,
      )
    })
  config
    .command('schema')
    .description('Print the JSON Schema of the config file, for editors')
    .action(async () => void process.stdout.write(jsonSchemaOf(await loadKinds())))
  return config
}
