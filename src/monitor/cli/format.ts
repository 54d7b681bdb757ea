import { stripVTControlCharacters, styleText } from 'node:util'
import Table from 'cli-table3'
import { formatDuration, printable } from '@medyk/health/internal'
import { wallOf } from '../model/index.ts'
import type {
  AuditRow,
  CoverageReport,
  Forensics,
  IncidentDetail,
  IncidentRow,
  MaintenanceRow,
  ServiceRow,
} from '../server/index.ts'

type Style = Parameters<typeof styleText>[0]

const STATUS: Readonly<Record<ServiceRow['status'], readonly [string, Style]>> = {
  healthy: ['●', 'green'],
  degraded: ['◐', 'yellow'],
  unhealthy: ['✗', 'red'],
  starting: ['◌', 'cyan'],
  unknown: ['?', 'magenta'],
}

/** Colour where it is wanted: a terminal, and no NO_COLOR. styleText knows the rules. */
const paint = (style: Style, text: string) => styleText(style, text, { stream: process.stdout })

export function statusWord(status: ServiceRow['status']): string {
  const [mark, style] = STATUS[status]
  return paint(style, `${mark} ${status}`)
}

const bare = {
  chars: Object.fromEntries(
    ['top', 'top-mid', 'top-left', 'top-right', 'bottom', 'bottom-mid', 'bottom-left', 'bottom-right', 'left']
      .concat(['left-mid', 'mid', 'mid-mid', 'right', 'right-mid'])
      .map((key) => [key, '']),
  ),
  style: { head: [], border: [], 'padding-left': 0, 'padding-right': 1 },
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const out = new Table({
    ...bare,
    chars: { ...bare.chars, middle: ' ' },
    head: head.map((text) => paint('dim', text)),
  })
  out.push(...rows.map((row) => [...row]))
  return out
    .toString()
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n')
}

const ago = (iso: string | null, wall: number) =>
  iso === null ? '' : formatDuration(Math.max(0, Math.floor((wall - wallOf(iso)) / 1_000) * 1_000))

/** Between two columns: the padding of the left one and the separator. */
const GAP = 2

/** What the columns leave of a terminal's width. A pipe or a file has none: nothing is cut there. */
function room(head: readonly string[], rows: readonly (readonly string[])[]): number {
  const { columns } = process.stdout
  if (!columns) return 1_000
  const widths = head.map((text, i) =>
    Math.max(text.length, ...rows.map((row) => stripVTControlCharacters(row[i] ?? '').length)),
  )
  return Math.max(12, columns - 1 - widths.reduce((sum, width) => sum + width + GAP, 0))
}

/** `quarantined`: names of the services that are left alone because their budget is spent. */
export function servicesTable(services: readonly ServiceRow[], wall: number, quarantined: ReadonlySet<string>): string {
  const head = ['SERVICE', 'STATUS', 'CAUSE', 'SINCE', 'PID', 'RESTARTS']
  const rows = services.map((row) => [
    row.name,
    statusWord(row.status),
    row.cause ?? '',
    ago(row.since, wall),
    row.instances.map((instance) => instance.pid ?? '-').join(','),
    String(row.instances.reduce((sum, instance) => sum + instance.restarts, 0)),
  ])
  // Cut, not wrapped: a table whose rows break is no table.
  const left = room(head, rows)
  const reasons = services.map(({ name, reason }) =>
    printable([quarantined.has(name) ? 'quarantined' : '', reason ?? ''].filter(Boolean).join(': '), left),
  )
  return table(
    [...head, 'REASON'],
    rows.map((row, i) => [...row, reasons[i] ?? '']),
  )
}

export function incidentsTable(incidents: readonly IncidentRow[], wall: number): string {
  const rows = incidents.map((row) => {
    const last = row.actions.at(-1)
    return [
      ago(row.openedAt, wall),
      row.service,
      row.cause,
      row.symptom,
      between(row.openedAt, row.detectedAt),
      last ? `${last.kind} (${row.actions.length})` : row.withheld ? 'none' : '',
      row.recoveredAt
        ? between(row.openedAt, row.recoveredAt)
        : row.closedAt
          ? paint('dim', 'closed')
          : paint(row.cause === 'operator' ? 'dim' : 'red', row.quarantinedSince ? 'quarantined' : 'open'),
      row.impacted.length > 0 ? `${row.impacted.length} impacted` : '',
      paint('dim', row.id),
    ]
  })
  return table(['AGO', 'SERVICE', 'CAUSE', 'SYMPTOM', 'DETECTED IN', 'ACTION', 'RECOVERED IN', '', 'ID'], rows)
}

const between = (from: string, to: string) => formatDuration(Math.max(0, wallOf(to) - wallOf(from)))

