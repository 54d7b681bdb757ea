import { DatabaseSync } from 'node:sqlite'
import { expect, test } from 'vitest'
import { action, done, freshDir, incident, iso, open } from './journal.testing.ts'
import { migrate } from './migrations.ts'
import { FORENSICS_KEPT, KEYS_KEPT_MS, PROVEN_KEPT } from './records.ts'
import { makeRoom, prune } from './retention.ts'
import { Store } from './store.ts'

const NOW = Date.parse('2026-05-10T12:00:00.000Z')
const DAY = 86_400_000
const none = { events: 1e9, incidents: 1e9, actions: 1e9 }

function fresh(): { db: DatabaseSync; store: Store; count: (table: string) => number } {
  const db = new DatabaseSync(':memory:')
  migrate(db, iso(NOW))
  return {
    db,
    store: new Store(db),
    count: (table) => Number(db.prepare(`SELECT count(*) AS n FROM ${table}`).get()?.['n']),
  }
}

test('the oldest events go, a step at a time, until the limit is met', () => {
  const { db, store, count } = fresh()
  for (let i = 0; i < 100; i++) store.appendEvent('note', `${i}`, iso(NOW))
  expect(prune(db, { ...none, events: 60 }, NOW, 25)).toBe(25)
  expect(prune(db, { ...none, events: 60 }, NOW, 25)).toBe(15)
  expect(prune(db, { ...none, events: 60 }, NOW, 25)).toBe(0)
  expect(count('events')).toBe(60)
  expect(store.events(1, 0)[0]?.payload).toBe(40)
})

test('incidents go with their actions; open ones stay however many there are', () => {
  const { db, store, count } = fresh()
  for (let i = 0; i < 20; i++) {
    const at = iso(NOW - 10 * DAY + i)
    store.saveIncident(incident(`i${i}`, { openedAt: at, closedAt: i < 5 ? null : at }), 'incident.closed', at)
    store.commitIntent(action(`a${i}`, { incident: `i${i}` }), at)
    store.commitOutcome(`a${i}`, done, at)
    store.saveForensics(`i${i}`, '{}', at)
  }
  while (prune(db, { ...none, incidents: 3 }, NOW, 4) > 0);
  expect(store.incidents(100, null).map((row) => row.incident.id)).toEqual(['i4', 'i3', 'i2', 'i1', 'i0'])
  expect(count('actions')).toBe(5)
  expect(count('forensics')).toBe(5)
})

test('actions go beyond their limit, but neither a pending one nor an attempt of the last day', () => {
  const { db, store } = fresh()
  for (let i = 0; i < 30; i++) {
    const at = iso(i < 20 ? NOW - 2 * DAY : NOW - DAY / 2)
    store.commitIntent(action(`a${i}`), at)
    if (i !== 7) store.commitOutcome(`a${i}`, done, at)
  }
  while (prune(db, { ...none, actions: 2 }, NOW, 6) > 0);
  const left = db
    .prepare('SELECT id FROM actions ORDER BY seq')
    .all()
    .map((row) => row['id'])
  expect(left).toEqual(['a7', ...Array.from({ length: 10 }, (_, i) => `a${20 + i}`)])
  expect(store.readBack(NOW).attempts).toHaveLength(10)
})

test('room is made by the oldest tenth of the events', () => {
  const { db, store } = fresh()
  expect(makeRoom(db)).toBe(0)
  for (let i = 0; i < 2_000; i++) store.appendEvent('note', '1', iso(NOW))
  expect(makeRoom(db)).toBe(199)
  expect(store.events(1, 0)[0]?.seq).toBe(200)
})

test('a journal that runs keeps itself within its limits', async () => {
  const journal = await open(freshDir(), { retention: { events: 500, incidents: 20, actions: 100 } })
  for (let round = 0; round < 20; round++) {
    await Promise.all(Array.from({ length: 100 }, (_, i) => journal.appendEvent('note', { round, i })))
  }
  const oldest = (await journal.events({ limit: 1 }))[0]?.seq ?? 0
  // It looks after every 256 writes and takes 500 rows at most.
  expect(2_000 - oldest).toBeLessThan(500 + 256 + 100)
  expect(await journal.events({ limit: 1, after: 1_999 })).toMatchObject([{ payload: { round: 19, i: 99 } }])
})

