import { readdirSync, statSync } from 'node:fs'
import path from 'node:path'
import { Worker } from 'node:worker_threads'
import { silentLogger, systemClock } from '@medyk/health/internal'
import { describe, expect, onTestFinished, test } from 'vitest'
import { openJournalOn, type JournalState } from './journal.ts'
import { action, done, freshDir, incident, iso, open } from './journal.testing.ts'

const now = () => iso(Date.now())

describe('what is remembered', () => {
  test('survives closing and opening, as it was written', async () => {
    const dir = freshDir()
    const before = await open(dir)
    const recent = Date.now() - 60_000
    const first = incident('incident-1', {
      impacted: [{ service: 'tracking', since: iso(recent), reason: 'żółw "quoted"\n' }],
    })
    await before.saveIncident(first, 'incident.opened')
    await before.saveIncident(incident('incident-2', { closedAt: now() }), 'incident.closed')
    await before.commitIntent(action('a1'), iso(recent))
    await before.commitOutcome('a1', done, iso(recent + 500))
    await before.commitIntent(action('a2', { attempt: 2 }), iso(recent + 1_000))
    await before.saveQuarantine('camera', iso(recent), 'incident-1', '5 attempts did not help')
    await before.close()

    const after = await open(dir)
    expect(after.problems).toEqual([])
    expect(await after.readBack()).toEqual({
      incidents: [first],
      attempts: [
        { service: 'frame-buffer', wall: recent },
        { service: 'frame-buffer', wall: recent + 1_000 },
      ],
      quarantined: [{ service: 'camera', sinceWall: recent, reason: '5 attempts did not help' }],
      pending: [action('a2', { attempt: 2 })],
      proven: [],
      boots: [],
      maintenance: [],
    })
    expect(await after.incident('incident-1')).toEqual({
      incident: first,
      actions: [
        { action: action('a1'), decidedAt: iso(recent), finishedAt: iso(recent + 500), outcome: done },
        { action: action('a2', { attempt: 2 }), decidedAt: iso(recent + 1_000), finishedAt: null, outcome: null },
      ],
    })
    expect(await after.incident('nobody')).toBeNull()
  })

  test('an interrupted action keeps counting and is pending no more', async () => {
    const journal = await open(freshDir())
    await journal.commitIntent(action('a1'), now())
    await journal.markInterrupted('a1')
    const { attempts, pending } = await journal.readBack()
    expect(attempts).toHaveLength(1)
    expect(pending).toEqual([])
    await journal.saveIncident(incident('incident-1'), 'incident.opened')
    expect((await journal.incident('incident-1'))?.actions[0]?.outcome?.result).toBe('interrupted')
  })

  test('an aborted action does not count, nor one older than a day; one from the future does', async () => {
    const journal = await open(freshDir())
    const day = 86_400_000
    await journal.commitIntent(action('aborted'), now())
    await journal.commitOutcome('aborted', { ...done, result: 'aborted' }, now())
    await journal.commitIntent(action('old'), iso(Date.now() - day - 1_000))
    await journal.commitIntent(action('young', { service: 'young' }), iso(Date.now() - day + 60_000))
    // The wall clock went back meanwhile.
    await journal.commitIntent(action('future', { service: 'future' }), iso(Date.now() + day))
    expect((await journal.readBack()).attempts.map(({ service }) => service)).toEqual(['young', 'future'])
  })

  test('a quarantine ends when it is cleared', async () => {
    const journal = await open(freshDir())
    await journal.saveQuarantine('camera', now(), 'incident-1', 'spent')
    await journal.clearQuarantine('camera')
    await journal.clearQuarantine('camera')
    expect((await journal.readBack()).quarantined).toEqual([])
    expect((await journal.events({ limit: 10 })).map(({ type }) => type)).toEqual([
      'service.quarantined',
      'service.released',
    ])
  })

  test('who has been healthy is remembered once per instance, until its service is no longer watched', async () => {
    const dir = freshDir()
    const before = await open(dir)
    await before.saveProven({ instance: 'camera-1', service: 'camera', probes: 'p1' })
    await before.saveProven({ instance: 'tracker-1', service: 'tracker', probes: 'p2' })
    await before.saveProven({ instance: 'camera-1', service: 'camera', probes: 'p3' })
    await before.close()
    const after = await open(dir)
    const camera = { instance: 'camera-1', service: 'camera', probes: 'p3' }
    expect((await after.readBack()).proven).toEqual([
      camera,
      { instance: 'tracker-1', service: 'tracker', probes: 'p2' },
    ])
    await after.retainProven(['camera', 'something-new'])
    expect((await after.readBack()).proven).toEqual([camera])
    expect(await after.events({ limit: 10 })).toEqual([])
  })

  test('incidents come newest first, page by page', async () => {
    const journal = await open(freshDir())
    for (const minute of [3, 1, 5, 2, 4]) {
      await journal.saveIncident(
        incident(`i${minute}`, { openedAt: `2026-05-01T10:0${minute}:00.000Z` }),
        'incident.opened',
      )
    }
    const ids = async (before?: string) =>
      (await journal.incidents({ limit: 2, ...(before === undefined ? {} : { before }) })).map((row) => row.incident.id)
    expect(await ids()).toEqual(['i5', 'i4'])
    expect(await ids('i4')).toEqual(['i3', 'i2'])
    expect(await ids('i2')).toEqual(['i1'])
    expect(await ids('i1')).toEqual([])
    await expect(ids('i9')).rejects.toMatchObject({ code: 'ERR_JOURNAL_UNKNOWN' })
  })

  test('the record has every transition in the order of the calls, however fast they come', async () => {
    const journal = await open(freshDir())
    const calls = [journal.saveIncident(incident('i1'), 'incident.opened')]
    for (let i = 0; i < 300; i++) calls.push(journal.appendEvent('note', { i }))
    calls.push(journal.saveIncident(incident('i1', { closedAt: now() }), 'incident.closed'))
    await Promise.all(calls)
    const events = await journal.events({ limit: 1_000 })
    expect(events.map(({ seq }) => seq)).toEqual(Array.from({ length: 302 }, (_, i) => i + 1))
    expect(events.map(({ type }) => type)).toEqual([
      'incident.opened',
      ...Array<string>(300).fill('note'),
      'incident.closed',
    ])
    expect(events.slice(1, 301).map(({ payload }) => payload)).toEqual(Array.from({ length: 300 }, (_, i) => ({ i })))
    expect(await journal.events({ limit: 1, after: 301 })).toMatchObject([{ payload: { id: 'i1' } }])
  })

  test('secrets do not enter the audit', async () => {
    const journal = await open(freshDir())
    await journal.appendEvent('command.refused', { who: 'ops', detail: 'url http://ops:hunter2@host/ was asked' })
    expect(JSON.stringify(await journal.events({ limit: 1 }))).not.toContain('hunter2')
  })

  test('nobody else can read it', async () => {
    const dir = path.join(freshDir(), 'deep', 'state')
    const journal = await open(dir)
    await journal.appendEvent('note', {})
    expect(statSync(dir).mode & 0o777).toBe(0o700)
    for (const name of readdirSync(dir)) expect([name, statSync(path.join(dir, name)).mode & 0o077]).toEqual([name, 0])
  })
})

