import { setTimeout as sleep } from 'node:timers/promises'
import type { Command } from 'commander'
import { messageOf } from '@medyk/health/internal'
import { asking, clientOf, print, printJson, upTo, type AskOptions } from './asking.ts'
import type { ApiClient } from './client.ts'
import { incidentsTable, incidentStory, maintenanceTable, servicesTable, summaryLine } from './format.ts'

interface ReadOptions extends AskOptions {
  readonly watch?: boolean
  readonly limit?: number
}

export function statusCommand(): Command {
  return asking('status', 'Show every service: status, cause, and what is being done about it')
    .option('-w, --watch', 'keep showing it, once a second')
    .action(async (options: ReadOptions) => {
      const client = clientOf(options)
      if (!options.watch) return print(await statusText(client, options.json ?? false))
      const terminal = process.stdout.isTTY
      for (;;) {
        const text = await statusText(client, options.json ?? false).catch(
          (error: unknown) => `${messageOf(error)} (trying on)`,
        )
        // Home and clear below rather than clear all: no flicker.
        print(terminal ? `\u001b[H\u001b[J${text}` : text)
        await sleep(1_000)
      }
    })
}

async function statusText(client: ApiClient, json: boolean): Promise<string> {
  const [{ services }, { incidents }, open, { maintenance }] = await Promise.all([
    client.services(),
    client.incidents(5),
    client.openIncidents(),
    client.maintenance(),
  ])
  if (json) return JSON.stringify({ services, incidents, maintenance }, null, 2)
  const wall = Date.now()
  const quarantined = new Set(
    open.incidents.filter((row) => row.quarantinedSince && !row.recoveredAt).map((row) => row.service),
  )
  const parts = [summaryLine(services), '', servicesTable(services, wall, quarantined)]
  if (maintenance.length > 0) parts.push('', 'In maintenance', maintenanceTable(maintenance, wall))
  if (incidents.length > 0) parts.push('', 'Last incidents', incidentsTable(incidents, wall))
  return parts.join('\n')
}

export function incidentsCommand(): Command {
  return asking('incidents', 'List incidents, newest first, or tell the whole story of one')
    .argument('[id]', 'the incident to tell')
    .option('-n, --limit <count>', 'how many to list', upTo(200), 20)
    .action(async (id: string | undefined, options: ReadOptions) => {
      const client = clientOf(options)
      if (id !== undefined) {
        const row = await client.incident(id)
        return options.json ? printJson(row) : print(incidentStory(row))
      }
      const page = await client.incidents(options.limit ?? 20)
      if (options.json) return printJson(page)
      print(page.incidents.length > 0 ? incidentsTable(page.incidents, Date.now()) : 'No incidents.')
    })
}
