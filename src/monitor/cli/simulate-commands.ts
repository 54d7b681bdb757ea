import { styleText } from 'node:util'
import { Command, InvalidArgumentError } from 'commander'
import { formatDuration } from '@medyk/health/internal'
import { core } from '../app/index.ts'
import {
  formatStory,
  listScenarios,
  replayTrace,
  runSimulation,
  type BoundedRate,
  type RunReport,
} from '../simulation/index.ts'

interface SimulateOptions {
  readonly scenario: string
  readonly seed?: number
  readonly hours?: number
  readonly loss?: number
  readonly services?: number
  readonly json?: boolean
  readonly list?: boolean
}

const print = (text: string): void => void process.stdout.write(`${text}\n`)

const number = (min: number, max: number) => (text: string) => {
  const value = Number(text)
  if (text.trim() === '' || !(value >= min && value <= max))
    throw new InvalidArgumentError(`expected a number from ${min} to ${max}`)
  return value
}

export function simulateCommand(): Command {
  return new Command('simulate')
    .description('Run the daemon’s own decisions on simulated services, faults and networks, from a seed')
    .option('-s, --scenario <name>', 'what happens; --list shows all', 'fleet')
    .option('--list', 'list the scenarios')
    .option('--seed <number>', 'first seed; the same seed gives the same run', number(0, 2 ** 32 - 1))
    .option('--hours <number>', 'service-hours to reach by repeating the scenario', number(0.001, 1e6))
    .option('--loss <share>', 'share of packets lost each way, for example 0.05', number(0, 0.9))
    .option('--services <count>', 'size of the fleet', number(1, 10_000))
    .option('--json', 'print the report as JSON')
    .action(async (options: SimulateOptions) => {
      if (options.list) return listScenarios().forEach(({ name, title }) => print(`${name.padEnd(24)} ${title}`))
      const { scenario, seed, hours, loss, services } = options
      const report = await runSimulation({
        core,
        scenario,
        ...(seed === undefined ? {} : { seed }),
        ...(hours === undefined ? {} : { hours }),
        ...(loss === undefined ? {} : { loss }),
        ...(services === undefined ? {} : { services }),
        onProgress: progressOn(process.stderr),
      })
      if (process.stderr.isTTY) process.stderr.write('\r\u001b[K')
      print(options.json ? JSON.stringify(report, null, 2) : reportText(report))
      if (report.failed > 0) process.exitCode = 1
    })
}

function progressOn(stream: NodeJS.WriteStream) {
  const began = performance.now()
  return ({ done, of }: { readonly done: number; readonly of: number }) => {
    if (!stream.isTTY || performance.now() - began < 1_000) return
    stream.write(
      `\r${Math.round((100 * done) / of)} % of ${of.toFixed(0)} service-hours, ${formatDuration(performance.now() - began)}\u001b[K`,
    )
  }
}

function reportText(report: RunReport): string {
  const { figures, falsePositives } = report
  const shown = ({ rate, atMost95 }: BoundedRate, unit: string) =>
    `${rate.toPrecision(3)} ${unit} (at most ${atMost95.toPrecision(3)} at 95 %)`
  const lines = [
    `${report.title}: ${report.runs} ${report.runs === 1 ? 'run' : 'runs'} from seed ${report.seed}, ${figures.serviceHours.toFixed(1)} service-hours, ${figures.attempts} probes, in ${formatDuration(report.elapsedMs)}`,
    `declarations      ${figures.declarations}`,
    `false positives   ${falsePositives.count}: ${falsePositives.perDeclaration ? `${shown(falsePositives.perDeclaration, 'a declaration')}, ` : ''}${shown(falsePositives.perServiceHour, 'a service-hour')}`,
    `healthy restarts  ${falsePositives.healthyRestarts}`,
  ]
  for (const failure of report.failures)
    lines.push(
      '',
      styleText('red', `seed ${failure.seed}: ${failure.problems.join('; ')}`),
      failure.replay,
      ...failure.story,
    )
  if (report.failed > report.failures.length)
    lines.push(`… and ${report.failed - report.failures.length} more runs that did not end as expected`)
  return lines.join('\n')
}

export function replayCommand(): Command {
  return new Command('replay')
    .description('Run a recorded trace through the same decisions and compare what comes out')
    .argument('<file>', 'trace that `medyk serve --record` wrote')
    .option('--json', 'print the report as JSON')
    .option('--story', 'tell what happened, line by line')
    .action(async (file: string, options: { readonly json?: boolean; readonly story?: boolean }) => {
      const report = await replayTrace(file, core)
      if (!report.identical) process.exitCode = 1
      if (options.json) return print(JSON.stringify(report, null, 2))
      print(
        `${report.lines} lines, ${report.detections} inputs of detection and ${report.coreEvents} of the core over ${formatDuration(report.spanMs)}, recorded by ${report.by} at ${report.startedAt}`,
      )
      if (options.story) formatStory(report.story).forEach(print)
      if (report.truncated) print('The last line is cut off: the recorder was ended while it wrote.')
      if (report.stopped) print(`The recording stopped by itself: ${report.stopped}`)
      const { difference } = report
      if (!difference) return print(styleText('green', 'Identical: every verdict and every decision came out again.'))
      print(styleText('red', `Different from line ${difference.line} on, in ${difference.part}`))
      print(`  recorded: ${difference.recorded ?? 'nothing'}\n  replayed: ${difference.replayed ?? 'nothing'}`)
    })
}
