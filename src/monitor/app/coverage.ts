import { printable } from '@medyk/health/internal'
import type { CoverageRow, ProbeSpec, ServiceSpec, Symptom } from '../model/index.ts'
import type { CoverageReport } from '../server/index.ts'

/** Who is examined how. `discovered`: rows of those that found services; who has none there was configured by hand. */
export function coverageReport(
  services: readonly { readonly spec: ServiceSpec; readonly symptom: Symptom | null; readonly reason: string | null }[],
  discovered: readonly CoverageRow[],
): CoverageReport {
  const told = new Map(discovered.map((row) => [row.service, row]))
  const rows = services.map(({ spec, symptom, reason }) => {
    const row = told.get(spec.name) ?? configuredCoverage(spec)
    told.delete(spec.name)
    return symptom === 'misconfigured' ? { ...row, ...misconfigured(spec, row, reason) } : row
  })
  rows.push(...told.values())
  const counted = rows.filter((row) => row.counts !== false)
  const checked = counted.filter((row) => row.level === 'checked').length
  return { ratio: counted.length === 0 ? 0 : checked / counted.length, checked, total: counted.length, rows }
}

/** The row of a service that stands in the config file. */
export function configuredCoverage(spec: ServiceSpec): CoverageRow {
  const [probe] = spec.probes
  const common = { service: spec.name, derivedFrom: probe?.derivedFrom ?? 'the config file' }
  if (probe) {
    const asked = [...new Set(spec.probes.map(question))].join(', ')
    return { ...common, level: 'checked', probe: printable(asked), note: null }
  }
  const add = 'give it a liveness probe'
  if (spec.runtime === null) return { ...common, level: 'none', probe: null, note: `nothing examines it: ${add}` }
  return { ...common, level: 'state', probe: null, note: `only whether it runs is known: ${add}` }
}

/** A question that nobody understands covers nothing. */
function misconfigured(spec: ServiceSpec, row: CoverageRow, reason: string | null): Partial<CoverageRow> {
  if (row.level !== 'checked') return {}
  const note = printable(`its probe asks for what is not there (${reason ?? 'misconfigured'}): correct it`)
  return { level: spec.runtime === null ? 'none' : 'state', note }
}

function question({ kind, options }: ProbeSpec): string {
  const text = (key: string) => (typeof options[key] === 'string' ? options[key] : null)
  if (kind === 'http') return `GET ${text('url') ?? ''}`.trim()
  const port = typeof options['port'] === 'number' ? String(options['port']) : null
  const where = [text('host'), port].filter((part) => part !== null).join(':')
  return [kind, where || text('url') || text('address')].filter(Boolean).join(' ')
}
