import { execFileSync, spawn, spawnSync, type ChildProcessWithoutNullStreams } from 'node:child_process'
import { mkdtempSync, rmSync, statfsSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { createInterface } from 'node:readline'
import { silentLogger, systemClock } from '@medyk/health/internal'
import { expect, onTestFinished, test } from 'vitest'
import { openJournal, type JournalState } from '../../src/monitor/journal/index.ts'

function freshDir(): string {
  const dir = mkdtempSync(path.join(tmpdir(), 'medyk-disk-'))
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }))
  return dir
}

/** A directory on a file system of its own of one MiB; null where this user may not mount one. */
function smallDisk(): string | null {
  const dir = freshDir()
  if (spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=1m,mode=700', 'tmpfs', dir]).status !== 0) return null
  onTestFinished(() => void execFileSync('umount', ['-l', dir]))
  return dir
}

test('a full disk: writes are refused, reads go on, and the first write that fits again ends it', async (context) => {
  const dir = smallDisk()
  if (dir === null) {
    context.skip('no permission to mount a small file system')
    return
  }
  const states: JournalState[] = []
  const journal = await openJournal({
    stateDir: dir,
    logger: silentLogger,
    clock: systemClock,
    deadlineMs: 60_000,
    onStateChange: (state) => states.push(state),
  })
  onTestFinished(() => journal.close())
  await journal.saveQuarantine('camera', new Date().toISOString(), 'i', 'spent')
  const { bavail, bsize } = statfsSync(dir)
  writeFileSync(path.join(dir, 'ballast'), Buffer.alloc(bavail * bsize - 3 * 4_096))

  const write = () => journal.appendEvent('note', { text: 'x'.repeat(20_000) })
  let acknowledged = 0
  const failure = await (async () => {
    for (;;) {
      await write()
      acknowledged++
    }
  })().catch((error: unknown) => error)
  expect(failure).toMatchObject({ code: 'ERR_JOURNAL_WRITE', hint: `free space on the file system of ${dir}` })
  expect(journal.state).toBe('degraded')
  await expect(write()).rejects.toMatchObject({ code: 'ERR_JOURNAL_WRITE' })
  expect((await journal.readBack()).quarantined).toHaveLength(1)

  rmSync(path.join(dir, 'ballast'))
  await write()
  expect(journal.state).toBe('ok')
  expect(states).toEqual(['degraded', 'ok'])
  expect((await journal.events({ limit: 1_000 })).filter(({ type }) => type === 'note')).toHaveLength(acknowledged + 1)
})

test('a limit on the size of files: the same, by another error of the system', async () => {
  const dir = freshDir()
  const script = path.resolve(import.meta.dirname, '../../src/monitor/journal/testdata/obey.ts')
  const child: ChildProcessWithoutNullStreams = spawn(process.execPath, ['--conditions=medyk-source', script, dir])
  onTestFinished(() => void child.kill('SIGKILL'))
  const answers = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const answer = async () => JSON.parse(String((await answers.next()).value)) as unknown
  const write = (bytes: number) => {
    child.stdin.write(`${bytes}\n`)
    return answer()
  }
  const limit = (soft: string) => execFileSync('prlimit', ['--pid', String(child.pid), `--fsize=${soft}:unlimited`])

  expect(await answer()).toEqual({ result: 'open', state: 'ok' })
  expect(await write(10)).toEqual({ result: 'ok', state: 'ok' })
  limit('4096')
  expect(await write(60_000)).toEqual({ result: 'ERR_JOURNAL_WRITE', state: 'degraded' })
  limit('unlimited')
  expect(await write(60_000)).toEqual({ result: 'ok', state: 'ok' })
})

test('a read-only disk is refused at opening, with what to do', async (context) => {
  const dir = smallDisk()
  if (dir === null) {
    context.skip('no permission to mount a small file system')
    return
  }
  const options = { stateDir: dir, logger: silentLogger, clock: systemClock }
  await (await openJournal(options)).close()
  execFileSync('mount', ['-o', 'remount,ro', dir])
  await expect(openJournal(options)).rejects.toMatchObject({
    code: 'ERR_STATE_DIR',
    message: expect.stringContaining(dir) as string,
    hint: expect.stringContaining('--state') as string,
  })
})
