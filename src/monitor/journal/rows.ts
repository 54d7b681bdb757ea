import type { SQLOutputValue } from 'node:sqlite'
import { MedykError } from '@medyk/health/internal'

/** Longest record; an incident that touches some thousands of services fits. */
const MAX_JSON = 1_048_576

export type Row = Record<string, SQLOutputValue>

/** Unix milliseconds. Throws `ERR_JOURNAL_INPUT`. */
export function wallOf(iso: string): number {
  const wall = Date.parse(iso)
  if (!Number.isFinite(wall)) throw new MedykError('ERR_JOURNAL_INPUT', `"${iso.slice(0, 40)}" is not an ISO 8601 time`)
  return wall
}

/** Throws `ERR_JOURNAL_INPUT` past `max` characters. */
export function toJson(value: unknown, max: number = MAX_JSON): string {
  const json = JSON.stringify(value)
  if (json.length <= max) return json
  throw new MedykError('ERR_JOURNAL_INPUT', `a record of ${json.length} characters is larger than ${max}`)
}

export function parse(json: SQLOutputValue | undefined): unknown {
  return JSON.parse(typeof json === 'string' ? json : 'null')
}

export function textOrNull(value: SQLOutputValue | undefined): string | null {
  return typeof value === 'string' ? value : null
}
