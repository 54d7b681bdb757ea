import { isContainerId } from './container-view.ts'
import { list, record, text, texts } from './untrusted.ts'

const MAX_ROWS = 10_000

/** What `list` says of a container, as far as it shows that something has changed. */
export interface ContainerRow {
  readonly id: string
  /** Everything that stays the same while nothing happens. */
  readonly key: string
  /** Of the state it is in, in seconds, as roughly as Docker says it. null: it does not say. */
  readonly age: number | null
  readonly running: boolean
}

export function toRows(listed: unknown): readonly ContainerRow[] {
  return list(listed, MAX_ROWS).flatMap((one) => {
    const row = record(one)
    const id = text(row.Id, 64)
    if (!isContainerId(id)) return []
    const status = text(row.Status, 200)
    const networks = Object.entries(record(record(row.NetworkSettings).Networks)).map(
      ([name, network]) => `${name}=${text(record(network).IPAddress, 50)}`,
    )
    const state = text(row.State, 20)
    return [
      {
        id,
        key: [state, without(status), ...texts(row.Names, 50), ...networks].join('\n'),
        age: ageIn(status),
        running: state === 'running',
      },
    ]
  })
}

/** Whether a container must be looked at: it is another state, or it is younger than it was. */
export function hasChanged(former: ContainerRow | undefined, row: ContainerRow): boolean {
  if (!former || former.key !== row.key) return true
  return former.age !== null && row.age !== null && row.age < former.age
}

const UNITS = { second: 1, minute: 60, hour: 3_600, day: 86_400, week: 604_800, month: 2_592_000, year: 31_536_000 }
const AGE = /(?:Less than a|About an?|\d{1,6}) (second|minute|hour|day|week|month|year)s?/

/** `Up 3 minutes (healthy)`, `Exited (137) About an hour ago`. */
export function ageIn(status: string): number | null {
  const [said = '', unit] = AGE.exec(status) ?? []
  if (unit === undefined) return null
  const count = said.startsWith('Less') ? 0 : Number.parseInt(said, 10) || 1
  return count * UNITS[unit as keyof typeof UNITS]
}

/** The status without its age: state, exit code, health. */
function without(status: string): string {
  return status.replace(AGE, '')
}
