import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { silentLogger, systemClock } from '@medyk/health/internal'
import { onTestFinished } from 'vitest'
import type { Action, ActionOutcome, Incident } from '../model/index.ts'
import { openJournal, type Journal, type JournalOptions } from './index.ts'

export function freshDir(): string {
  const dir = mkdtempSync(path.join(tmpdir(), 'medyk-journal-'))
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }))
  return dir
}

/** A real journal on a real disk, closed when the test ends. */
export async function open(stateDir: string, options: Partial<JournalOptions> = {}): Promise<Journal> {
  const journal = await openJournal({
    stateDir,
    logger: silentLogger,
    clock: systemClock,
    deadlineMs: 30_000,
    ...options,
  })
  onTestFinished(() => journal.close())
  return journal
}

export const iso = (wall: number) => new Date(wall).toISOString()

export function action(id: string, fields: Partial<Action> = {}): Action {
  return {
    id,
    incident: 'incident-1',
    service: 'frame-buffer',
    instance: 'frame-buffer',
    kind: 'restart',
    graceMs: 1_000,
    attempt: 1,
    precondition: { startedAt: '2026-05-01T10:00:00.000Z' },
    reason: 'it does not answer; attempt 1 of 5',
    ...fields,
  }
}

export function incident(id: string, fields: Partial<Incident> = {}): Incident {
  return {
    id,
    service: 'frame-buffer',
    instance: 'frame-buffer',
    cause: 'self',
    severity: 'unhealthy',
    symptom: 'hung',
    evidence: 'silence',
    reason: 'it does not answer',
    openedAt: '2026-05-01T10:00:00.000Z',
    detectedAt: '2026-05-01T10:00:02.600Z',
    recoveredAt: null,
    closedAt: null,
    impacted: [],
    ...fields,
  }
}

export const done: ActionOutcome = { result: 'done', detail: 'started again', startedAt: '2026-05-01T10:00:04.000Z' }
