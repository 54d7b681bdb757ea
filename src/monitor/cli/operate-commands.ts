import { randomUUID } from 'node:crypto'
import { userInfo } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { Command } from 'commander'
import { isMedykError, parseDuration, printable } from '@medyk/health/internal'
import type { ActionRow, RestartAccepted } from '../server/index.ts'
import { asking, clientOf, print, printJson, upTo, type AskOptions } from './asking.ts'
import type { ApiClient } from './client.ts'
import { auditTable, maintenanceTable } from './format.ts'

interface OperateOptions extends AskOptions {
  readonly for?: string
  readonly reason?: string
  readonly by?: string
  readonly wait?: boolean
}

/** An action may take its grace and half a minute; of several instances one comes after the other. */
const OUTCOME_MS = 120_000
const POLL_MS = 250

function operating(name: string, description: string): Command {
  return asking(name, description).option(
    '--by <name>',
    'who asks, for the record (default: the user name)',
    userName(),
  )
}

export function maintenanceCommand(): Command {
  const maintenance = new Command('maintenance').description(
    'Have a service left alone for a while: no incident, no action. Needs the operator’s token',
  )
  maintenance.addCommand(
    operating('start', 'Leave a service alone from now on; it ends by itself')
      .argument('<service>', 'name of the service')
      .requiredOption('--for <duration>', 'how long, such as 30m or 2h; at most 24h', duration)
      .requiredOption('--reason <text>', 'why, for those who wonder')
      .action(async (service: string, options: OperateOptions) => {
        const { reason = '', for: time = '' } = options
        const held = await clientOf(options).startMaintenance(service, { reason, for: time, ...byOf(options) })
        if (options.json) return printJson(held)
        print(printable(`${held.service} is left alone until ${held.until}: ${held.reason}`))
      }),
  )
  maintenance.addCommand(
    operating('end', 'Watch and cure a service again')
      .argument('<service>', 'name of the service')
      .action(async (service: string, options: OperateOptions) => {
        const left = await clientOf(options).endMaintenance(service, byOf(options))
        if (options.json) return printJson(left)
        const held = left.maintenance
        if (!held) return print(`${printable(service)} is watched and cured again`)
        print(printable(`still left alone until ${held.until}, by ${held.by}: ${held.reason}`))
      }),
  )
  maintenance.addCommand(
    asking('list', 'List what is left alone, by whom, why and until when').action(async (options: AskOptions) => {
      const list = await clientOf(options).maintenance()
      if (options.json) return printJson(list)
      print(list.maintenance.length > 0 ? maintenanceTable(list.maintenance, Date.now()) : 'Nothing is in maintenance.')
    }),
  )
  return maintenance
}

export function restartCommand(): Command {
  return operating(
    'restart',
    'Restart the running instances of a service, one after the other. Needs the operator’s token',
  )
    .argument('<service>', 'name of the service')
    .requiredOption('--reason <text>', 'why, for the record')
    .option('--no-wait', 'do not wait for what comes of it')
    .action(async (service: string, options: OperateOptions) => {
      const client = clientOf(options)
      const accepted = await client.restart(service, { reason: options.reason ?? '', ...byOf(options) }, randomUUID())
      const actions = options.wait === false ? [] : await outcomesOf(client, accepted)
      if (options.json) printJson({ ...accepted, outcomes: actions })
      else if (options.wait === false) print(`a restart of ${printable(service)} is under way: ${accepted.id}`)
      else
        for (const { id, instance } of accepted.actions)
          print(
            outcomeLine(
              instance,
              actions.find((row) => row.id === id),
            ),
          )
      const isDone = accepted.actions.every(({ id }) => actions.some((row) => row.id === id && row.result === 'done'))
      if (options.wait !== false && !isDone) process.exitCode = 1
    })
}

export function auditCommand(): Command {
  return asking('audit', 'Show who changed what, or tried to, newest first. Needs the operator’s token')
    .option('-n, --limit <count>', 'how many to show', upTo(1_000), 50)
    .action(async (options: AskOptions & { readonly limit: number }) => {
      const page = await clientOf(options).audit(options.limit)
      if (options.json) return printJson(page)
      print(page.audit.length > 0 ? auditTable(page.audit) : 'Nobody has changed anything.')
    })
}

/** What came of each action so far, when all have ended or time is up. */
async function outcomesOf(client: ApiClient, accepted: RestartAccepted): Promise<readonly ActionRow[]> {
  const found = new Map<string, ActionRow>()
  for (const end = performance.now() + OUTCOME_MS; ; await sleep(POLL_MS)) {
    for (const { id } of accepted.actions) {
      if (found.get(id)?.result) continue
      const row = await client.action(id).catch((error: unknown) => {
        // Not begun yet, or the daemon is away for a moment.
        if (isMedykError(error)) return null
        throw error
      })
      if (row) found.set(id, row)
    }
    const rows = accepted.actions.flatMap(({ id }) => found.get(id) ?? [])
    const isDone = rows.length === accepted.actions.length && rows.every((row) => row.result !== null)
    if (isDone || performance.now() > end) return rows
  }
}

function outcomeLine(instance: string, row: ActionRow | undefined): string {
  return printable(`${instance}: restart ${row?.result ?? 'has not ended yet'}${row?.detail ? `: ${row.detail}` : ''}`)
}

const byOf = ({ by }: OperateOptions) => (by ? { by } : {})

/** Refused here already, with what to write, rather than by the daemon. */
function duration(text: string): string {
  parseDuration(text)
  return text
}

function userName(): string | undefined {
  try {
    return userInfo().username
  } catch {
    return undefined
  }
}
