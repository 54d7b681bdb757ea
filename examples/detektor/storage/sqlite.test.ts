import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openSqlite } from './sqlite.ts'

const row = (number: number) => ({
  camera: 'a',
  session: 's',
  number,
  rtpTimestamp: number * 3_600,
  bytes: 1_000,
  keyframe: number === 1,
  capturedAt: 1_000 + number,
  gapFrames: 0,
  keyframeIntervalMs: null,
  bitrateBps: 1.5,
})

let directory = ''
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'store-'))
})
afterEach(() => rmSync(directory, { recursive: true, force: true }))

describe('openSqlite', { timeout: 20_000 }, () => {
  it('keeps rows over a restart, and counts each once however often it comes', () => {
    const first = openSqlite(join(directory, 'new', 'folder'))
    expect(first.stats()).toEqual({ frames: 0, lastFrameAt: null })
    expect(first.insert([row(1), row(2), row(2)])).toBe(2)
    expect(first.insert([row(2), row(3)])).toBe(1)
    void first.close()
    const second = openSqlite(join(directory, 'new', 'folder'))
    expect(second.stats()).toEqual({ frames: 3, lastFrameAt: 1_003 })
    void second.close()
  })

  it('stores all rows of a call or none', () => {
    const store = openSqlite(directory)
    expect(() => store.insert([row(1), { ...row(2), bytes: 'many' as unknown as number }])).toThrow(/bytes/)
    expect(store.stats()).toMatchObject({ frames: 0 })
    expect(store.insert([row(1)])).toBe(1)
    void store.close()
  })

  it('says so when another process holds the database', () => {
    void openSqlite(directory).close()
    const other = new DatabaseSync(join(directory, 'metadata.sqlite'))
    other.exec('BEGIN IMMEDIATE')
    expect(() => openSqlite(directory)).toThrow(
      expect.objectContaining({ code: 'ERR_STORE', message: expect.stringMatching(/metadata\.sqlite: .*locked/) }),
    )
    other.close()
    void openSqlite(directory).close()
  })

  it.each([
    ['a folder that cannot be made', () => writeFileSync(join(directory, 'x'), ''), 'x'],
    ['a file that is no database', () => writeFileSync(join(directory, 'metadata.sqlite'), 'text '.repeat(500)), '.'],
  ])('says so for %s', (_, prepare, sub) => {
    prepare()
    expect(() => openSqlite(join(directory, sub))).toThrow(expect.objectContaining({ code: 'ERR_STORE' }))
  })
})
