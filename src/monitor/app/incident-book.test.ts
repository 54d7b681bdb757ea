import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { silentLogger, systemClock } from '@medyk/health/internal'
import { expect, onTestFinished, test } from 'vitest'
import { openJournal } from '../journal/index.ts'
import { isoOf, type Action, type Incident } from '../model/index.ts'
import { IncidentBook } from './incident-book.ts'
import { createMetrics } from './metrics.ts'
import { restore } from './restore.ts'
import { spec } from './shard.testing.ts'

const at = (n: number) => isoOf(1_700_000_000_000 + n * 1_000)

const incident = (n: number, over: Partial<Incident> = {}): Incident => ({
  id: `i${n}`,
  service: 'a',
  instance: 'a-1',
  cause: 'self',
  severity: 'unhealthy',
  symptom: 'hung',
  evidence: null,
  reason: 'r',
  openedAt: at(n),
  detectedAt: at(n),
  recoveredAt: null,
  closedAt: null,
  impacted: [],
  ...over,
})

const action = (n: number, service = 'a'): Action => ({
  id: `x${n}`,
  incident: 'i1',
  service,
  instance: `${service}-1`,
  kind: 'restart',
  graceMs: 0,
  attempt: n,
  precondition: { startedAt: null },
  reason: 'r',
})

const quarantined = {
  type: 'service.quarantined',
  service: 'a',
  incident: 'i1',
  since: at(2),
  reason: 'spent',
} as const
const opened = (n: number) => ({ type: 'incident.opened', incident: incident(n) }) as const

test('of the actions of an incident the first and the last stay, and the rest is counted', () => {
  const book = new IncidentBook()
  book.take(opened(1))
  for (let n = 1; n <= 100; n++) {
    book.take({ type: 'action.decided', action: action(n), decidedAt: at(n) })
    expect(book.finished(action(n), { result: 'done', detail: '', startedAt: null }, at(n))).not.toBeNull()
  }
  const last = Array.from({ length: 20 }, (_, i) => 81 + i)
  expect(book.get('i1')?.actions.map(({ attempt }) => attempt)).toEqual([1, 2, 3, 4, 5, ...last])
  expect(book.leftOut('i1')).toBe(75)
})

test('past the cap the oldest closed incident goes first, and the oldest open one where none is closed', () => {
  const book = new IncidentBook()
  for (let n = 1; n <= 1_000; n++) book.take(opened(n))
  book.take({ type: 'incident.closed', incident: incident(7, { closedAt: at(8) }) })
  book.take(opened(1_001))
  expect([book.get('i7'), book.get('i1')?.id]).toEqual([null, 'i1'])
  book.take(opened(1_002))
  expect([book.get('i1'), book.get('i2')?.id, book.get('i1002')?.id]).toEqual([null, 'i2', 'i1002'])
})

test('a release ends the quarantine of its own service only', () => {
  const book = new IncidentBook()
  book.take(opened(1))
  expect(book.take(quarantined)).toMatchObject({ quarantinedSince: at(2), withheld: 'quarantined: spent' })
  expect(book.take({ type: 'service.released', service: 'b', reason: 'well' })).toBeNull()
  expect(book.get('i1')?.quarantinedSince).toBe(at(2))
  const row = book.take({ type: 'service.released', service: 'a', reason: 'well' })
  expect(row).toMatchObject({ id: 'i1', quarantinedSince: null, withheld: null })
})

test('a quarantine of the last life is shown again: in its incident and in the metrics', async () => {
  const stateDir = mkdtempSync(path.join(tmpdir(), 'medyk-book-'))
  onTestFinished(() => rmSync(stateDir, { recursive: true, force: true }))
  const journal = await openJournal({ stateDir, logger: silentLogger, clock: systemClock, deadlineMs: 60_000 })
  onTestFinished(() => journal.close())
  await journal.saveIncident(incident(0, { closedAt: at(1) }), 'incident.closed')
  await journal.saveIncident(incident(1), 'incident.opened')
  await journal.saveIncident(incident(3, { service: 'b' }), 'incident.opened')
  await journal.saveQuarantine('a', at(2), 'i1', 'spent')

  const book = new IncidentBook()
  const services = [spec('a', 1), spec('b', 2)]
  const { restored } = await restore(journal, book, services)
  expect(book.get('i1')).toMatchObject({ quarantinedSince: at(2), withheld: 'quarantined: spent' })
  for (const id of ['i0', 'i3']) expect(book.get(id)).toMatchObject({ quarantinedSince: null, withheld: null })

  const metrics = createMetrics('1')
  for (const { name } of services)
    metrics.declare(
      name,
      restored.quarantined.some(({ service }) => service === name),
    )
  const text = await metrics.render([], 0.5)
  expect(text).toContain('medyk_coverage_ratio 0.5')
  expect(text).toContain('medyk_service_quarantined{service="a"} 1')
  expect(text).toContain('medyk_service_quarantined{service="b"} 0')
})