describe('notes that are kept as they stand', () => {
  test('maintenance is one per service, ends by its time or by hand, and survives', async () => {
    const dir = freshDir()
    const before = await open(dir)
    const held = { service: 'camera', by: 'operator', reason: 'lens', since: now(), until: iso(Date.now() + 600_000) }
    await before.saveMaintenance({ ...held, reason: 'first' })
    await before.saveMaintenance(held)
    await before.saveMaintenance({ ...held, service: 'over', until: iso(Date.now() - 1) })
    await before.saveMaintenance({ ...held, service: 'ended' })
    await before.clearMaintenance('ended')
    await before.close()
    const after = await open(dir)
    expect(await after.maintenance()).toEqual([held])
    expect((await after.readBack()).maintenance).toEqual([held])
    expect((await after.events({ limit: 10 })).map(({ type }) => type)).toEqual([
      ...Array<string>(4).fill('maintenance.started'),
      'maintenance.ended',
    ])
  })

  test('the longest boot of a service stays', async () => {
    const journal = await open(freshDir())
    for (const ms of [1_200, 90_500.5, 3]) await journal.saveBoot('tracker', ms)
    expect((await journal.readBack()).boots).toEqual([{ service: 'tracker', bootMs: 90_500.5 }])
    await expect(journal.saveBoot('tracker', Number.NaN)).rejects.toMatchObject({ code: 'ERR_JOURNAL_INPUT' })
  })

  test('of the same key claimed many times at once exactly one claim is fresh, over a restart too', async () => {
    const dir = freshDir()
    const journal = await open(dir)
    const claims = await Promise.all(Array.from({ length: 20 }, (_, i) => journal.claimKey('k', `f${i}`, { i })))
    expect(claims.map(({ fresh }) => fresh)).toEqual([true, ...Array<boolean>(19).fill(false)])
    for (const claim of claims) expect(claim).toMatchObject({ fingerprint: 'f0', answer: { i: 0 } })
    await journal.close()
    expect(await (await open(dir)).claimKey('k', 'f', null)).toEqual({
      fresh: false,
      fingerprint: 'f0',
      answer: { i: 0 },
    })
  })

  test('the state at the opening of an incident is kept once, redacted, and not without its incident', async () => {
    const journal = await open(freshDir())
    await expect(journal.saveForensics('i1', {})).rejects.toMatchObject({ code: 'ERR_JOURNAL_UNKNOWN' })
    await journal.saveIncident(incident('i1'), 'incident.opened')
    await journal.saveForensics('i1', { logs: 'password=hunter2' })
    await journal.saveForensics('i1', { logs: 'later' })
    expect(await journal.forensics('i1')).toEqual({ logs: 'password=[redacted]' })
    expect(await journal.forensics('i2')).toBeNull()
    await expect(journal.saveForensics('i1', { logs: 'x'.repeat(70_000) })).rejects.toMatchObject({
      code: 'ERR_JOURNAL_INPUT',
    })
  })

  test('what an operator did counts in no budget', async () => {
    const journal = await open(freshDir())
    await journal.commitIntent(action('o1', { incident: 'operator-1' }), now())
    await journal.commitIntent(action('a1'), now())
    const { attempts, pending } = await journal.readBack()
    expect([attempts.length, pending.map(({ id }) => id)]).toEqual([1, ['o1', 'a1']])
    expect(await journal.action('o1')).toMatchObject({ action: { id: 'o1' }, outcome: null })
    expect(await journal.action('o2')).toBeNull()
  })

  test('an incident has its own record: what was decided, what was not, and why', async () => {
    const journal = await open(freshDir())
    await journal.saveIncident(incident('i1'), 'incident.opened')
    await journal.appendEvent('action.withheld', { reason: 'it waits' }, 'i1')
    await journal.commitIntent(action('a1', { incident: 'i1' }), now())
    await journal.commitOutcome('a1', done, now())
    await journal.saveQuarantine('frame-buffer', now(), 'i1', 'spent')
    await journal.clearQuarantine('frame-buffer')
    await journal.appendEvent('action.withheld', { reason: 'another' }, 'i2')
    expect((await journal.eventsOf('i1', 100)).map(({ type }) => type)).toEqual([
      'incident.opened',
      'action.withheld',
      'action.decided',
      'action.finished',
      'service.quarantined',
      'service.released',
    ])
  })
})