/** One incident as a story, a line an event, in order of time, and how things stood when it began. */
export function incidentStory(detail: IncidentDetail): string {
  const start = wallOf(detail.openedAt)
  const after = (at: string) => `+${formatDuration(Math.max(0, wallOf(at) - start))}`.padStart(8)
  const story = detail.story.map(({ at, text }) => `${paint('dim', at)}  ${after(at)}  ${printable(text, 400)}`)
  const withheld = detail.withheld && !detail.recoveredAt ? [`not acting: ${printable(detail.withheld, 400)}`] : []
  return [paint('bold', detail.id), ...story, ...withheld, ...forensicsLines(detail.forensics)].join('\n')
}

function forensicsLines(forensics: Forensics | null): readonly string[] {
  if (!forensics) return []
  const { at, instance, dependencies, logs, missing } = forensics
  const state = instance && [
    `${instance.name ?? instance.id}: ${instance.state}`,
    instance.pid === null ? '' : `pid ${instance.pid}`,
    instance.startedAt === null ? '' : `since ${instance.startedAt}`,
    `restarts ${instance.restarts}`,
    instance.exit ?? '',
    instance.health === null ? '' : `its own check: ${instance.health}`,
  ]
  const needs = dependencies.map(({ service, status, reason }) => `${service} ${status}${reason ? ` (${reason})` : ''}`)
  return [
    '',
    paint('bold', `When it was opened (${at})`),
    ...(state ? [printable(state.filter(Boolean).join(', '), 600)] : []),
    ...(needs.length > 0 ? [printable(`depends on: ${needs.join(', ')}`, 600)] : []),
    ...missing.map((what) => printable(`not known: ${what}`)),
    ...(logs ? ['last output:', ...logs.split('\n').map((line) => `  ${paint('dim', printable(line, 500))}`)] : []),
  ]
}

export function maintenanceTable(maintenance: readonly MaintenanceRow[], wall: number): string {
  const rows = maintenance.map(({ service, by, reason, until }) => [
    service,
    `${until} (${formatDuration(Math.max(0, Math.round((wallOf(until) - wall) / 1_000) * 1_000))})`,
    printable(by, 80),
    printable(reason, 200),
  ])
  return table(['SERVICE', 'UNTIL', 'BY', 'REASON'], rows)
}

const RESULT: Readonly<Record<AuditRow['result'], Style>> = { allowed: 'green', refused: 'yellow', failed: 'red' }

export function auditTable(audit: readonly AuditRow[]): string {
  const rows = audit.map((row) => [
    row.at,
    printable(row.who, 100),
    paint(RESULT[row.result], row.count > 1 ? `${row.result} × ${row.count}` : row.result),
    printable([row.method, row.path].filter(Boolean).join(' '), 200),
    printable(row.reason, 300),
  ])
  return table(['AT', 'WHO', 'RESULT', 'WHAT', 'REASON'], rows)
}

const LEVEL: Readonly<Record<CoverageReport['rows'][number]['level'], readonly [string, Style]>> = {
  checked: ['●', 'green'],
  state: ['◐', 'yellow'],
  none: ['✗', 'red'],
}

export function coverageText({ ratio, checked, total, rows }: CoverageReport): string {
  if (rows.length === 0) return 'No services are watched'
  const lines = rows.map((row) => {
    const [mark, style] = LEVEL[row.level]
    return [
      printable(row.service, 100),
      row.counts === false ? paint('dim', 'not counted') : paint(style, `${mark} ${row.level}`),
      printable(row.probe ?? '-', 120),
      printable(row.derivedFrom, 120),
      printable(row.note ?? '', 300),
    ]
  })
  const percent = `${(Math.floor(ratio * 1_000) / 10).toFixed(1).replace(/\.0$/, '')} %`
  const head = `${checked} of ${total} services are examined (${percent})`
  const isWhole = total > 0 && checked === total
  return [
    paint(isWhole ? 'green' : 'yellow', head),
    '',
    table(['SERVICE', 'COVERED', 'PROBE', 'FROM', 'NOTE'], lines),
  ].join('\n')
}

export function summaryLine(services: readonly ServiceRow[]): string {
  const healthy = services.filter((row) => row.status === 'healthy').length
  const ill = services.filter((row) => row.status === 'unhealthy' || row.status === 'degraded')
  if (services.length === 0) return 'No services are watched'
  if (healthy === services.length) return paint('green', `All ${healthy} services are healthy`)
  const roots = ill.filter((row) => row.cause === 'self').map((row) => row.name)
  const head = `${healthy} of ${services.length} services are healthy`
  return roots.length > 0 ? `${paint('red', head)}; ill by itself: ${roots.join(', ')}` : paint('yellow', head)
}
