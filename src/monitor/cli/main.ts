import { readFileSync } from 'node:fs'
import { Command } from 'commander'
import { isMedykError, messageOf } from '@medyk/health/internal'
import { ConfigError } from '../config/index.ts'

/** Each loaded when it is asked for: the daemon need not hold tables, nor a command the daemon. */
const commands: Readonly<Record<string, (version: string) => Promise<Command>>> = {
  serve: async (version) => (await import('./serve-commands.ts')).serveCommand(version),
  status: async () => (await import('./read-commands.ts')).statusCommand(),
  incidents: async () => (await import('./read-commands.ts')).incidentsCommand(),
  coverage: async () => (await import('./coverage-command.ts')).coverageCommand(),
  maintenance: async () => (await import('./operate-commands.ts')).maintenanceCommand(),
  restart: async () => (await import('./operate-commands.ts')).restartCommand(),
  audit: async () => (await import('./operate-commands.ts')).auditCommand(),
  config: async () => (await import('./serve-commands.ts')).configCommand(),
  simulate: async () => (await import('./simulate-commands.ts')).simulateCommand(),
  replay: async () => (await import('./simulate-commands.ts')).replayCommand(),
}

/** Of the package, read rather than imported: the file lies one folder higher in the build than in the source. */
export function packageVersion(): string {
  for (const file of ['../package.json', '../../package.json']) {
    try {
      const manifest = JSON.parse(readFileSync(new URL(file, import.meta.url), 'utf8')) as {
        name?: string
        version?: string
      }
      if (manifest.name === 'medyk' && manifest.version) return manifest.version
    } catch {
      // Looked for in the other place.
    }
  }
  return '0.0.0'
}

/** All commands, or just the one that is named. */
export async function program(named?: string): Promise<Command> {
  const version = packageVersion()
  const root = new Command('medyk')
    .description('Watches services, finds the root cause of an illness and cures it within a budget')
    .version(version, '-V, --version')
    .showHelpAfterError('(run `medyk --help` for what there is)')
    .enablePositionalOptions()
  const only = named !== undefined && Object.hasOwn(commands, named) ? commands[named] : undefined
  for (const load of only ? [only] : Object.values(commands)) root.addCommand(await load(version))
  return root
}

/** Runs one command. Errors go to stderr: what, and on a line of its own what to do; the exit code is 1. */
export async function main(argv: readonly string[]): Promise<void> {
  // As with `| head`: who read has had enough. The daemon goes on without a reader.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (argv[2] === 'serve') return
    if (error.code !== 'EPIPE') throw error
    process.exit()
  })
  try {
    const root = await program(argv[2])
    await root.parseAsync([...argv])
  } catch (error) {
    // Problems of a file begin with their place, so that editors and CI can link to it.
    process.stderr.write(error instanceof ConfigError ? `${error.message}\n` : `medyk: ${messageOf(error)}\n`)
    if (isMedykError(error) && error.hint) process.stderr.write(`  → ${error.hint}\n`)
    // A command may have said what is more fitting.
    process.exitCode ??= 1
  }
}
