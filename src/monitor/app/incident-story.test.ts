import { expect, test } from 'vitest'
import { action, done, freshDir, incident, iso, open } from '../journal/journal.testing.ts'
import { journaledRow } from './incident-book.ts'
import { storyOf } from './incident-story.ts'

const at = (second: number) => iso(Date.parse('2026-05-01T10:00:00.000Z') + second * 1_000)
const base = incident('i1', { openedAt: at(0), detectedAt: at(2.6) })

async function story(write: (journal: Awaited<ReturnType<typeof open>>) => Promise<void>) {
  const journal = await open(freshDir())
  await write(journal)
  const row = await journal.incident('i1')
  if (!row) throw new Error('no incident')
  return storyOf(journaledRow(row), await journal.eventsOf('i1', 500))
}

test('tells evidence, verdict, whom it touched, what was decided and not and why, and how it ended', async () => {
  const impacted = [{ service: 'tracking', since: at(3), reason: 'frame-buffer does not answer' }]
  const lines = await story(async (journal) => {
    await journal.saveIncident(base, 'incident.opened')
    await journal.saveIncident({ ...base, impacted }, 'incident.updated')
    await journal.appendEvent(
      'action.withheld',
      { service: 'frame-buffer', incident: 'i1', reason: 'too many at once' },
      'i1',
    )
    await journal.commitIntent(action('a1', { incident: 'i1' }), at(4))
    await journal.commitOutcome('a1', { ...done, result: 'failed', detail: 'no such command' }, at(5))
    await journal.saveIncident({ ...base, impacted, severity: 'unhealthy', reason: 'it has ended' }, 'incident.updated')
    await journal.saveQuarantine('frame-buffer', at(6), 'i1', '5 attempts did not help')
    await journal.clearQuarantine('frame-buffer')
    const over = { ...base, impacted, reason: 'it has ended', recoveredAt: at(60), closedAt: at(90) }
    await journal.saveIncident({ ...over, closedAt: null }, 'incident.recovered')
    await journal.saveIncident(over, 'incident.closed')
  })
  const told = Object.fromEntries(lines.map(({ kind, text }) => [kind, text]))
  expect(told).toEqual({
    evidence: 'first evidence',
    verdict: 'frame-buffer declared unhealthy: it does not answer (hung, cause self, evidence silence)',
    impacted: 'impacted: tracking (frame-buffer does not answer)',
    withheld: 'not acting on frame-buffer: too many at once',
    decided: 'restart frame-buffer: it does not answer; attempt 1 of 5',
    finished: 'restart failed: no such command',
    changed: 'frame-buffer is unhealthy: it has ended (hung, cause self, evidence silence)',
    quarantined: 'frame-buffer is quarantined: 5 attempts did not help',
    released: 'frame-buffer is no longer quarantined',
    recovered: 'recovered, verified',
    closed: 'closed',
  })
  expect(lines).toHaveLength(11)
  expect(lines.map(({ at: time }) => time)).toEqual(lines.map(({ at: time }) => time).toSorted())
})

test('a root that shows late is told', async () => {
  const lines = await story(async (journal) => {
    await journal.saveIncident(base, 'incident.opened')
    await journal.saveIncident({ ...base, service: 'database', reason: 'it refuses' }, 'incident.updated')
  })
  expect(lines.find(({ kind }) => kind === 'changed')?.text).toMatch(/^the root is database: unhealthy: it refuses/)
})

test('without its record the incident itself tells the outline', () => {
  const { instance, kind, reason, attempt } = action('a1')
  const row = {
    ...base,
    recoveredAt: at(9),
    closedAt: at(39),
    quarantinedSince: null,
    withheld: null,
    actions: [
      {
        id: 'a1',
        incident: 'i1',
        service: 'frame-buffer',
        instance,
        kind,
        reason,
        attempt,
        decidedAt: at(3),
        finishedAt: at(4),
        result: 'done' as const,
        detail: null,
      },
    ],
  }
  expect(storyOf(row, []).map((line) => [line.kind, line.at])).toEqual([
    ['evidence', at(0)],
    ['verdict', at(2.6)],
    ['decided', at(3)],
    ['finished', at(4)],
    ['recovered', at(9)],
    ['closed', at(39)],
  ])
})

test('of a story without end its beginning and its end are told, and how much is left out', async () => {
  const lines = await story(async (journal) => {
    await journal.saveIncident(base, 'incident.opened')
    for (let n = 1; n <= 400; n++) {
      await journal.appendEvent('action.withheld', { service: 'a', incident: 'i1', reason: `reason ${n}` }, 'i1')
    }
  })
  expect(lines).toHaveLength(200)
  expect(lines.filter(({ kind }) => kind === 'gap').map(({ text }) => text)).toEqual([
    '203 more lines are left out here',
  ])
  expect([lines[0]?.kind, lines.at(-1)?.text]).toEqual(['evidence', 'not acting on a: reason 400'])
})