describe('what is refused', () => {
  test('a second intent with the same id, and a second outcome; the first stands', async () => {
    const journal = await open(freshDir())
    await journal.commitIntent(action('a1'), now())
    await expect(journal.commitIntent(action('a1', { kind: 'start' }), now())).rejects.toMatchObject({
      code: 'ERR_JOURNAL_DUPLICATE',
    })
    await journal.commitOutcome('a1', done, now())
    await expect(journal.markInterrupted('a1')).rejects.toMatchObject({ code: 'ERR_JOURNAL_DUPLICATE' })
    await expect(journal.commitOutcome('a2', done, now())).rejects.toMatchObject({ code: 'ERR_JOURNAL_UNKNOWN' })
    expect((await journal.events({ limit: 10 })).map(({ type }) => type)).toEqual(['action.decided', 'action.finished'])
    expect(journal.state).toBe('ok')
  })

  test('a refused record leaves those that shared its transaction alone', async () => {
    const journal = await open(freshDir())
    const results = await Promise.allSettled(
      ['a1', 'a2', 'a1', 'a3'].map((id) => journal.commitIntent(action(id), now())),
    )
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected', 'fulfilled'])
    expect((await journal.readBack()).pending.map(({ id }) => id)).toEqual(['a1', 'a2', 'a3'])
  })

  test('a time that is none, and a payload that is too large', async () => {
    const journal = await open(freshDir())
    await expect(journal.commitIntent(action('a1'), 'yesterday')).rejects.toMatchObject({ code: 'ERR_JOURNAL_INPUT' })
    await expect(journal.appendEvent('x', { text: 'x'.repeat(70_000) })).rejects.toMatchObject({
      code: 'ERR_JOURNAL_INPUT',
    })
    const huge = incident('i1', { reason: 'x'.repeat(1_100_000) })
    await expect(journal.saveIncident(huge, 'incident.opened')).rejects.toMatchObject({ code: 'ERR_JOURNAL_INPUT' })
    expect(await journal.incident('i1')).toBeNull()
  })

  test('more calls at once than the queue takes', async () => {
    const journal = await open(freshDir(), { maxQueue: 10 })
    const results = await Promise.allSettled(Array.from({ length: 25 }, (_, i) => journal.appendEvent('note', { i })))
    const refused = results.filter((each) => each.status === 'rejected')
    expect(refused).toHaveLength(15)
    expect(refused[0]?.reason).toMatchObject({ code: 'ERR_JOURNAL_BUSY' })
    await journal.appendEvent('note', {})
  })

  test('every call after closing; calls before it are carried out', async () => {
    const dir = freshDir()
    const journal = await open(dir)
    const calls = Array.from({ length: 100 }, (_, i) => journal.commitIntent(action(`a${i}`), now()))
    await Promise.all([journal.close(), journal.close()])
    await Promise.all(calls)
    expect(journal.state).toBe('closed')
    await expect(journal.readBack()).rejects.toMatchObject({ code: 'ERR_JOURNAL_CLOSED' })
    expect((await (await open(dir)).readBack()).pending).toHaveLength(100)
  })
})

