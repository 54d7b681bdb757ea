import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { silentLogger, type Logger } from '@medyk/health/internal'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { loadRecord, newRecord, saveRecord, type InstanceRecord } from './record.ts'

let root: string
let directory: string
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'medyk-record-'))
  directory = join(root, 'a-1')
})
afterEach(() => rmSync(root, { recursive: true }))

const record: InstanceRecord = {
  ...newRecord('a-1'),
  desired: 'running',
  starts: 3,
  lastStartedAt: '2026-01-02T03:04:05.678Z',
  run: { token: 't', startedAt: '2026-01-02T03:04:05.678Z', bootId: 'b', commandHash: 'h', pid: 7, startTicks: 99 },
  lastExit: { code: null, signal: 'SIGKILL', oomKilled: false, at: '2026-01-02T03:04:05.000Z' },
}

it('gives back what was saved, from a directory and a file for the owner alone', async () => {
  await saveRecord(directory, newRecord('a-1'))
  await saveRecord(directory, record)
  expect(await loadRecord(directory, 'a-1', silentLogger)).toEqual(record)
  expect(readdirSync(directory)).toEqual(['state.json'])
  expect(statSync(join(directory, 'state.json')).mode & 0o777).toBe(0o600)
  expect(statSync(directory).mode & 0o777).toBe(0o700)
})

it('knows nothing of an instance that it has never seen', async () => {
  expect(await loadRecord(directory, 'a-1', silentLogger)).toBeNull()
})

it.each([
  ['empty', ''],
  ['cut off', JSON.stringify(record).slice(0, 100)],
  ['not an object', '[]'],
  ['of another version', JSON.stringify({ ...record, version: 2 })],
  ['of another instance', JSON.stringify({ ...record, id: 'b-1' })],
  ['with a pid that would mean a group', JSON.stringify({ ...record, run: { ...record.run, pid: -1 } })],
  ['with a time that is none', JSON.stringify({ ...record, lastStartedAt: 'yesterday' })],
  ['with unknown keys', JSON.stringify({ ...record, extra: 1 })],
  ['huge', ' '.repeat(100_000)],
])('puts a file aside that is %s, and says so', async (_, text) => {
  await saveRecord(directory, record)
  writeFileSync(join(directory, 'state.json'), text)
  const errors: object[] = []
  const logger: Logger = { ...silentLogger, error: (fields) => errors.push(fields) }
  expect(await loadRecord(directory, 'a-1', logger)).toBeNull()
  expect(errors).toHaveLength(1)
  expect(readFileSync(join(directory, 'state.json.corrupt'), 'utf8')).toBe(text)
  expect(existsSync(join(directory, 'state.json'))).toBe(false)
})