test('a journal that has reached its size goes on, at the cost of its oldest events', async () => {
  const journal = await open(freshDir(), { maxBytes: 400_000 })
  for (let i = 0; i < 400; i++) await journal.appendEvent('note', { i, text: 'x'.repeat(2_000) })
  expect(journal.state).toBe('ok')
  const [oldest] = await journal.events({ limit: 1 })
  expect(oldest?.seq).toBeGreaterThan(100)
  expect(await journal.events({ limit: 1, after: 399 })).toMatchObject([{ payload: { i: 399 } }])
})

test('of the instances that were once healthy the oldest make room', () => {
  const { db, store, count } = fresh()
  db.exec(
    `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${PROVEN_KEPT})
     INSERT INTO proven SELECT 'old-' || i, 'old', 'p', '2026-01-01' FROM n`,
  )
  store.saveProven({ instance: 'new-1', service: 'new', probes: 'p' }, iso(NOW))
  expect(count('proven')).toBe(PROVEN_KEPT)
  expect(store.readBack(NOW).proven).toContainEqual({ instance: 'new-1', service: 'new', probes: 'p' })
})

test('of the state at the opening of incidents the oldest makes room', () => {
  const { db, store, count } = fresh()
  db.exec(
    `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${FORENSICS_KEPT})
     INSERT INTO forensics SELECT 'old-' || i, '2026-01-01', '{}' FROM n`,
  )
  store.saveIncident(incident('new'), 'incident.opened', iso(NOW))
  store.saveForensics('new', '{"at":1}', iso(NOW))
  expect(count('forensics')).toBe(FORENSICS_KEPT)
  expect(store.forensics('new')).toEqual({ at: 1 })
})

test('an idempotency key is forgotten after a day', () => {
  const { store, count } = fresh()
  expect(store.claimKey('k', 'f', 1, NOW)).toEqual({ fresh: true, fingerprint: 'f', answer: 1 })
  expect(store.claimKey('k', 'g', 2, NOW + KEYS_KEPT_MS - 1)).toEqual({ fresh: false, fingerprint: 'f', answer: 1 })
  expect(store.claimKey('k', 'g', 2, NOW + KEYS_KEPT_MS)).toEqual({ fresh: true, fingerprint: 'g', answer: 2 })
  expect(count('idempotency_keys')).toBe(1)
})

test('the story of an incident is found at once among 200,000 events, and so is the audit', () => {
  const { db, store } = fresh()
  db.exec(
    `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 200000)
     INSERT INTO events (at, type, payload, incident)
     SELECT '2026-05-01', CASE WHEN i % 1000 = 0 THEN 'audit' ELSE 'note' END, '{"i":' || i || '}',
       CASE WHEN i % 1000 = 1 THEN 'i1' WHEN i % 2 = 0 THEN 'other-' || (i % 5000) END FROM n`,
  )
  expect(store.eventsOf('i1', 500)).toHaveLength(200)
  expect(store.eventsOf('i1', 5).map(({ payload }) => (payload as { i: number }).i)).toEqual([
    1, 1_001, 2_001, 198_001, 199_001,
  ])
  expect(store.audit(2).map(({ seq }) => seq)).toEqual([200_000, 199_000])
  const plan = (sql: string) =>
    db
      .prepare(`EXPLAIN QUERY PLAN ${sql}`)
      .all()
      .map((row) => String(row['detail']))
      .join('; ')
  expect(plan(`SELECT seq FROM events WHERE incident = 'i1' ORDER BY seq DESC LIMIT 5`)).toMatch(/events_by_incident/)
  expect(plan(`SELECT seq FROM events WHERE type = 'audit' ORDER BY seq DESC LIMIT 5`)).toMatch(/events_audit/)
})
