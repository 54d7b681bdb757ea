import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { silentLogger, systemClock } from '@medyk/health/internal'
import { expect, test } from 'vitest'
import { openJournal } from '../../src/monitor/journal/index.ts'
import { nthAction, nthOutcome } from '../../src/monitor/journal/testdata/nth.ts'

const KILLS = 50
const WRITER = path.resolve(import.meta.dirname, '../../src/monitor/journal/testdata/writer.ts')

interface Life {
  readonly first: number
  /** Writers at once. */
  readonly lanes: number
  readonly killAfterMs: number
  /** Counted from the start of the process, hence into the opening, or from the end of the opening. */
  readonly from: 'start' | 'open'
}

/** Writes until it is killed; returns what it was acknowledged, as it said itself. */
async function live(stateDir: string, { first, lanes, killAfterMs, from }: Life): Promise<string[]> {
  const child = spawn(process.execPath, ['--conditions=medyk-source', WRITER, stateDir, String(first), String(lanes)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let said = ''
  if (from === 'start') setTimeout(() => child.kill('SIGKILL'), killAfterMs)
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    if (said === '' && from === 'open') setTimeout(() => child.kill('SIGKILL'), killAfterMs)
    said += chunk
  })
  const [code, signal] = (await once(child, 'close')) as [number | null, string | null]
  expect([code, signal]).toEqual([null, 'SIGKILL'])
  const lines = said.split('\n')
  // The last one may be cut off by the kill.
  lines.pop()
  expect(lines[0] ?? 'open').toBe('open')
  return lines.slice(1)
}

test(
  `nothing acknowledged is lost and nothing is torn over ${KILLS} kills with SIGKILL at any moment`,
  { timeout: 600_000 },
  async () => {
    const stateDir = mkdtempSync(path.join(tmpdir(), 'medyk-kill-'))
    const intents = new Set<number>()
    const outcomes = new Set<number>()
    try {
      for (let kill = 0; kill < KILLS; kill++) {
        // Every life begins right after the kill of the one before: its lock must be free, its half-done work undone.
        const said = await live(stateDir, {
          first: kill * 1_000_000,
          lanes: kill % 2 === 0 ? 1 : 16,
          ...(kill % 5 === 4
            ? { killAfterMs: 60 + ((kill * 53) % 240), from: 'start' }
            : { killAfterMs: (kill * 37) % 150, from: 'open' }),
        })
        for (const line of said) {
          const [number, isDone] = line.split(' ')
          ;(isDone ? outcomes : intents).add(Number(number))
        }
      }
      const journal = await openJournal({ stateDir, logger: silentLogger, clock: systemClock, deadlineMs: 60_000 })
      const { pending, attempts } = await journal.readBack()
      const kept = new Map<number, string | null>()
      for (let i = 0; i < 17; i++) {
        await journal.saveIncident({ ...template, id: `incident-${i}` }, 'incident.opened')
        for (const row of (await journal.incident(`incident-${i}`))?.actions ?? []) {
          const n = Number(row.action.id.slice('action-'.length))
          expect(row.action).toEqual(nthAction(n))
          if (row.outcome !== null) expect(row.outcome).toEqual(nthOutcome(n))
          kept.set(n, row.outcome?.result ?? null)
        }
      }
      expect(journal.problems).toEqual([])
      await journal.close()

      expect([...intents].filter((n) => !kept.has(n))).toEqual([])
      expect([...outcomes].filter((n) => kept.get(n) !== 'done')).toEqual([])
      // At most what each lane had under way at each kill may be there without having been acknowledged.
      expect(kept.size - intents.size).toBeLessThanOrEqual(KILLS * 16)
      expect(pending).toHaveLength([...kept.values()].filter((result) => result === null).length)
      expect(attempts).toHaveLength(kept.size)
      // The kills have to have met work, or nothing is proven.
      expect(intents.size).toBeGreaterThan(KILLS * 5)
      console.log(
        `${KILLS} kills, ${intents.size} intents and ${outcomes.size} outcomes acknowledged, 0 lost, ${kept.size - intents.size} written and not acknowledged`,
      )
    } finally {
      rmSync(stateDir, { recursive: true, force: true })
    }
  },
)

const template = {
  service: 's',
  instance: null,
  cause: 'self',
  severity: 'unhealthy',
  symptom: 'exited',
  evidence: 'certain',
  reason: '',
  openedAt: '2026-05-01T10:00:00.000Z',
  detectedAt: '2026-05-01T10:00:00.000Z',
  recoveredAt: null,
  closedAt: null,
  impacted: [],
} as const