describe('when the worker ends unasked', () => {
  async function openKillable() {
    const workers: Worker[] = []
    const states: JournalState[] = []
    const journal = await openJournalOn(
      (workerData) => {
        const worker = new Worker(new URL(import.meta.resolve('#journal')), { workerData })
        workers.push(worker)
        return worker
      },
      {
        stateDir: freshDir(),
        logger: silentLogger,
        clock: systemClock,
        deadlineMs: 30_000,
        onStateChange: (state) => states.push(state),
      },
    )
    onTestFinished(() => journal.close())
    return { journal, workers, states }
  }

  test('calls under way are rejected, and a later one starts it again with all that was acknowledged', async () => {
    const { journal, workers, states } = await openKillable()
    await journal.commitIntent(action('a1'), now())
    const under = Array.from({ length: 200 }, (_, i) => journal.commitIntent(action(`b${i}`), now()))
    const settled = Promise.allSettled(under)
    await workers[0]?.terminate()
    const results = await settled
    const kept = results.filter((each) => each.status === 'fulfilled').length
    for (const each of results) {
      if (each.status === 'rejected') expect(each.reason).toMatchObject({ code: 'ERR_JOURNAL_WORKER' })
    }
    expect(journal.state).toBe('degraded')

    // Restarts are rationed: one per second.
    await expect
      .poll(
        () =>
          journal.commitIntent(action('after'), now()).then(
            () => 'ok',
            () => 'no',
          ),
        { timeout: 30_000, interval: 200 },
      )
      .toBe('ok')
    expect(journal.state).toBe('ok')
    expect(states).toEqual(['degraded', 'ok'])
    expect(workers).toHaveLength(2)
    const { pending } = await journal.readBack()
    const ids = pending.map(({ id }) => id)
    expect(ids[0]).toBe('a1')
    expect(ids.at(-1)).toBe('after')
    // Acknowledged implies written; written without the acknowledgement having arrived is allowed.
    expect(ids.length).toBeGreaterThanOrEqual(kept + 2)
  })

  test('a worker that is stuck lets no call wait beyond its deadline', async () => {
    const stuck = new Worker(
      'const { parentPort } = require("node:worker_threads"); parentPort.on("message", () => { for (;;); }); parentPort.postMessage({ type: "ready", problems: [] })',
      { eval: true },
    )
    const journal = await openJournalOn(() => stuck, {
      stateDir: '/nowhere',
      logger: silentLogger,
      clock: systemClock,
      deadlineMs: 150,
      maxQueue: 3,
    })
    onTestFinished(() => void stuck.terminate())
    const calls = Array.from({ length: 4 }, () => journal.readBack())
    const results = await Promise.allSettled(calls)
    expect(results.map((each) => (each.status === 'rejected' ? (each.reason as { code: string }).code : 'ok'))).toEqual(
      ['ERR_DEADLINE', 'ERR_DEADLINE', 'ERR_DEADLINE', 'ERR_JOURNAL_BUSY'],
    )
    // Nobody waits for the three any more, but they still lie in its queue.
    await expect(journal.readBack()).rejects.toMatchObject({ code: 'ERR_JOURNAL_BUSY' })
  })

  test('one that cannot even open says why', async () => {
    const worker = new Worker('throw new Error("no room in the engine")', { eval: true })
    await expect(
      openJournalOn(() => worker, { stateDir: '/nowhere', logger: silentLogger, clock: systemClock }),
    ).rejects.toMatchObject({ code: 'ERR_JOURNAL_WORKER', message: 'the journal crashed: no room in the engine' })
  })
})
