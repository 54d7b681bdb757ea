import { expect } from 'vitest'
import type { IncidentRow, ServiceDetail } from '../../../src/monitor/server/api.ts'
import { until } from '../example.ts'
import type { Scene } from './scene.ts'

/** Waits until the daemon says so of a service. */
export async function seenAs(
  scene: Scene,
  service: string,
  expected: Partial<Pick<ServiceDetail, 'status' | 'cause' | 'symptom'>>,
  withinMs = 60_000,
): Promise<ServiceDetail> {
  let last: ServiceDetail | null = null
  const isSo = async () => {
    const row = await scene.service(service)
    last = row
    return (Object.keys(expected) as (keyof typeof expected)[]).every((key) => row[key] === expected[key])
  }
  await until(isSo, withinMs, `${service} is seen as ${JSON.stringify(expected)}`, 25).catch((error: Error) => {
    throw new Error(`${error.message}: ${JSON.stringify(last)}\n${scene.log(3_000)}`)
  })
  return last as unknown as ServiceDetail
}

/** The one incident that tells of this service since then; there may be no second one. */
export async function onlyIncident(scene: Scene, service: string, since: number): Promise<IncidentRow> {
  const told = (await scene.incidents(since)).filter((row) => row.service === service)
  expect(told, `incidents of ${service}`).toHaveLength(1)
  const [only] = told
  if (!only) throw new Error(`no incident tells of ${service}`)
  return only
}

/** Waits until an incident of the service meets `isSo`; resolves to it. */
export async function incidentWhere(
  scene: Scene,
  service: string,
  since: number,
  isSo: (row: IncidentRow) => boolean,
  withinMs = 60_000,
): Promise<IncidentRow> {
  let found: IncidentRow | undefined
  let last: readonly IncidentRow[] = []
  const look = async () => {
    last = (await scene.incidents(since)).filter((row) => row.service === service)
    found = last.find(isSo)
    return found !== undefined
  }
  await until(look, withinMs, `an incident of ${service} that fits`, 50).catch((error: Error) => {
    throw new Error(`${error.message}: ${JSON.stringify(last)}\n${scene.log(3_000)}`)
  })
  return found as IncidentRow
}

/** What an incident's actions were and came to: `start done`. */
export const deedsOf = ({ actions }: IncidentRow) => actions.map(({ kind, result }) => `${kind} ${result}`)
