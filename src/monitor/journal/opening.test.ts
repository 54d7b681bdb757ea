import { spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import path from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { expect, describe, onTestFinished, test } from 'vitest'
import { action, freshDir, incident, iso, open } from './journal.testing.ts'
import { migrate, migrations, refuseNewer, schemaVersion } from './migrations.ts'
import { openDatabase } from './open-database.ts'
import { Store } from './store.ts'

const now = () => iso(Date.now())
const options = { now: '2026-05-01T10:00:00.000Z', maxBytes: 2 ** 30 }
const tablesOf = (db: DatabaseSync) =>
  db
    .prepare(`SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name`)
    .all()
    .map((row) => row['name'])

describe('migrations', () => {
  test('bring an empty database to the newest schema, and do nothing the second time', () => {
    const db = new DatabaseSync(':memory:')
    migrate(db, now())
    expect(schemaVersion(db)).toBe(migrations.length)
    expect(tablesOf(db)).toEqual([
      'actions',
      'boots',
      'events',
      'forensics',
      'idempotency_keys',
      'incidents',
      'maintenance',
      'proven',
      'quarantines',
      'schema_version',
    ])
    const before = db.prepare('SELECT * FROM schema_version').all()
    migrate(db, 'later')
    expect(db.prepare('SELECT * FROM schema_version').all()).toEqual(before)
  })

  test('go forward from any version without touching what is there', () => {
    const steps = [
      'CREATE TABLE one (a)',
      'ALTER TABLE one ADD COLUMN b; UPDATE one SET b = a * 2',
      'CREATE TABLE three (c)',
    ]
    for (const from of [0, 1, 2, 3]) {
      const db = new DatabaseSync(':memory:')
      migrate(db, now(), steps.slice(0, from))
      if (from > 0) db.exec('INSERT INTO one (a) VALUES (21)')
      migrate(db, now(), steps)
      expect(schemaVersion(db)).toBe(3)
      expect(tablesOf(db)).toEqual(['one', 'schema_version', 'three'])
      expect(db.prepare('SELECT a, b FROM one').all()).toEqual(from === 0 ? [] : [{ a: 21, b: from === 1 ? 42 : null }])
    }
  })

  test('a journal of the first version keeps what it holds', () => {
    const db = new DatabaseSync(':memory:')
    migrate(db, now(), migrations.slice(0, 1))
    db.exec(`INSERT INTO quarantines VALUES ('camera', '2026-05-01T10:00:00.000Z', 1777629600000, 'i', 'spent')`)
    migrate(db, now())
    const { quarantined, proven } = new Store(db).readBack(Date.now())
    expect(quarantined).toEqual([{ service: 'camera', sinceWall: 1_777_629_600_000, reason: 'spent' }])
    expect(proven).toEqual([])
  })

  test('a step that fails leaves the version before it whole', () => {
    const db = new DatabaseSync(':memory:')
    expect(() =>
      migrate(db, now(), [
        'CREATE TABLE one (a)',
        'CREATE TABLE two (b); CREATE TABLE one (c)',
        'CREATE TABLE three (d)',
      ]),
    ).toThrow(/already exists/)
    expect(schemaVersion(db)).toBe(1)
    expect(tablesOf(db)).toEqual(['one', 'schema_version'])
  })
})

describe('a database of the version before', () => {
  const before = migrations.slice(0, 2)

  /** As the former Medyk left it, by its own statements: these have no columns that came later. */
  function ofVersion2(file: string): void {
    const { db, problems } = openDatabase(file, { ...options, schema: before })
    expect([problems, schemaVersion(db)]).toEqual([[], 2])
    const payload = JSON.stringify
    const at = '2026-05-01T10:00:00.000Z'
    const event = (type: string, what: object) =>
      db.prepare('INSERT INTO events (at, type, payload) VALUES (?, ?, ?)').run(at, type, payload(what))
    db.prepare('INSERT INTO incidents VALUES (?, ?, ?, ?, ?)').run('i1', 'camera', at, null, payload(incident('i1')))
    db.prepare(
      'INSERT INTO actions (id, incident, service, action, decided_at, decided_wall) VALUES (?, ?, ?, ?, ?, ?)',
    ).run('a1', 'i1', 'camera', payload(action('a1', { incident: 'i1' })), at, Date.parse(at))
    db.prepare('INSERT INTO quarantines VALUES (?, ?, ?, ?, ?)').run('camera', at, Date.parse(at), 'i1', 'spent')
    db.prepare('INSERT INTO proven VALUES (?, ?, ?, ?)').run('camera-1', 'camera', 'p', at)
    event('incident.opened', incident('i1'))
    event('action.decided', { action: action('a1', { incident: 'i1' }), decidedAt: at })
    event('action.finished', { action: 'a1', outcome: {} })
    event('action.withheld', { service: 'camera', incident: 'i1', reason: 'it waits' })
    event('service.quarantined', { service: 'camera', incident: 'i1' })
    event('service.released', { service: 'camera' })
    db.close()
  }

  const content = (db: DatabaseSync) =>
    ['incidents', 'actions', 'quarantines', 'proven', 'events'].map((table) => [
      table,
      db.prepare(`SELECT * FROM ${table}`).all(),
    ])

  test('is brought forward with nothing lost, and its record is told by incident', async () => {
    const dir = freshDir()
    ofVersion2(path.join(dir, 'journal.db'))
    const journal = await open(dir)
    expect(journal.problems).toEqual([])
    const { incidents, quarantined, pending, proven } = await journal.readBack()
    expect([incidents.length, quarantined.length, pending.length, proven.length]).toEqual([1, 1, 1, 1])
    expect(await journal.events({ limit: 100 })).toHaveLength(6)
    expect((await journal.eventsOf('i1', 100)).map(({ type }) => type)).toEqual([
      'incident.opened',
      'action.decided',
      'action.finished',
      'action.withheld',
      'service.quarantined',
    ])
  })

  test('is copied first, for its owner only; put back, the former Medyk goes on where it was', () => {
    const dir = freshDir()
    const file = path.join(dir, 'journal.db')
    ofVersion2(file)
    const former = new DatabaseSync(file, { readOnly: true })
    const held = content(former)
    former.close()
    writeFileSync(`${file}.v1.bak`, 'an older copy')

    const { db, problems } = openDatabase(file, options)
    new Store(db).saveBoot('camera', 1, now())
    db.close()
    expect(problems).toEqual([])
    expect(readdirSync(dir).filter((name) => name.includes('.bak'))).toEqual(['journal.db.v2.bak'])
    expect(statSync(`${file}.v2.bak`).mode & 0o777).toBe(0o600)
    // What it cannot read it refuses, rather than to lose what it does not know.
    expect(() => openDatabase(file, { ...options, schema: before })).toThrow(/has schema version 3; this Medyk knows 2/)

    for (const suffix of ['-wal', '-shm']) rmSync(file + suffix, { force: true })
    copyFileSync(`${file}.v2.bak`, file)
    const back = openDatabase(file, { ...options, schema: before })
    expect([back.problems, schemaVersion(back.db), content(back.db)]).toEqual([[], 2, held])
    back.db.close()
  })

  test('that cannot be copied is brought forward all the same, and that is told', () => {
    const dir = freshDir()
    const file = path.join(dir, 'journal.db')
    ofVersion2(file)
    mkdirSync(path.join(dir, 'journal.db.v2.bak'))
    const { db, problems } = openDatabase(file, options)
    expect(schemaVersion(db)).toBe(migrations.length)
    expect(problems).toEqual([expect.stringMatching(/before its upgrade from version 2 .* could not be copied/)])
    db.close()
  })
})

describe('a database with a newer schema', () => {
  test('is refused with what to do, and not a byte of it changes', async () => {
    const dir = freshDir()
    await (await open(dir)).close()
    const file = path.join(dir, 'journal.db')
    const db = new DatabaseSync(file)
    db.exec(`INSERT INTO schema_version VALUES (${migrations.length + 1}, 'tomorrow')`)
    db.close()
    const before = readFileSync(file)
    await expect(open(dir)).rejects.toMatchObject({
      code: 'ERR_JOURNAL_SCHEMA',
      message: `${file} has schema version ${migrations.length + 1}; this Medyk knows ${migrations.length}`,
      hint: /newer Medyk/,
    })
    expect(readFileSync(file).equals(before)).toBe(true)
  })

  test('a version that is known is not refused', () => {
    expect(() => refuseNewer('f', 1, 1)).not.toThrow()
    expect(() => refuseNewer('f', 2, 1)).toThrow()
  })
})

describe('a damaged database', () => {
  async function filled(dir: string): Promise<string> {
    const journal = await open(dir)
    const calls: Promise<void>[] = []
    for (let i = 0; i < 500; i++) calls.push(journal.saveIncident(incident(`i${i}`), 'incident.opened'))
    await Promise.all(calls)
    await journal.close()
    return path.join(dir, 'journal.db')
  }

  test.each([
    ['overwritten with text', (bytes: Buffer) => bytes.fill('not a database '), true],
    ['with its header torn off', (bytes: Buffer) => bytes.subarray(100), true],
    ['cut in half', (bytes: Buffer) => bytes.subarray(0, Math.floor(bytes.length / 8192) * 4096), true],
    ['with a page of zeros', (bytes: Buffer) => bytes.fill(0, 4096 * 3, 4096 * 4), true],
    ['that is whole', (bytes: Buffer) => bytes, false],
  ])('%s is kept aside, and only then', async (_name, harm, isDamaged) => {
    const dir = freshDir()
    const file = await filled(dir)
    const harmed = Buffer.from(harm(readFileSync(file)))
    writeFileSync(file, harmed)
    const journal = await open(dir)
    const aside = readdirSync(dir).filter((name) => name.includes('corrupt'))
    if (!isDamaged) {
      expect([aside, journal.problems]).toEqual([[], []])
      expect(await journal.incidents({ limit: 1_000 })).toHaveLength(500)
      return
    }
    expect(aside).toHaveLength(1)
    expect(aside[0]).toMatch(/^journal\.db\.corrupt-\d{8}T\d{6}Z$/)
    expect(readFileSync(path.join(dir, aside[0] ?? '')).equals(harmed)).toBe(true)
    expect(journal.problems).toHaveLength(1)
    expect(journal.problems[0]).toContain(`kept as ${aside[0]}`)
    expect(await journal.incidents({ limit: 10 })).toEqual([])
    await journal.saveIncident(incident('new'), 'incident.opened')
    expect(journal.state).toBe('ok')
  })

  test('an empty file is as good as none', async () => {
    const dir = freshDir()
    writeFileSync(path.join(dir, 'journal.db'), '')
    expect((await open(dir)).problems).toEqual([])
  })

  test('the log of the damaged one is not taken for one of the new', () => {
    const dir = freshDir()
    const file = path.join(dir, 'journal.db')
    writeFileSync(file, 'x'.repeat(10_000))
    writeFileSync(`${file}-wal`, 'y'.repeat(10_000))
    const { db, problems } = openDatabase(file, options)
    db.close()
    expect(problems).toHaveLength(1)
    expect(readFileSync(`${file}.corrupt-20260501T100000Z-wal`, 'utf8')).toMatch(/^y+$/)
  })

  test('no more than five are kept, the newest', () => {
    const dir = freshDir()
    const file = path.join(dir, 'journal.db')
    for (let i = 0; i < 8; i++) {
      writeFileSync(file, `damage ${i} `.repeat(1_000))
      openDatabase(file, { ...options, now: `2026-05-01T10:00:0${i}.000Z` }).db.close()
    }
    const kept = readdirSync(dir).filter((name) => name.includes('corrupt'))
    expect(kept.map((name) => readFileSync(path.join(dir, name), 'utf8').slice(0, 8))).toEqual(
      [3, 4, 5, 6, 7].map((i) => `damage ${i}`),
    )
  })

  test('damage that shows only while it is running is repaired by the next calls', async () => {
    const dir = freshDir()
    const journal = await open(dir)
    await journal.commitIntent(action('a1'), now())
    // Behind the back of the one that has it open, as a failing disk would.
    const file = path.join(dir, 'journal.db')
    const db = new DatabaseSync(file)
    db.exec('PRAGMA wal_checkpoint(TRUNCATE)')
    db.close()
    writeFileSync(file, Buffer.alloc(statSync(file).size, 'damage'), { flag: 'r+' })
    await expect
      .poll(
        () =>
          journal.commitIntent(action(`b${Math.random()}`), now()).then(
            () => 'ok',
            () => 'no',
          ),
        { timeout: 30_000, interval: 100 },
      )
      .toBe('ok')
    await expect.poll(() => journal.problems.length, { timeout: 30_000 }).toBeLessThanOrEqual(1)
  })
})

describe('the state directory', () => {
  test('belongs to one at a time, and the error names the other', async () => {
    const dir = freshDir()
    const first = await open(dir)
    await expect(open(dir)).rejects.toMatchObject({
      code: 'ERR_STATE_IN_USE',
      message: expect.stringContaining(`the daemon with pid ${process.pid}, since 20`) as string,
      hint: expect.stringContaining(`kill ${process.pid}`) as string,
    })
    // The attempt must not have loosened the lock.
    await expect(open(dir)).rejects.toMatchObject({ code: 'ERR_STATE_IN_USE' })
    await first.appendEvent('note', {})
    await first.close()
    await (await open(dir)).appendEvent('note', {})
  })

  test('is free at once when its daemon was killed, and taken while it lives', async () => {
    const dir = freshDir()
    const child = spawn(
      process.execPath,
      ['--conditions=medyk-source', path.join(import.meta.dirname, 'testdata', 'hold.ts'), dir],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    )
    onTestFinished(() => void child.kill('SIGKILL'))
    await once(child.stdout, 'data')
    await expect(open(dir)).rejects.toMatchObject({
      code: 'ERR_STATE_IN_USE',
      message: expect.stringContaining(`pid ${child.pid}`) as string,
    })
    // Not waiting for its end: the next daemon may come right after the kill.
    child.kill('SIGKILL')
    const journal = await open(dir)
    expect((await journal.readBack()).pending).toHaveLength(1)
    expect(journal.problems).toEqual([])
  })

  test('of one that died does not name whoever has its pid now', async () => {
    const dir = freshDir()
    writeFileSync(
      path.join(dir, 'daemon.json'),
      JSON.stringify({ pid: process.pid, startTicks: '1', since: 'long ago' }),
    )
    const holder = new DatabaseSync(path.join(dir, 'daemon.lock'))
    onTestFinished(() => holder.close())
    holder.exec('BEGIN EXCLUSIVE')
    await expect(open(dir)).rejects.toMatchObject({ message: expect.stringMatching(/^another process uses/) as string })
  })

  test('is refused when every user can write it', async () => {
    const dir = path.join(freshDir(), 'open')
    mkdirSync(dir)
    chmodSync(dir, 0o777)
    await expect(open(dir)).rejects.toMatchObject({ code: 'ERR_STATE_DIR', hint: `chmod o-w ${dir}` })
    expect(existsSync(path.join(dir, 'journal.db'))).toBe(false)
  })

  test('cannot be a file', async () => {
    const file = path.join(freshDir(), 'file')
    writeFileSync(file, '')
    await expect(open(file)).rejects.toMatchObject({
      code: 'ERR_STATE_DIR',
      message: expect.stringContaining(file) as string,
    })
  })
})
