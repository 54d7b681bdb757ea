import { setTimeout as sleep } from 'node:timers/promises'
import { Command, InvalidArgumentError } from 'commander'
import { messageOf } from '@medyk/health/internal'
import { ApiClient, apiBase } from './client.ts'
import { incidentsTable, incidentStory, servicesTable, summaryLine } from './format.ts'

interface ReadOptions {
  readonly url?: string
  readonly json?: boolean
  readonly watch?: boolean
  readonly limit?: number
}

const print = (text: string): void => void process.stdout.write(`${text}\n`)
const clientOf = (options: ReadOptions) => new ApiClient(apiBase(options.url, process.env))

function reading(name: string, description: string): Command {
  return new Command(name)
    .description(description)
    .option('--url <url>', 'where the daemon is (default: MEDYK_URL, or http://127.0.0.1:7700)')
    .option('--json', 'print the API’s answer as JSON')
}

export function statusCommand(): Command {
  return reading('status', 'Show every service: status, cause, and what is being done about it')
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
  const [{ services }, { incidents }, open] = await Promise.all([
    client.services(),
    client.incidents(5),
    client.openIncidents(),
  ])
  if (json) return JSON.stringify({ services, incidents }, null, 2)
  const wall = Date.now()
  const quarantined = new Set(
    open.incidents.filter((row) => row.quarantinedSince && !row.recoveredAt).map((row) => row.service),
  )
  const parts = [summaryLine(services), '', servicesTable(services, wall, quarantined)]
  if (incidents.length > 0) parts.push('', 'Last incidents', incidentsTable(incidents, wall))
  return parts.join('\n')
}

export function incidentsCommand(): Command {
  return reading('incidents', 'List incidents, newest first, or tell the whole story of one')
    .argument('[id]', 'the incident to tell')
    .option('-n, --limit <count>', 'how many to list', limit, 20)
    .action(async (id: string | undefined, options: ReadOptions) => {
      const client = clientOf(options)
      if (id !== undefined) {
        const row = await client.incident(id)
        return print(options.json ? JSON.stringify(row, null, 2) : incidentStory(row))
      }
      const page = await client.incidents(options.limit ?? 20)
      if (options.json) return print(JSON.stringify(page, null, 2))
      print(page.incidents.length > 0 ? incidentsTable(page.incidents, Date.now()) : 'No incidents.')
    })
}

function limit(text: string): number {
  const count = Number(text)
  if (!Number.isInteger(count) || count < 1 || count > 200)
    throw new InvalidArgumentError('expected a number from 1 to 200')
  return count
}
