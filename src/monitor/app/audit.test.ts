import { silentLogger } from '@medyk/health/internal'
import { FakeClock } from '@medyk/health/testing'
import { expect, test } from 'vitest'
import { freshDir, open } from '../journal/journal.testing.ts'
import { Audit } from './audit.ts'

const row = (reason: string) => ({
  who: 'anonymous',
  role: 'none' as const,
  method: 'POST',
  path: '/api/v1/services/a/restart',
  service: 'a',
  reason,
  key: null,
})

async function setUp() {
  const clock = new FakeClock()
  const journal = await open(freshDir())
  return { clock, journal, audit: new Audit(journal, clock, silentLogger) }
}

test('past sixty refused ones within a minute the rest is counted, in one row; what is allowed is always told', async () => {
  const { clock, audit } = await setUp()
  for (let n = 0; n < 500; n++) await audit.refused(row(`try ${n}`))
  await audit.record({ ...row('wanted'), result: 'allowed' })
  expect(await audit.read(1_000)).toHaveLength(61)
  await clock.advance(60_000)
  await expect.poll(async () => (await audit.read(1_000)).length, { timeout: 20_000 }).toBe(62)
  const [last, allowed] = await audit.read(2)
  expect(last).toMatchObject({ result: 'refused', count: 440, reason: '440 more were refused within a minute' })
  expect(allowed).toMatchObject({ result: 'allowed', reason: 'wanted', count: 1 })
  // The next minute is a new one, and a quiet one leaves no row.
  await audit.refused(row('later'))
  await clock.advance(120_000)
  expect(await audit.read(1_000)).toHaveLength(63)
})

test('what was counted is told when the daemon ends', async () => {
  const { audit } = await setUp()
  for (let n = 0; n < 62; n++) await audit.refused(row(`try ${n}`))
  await audit[Symbol.asyncDispose]()
  expect((await audit.read(1))[0]).toMatchObject({ count: 2 })
})

test('a row that cannot be written stops what is allowed and lets go what is refused', async () => {
  const { journal, audit } = await setUp()
  await journal.close()
  await expect(audit.record({ ...row('x'), result: 'allowed' })).rejects.toMatchObject({ code: 'ERR_JOURNAL_CLOSED' })
  await audit.refused(row('x'))
})

test('no secret enters it', async () => {
  const { audit } = await setUp()
  await audit.record({ ...row('the database is at postgres://me:hunter2@db/'), result: 'allowed' })
  expect(JSON.stringify(await audit.read(1))).not.toContain('hunter2')
})
