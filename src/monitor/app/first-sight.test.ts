import { describe, expect, it } from 'vitest'
import type { EndedBy, Incident, Instance } from '../model/index.ts'
import { atFirstSight, type Remembered } from './first-sight.ts'

const WALL = Date.parse('2026-01-01T12:00:00.000Z')
const found = (at = '2026-01-01T11:59:00.000Z', state: Instance['state'] = 'exited'): Instance => ({
  id: 'abc',
  service: 'api',
  kind: 'docker',
  state,
  pid: null,
  startedAt: null,
  exit: { code: 137, signal: null, oomKilled: false, at, endedBy: 'before' },
  failure: null,
  restarts: 0,
})
const incident = (part: Partial<Incident>): Incident => ({
  id: 'i',
  service: 'api',
  instance: 'abc',
  cause: 'self',
  severity: 'unhealthy',
  symptom: 'exited',
  evidence: 'certain',
  reason: '',
  openedAt: '',
  detectedAt: '',
  recoveredAt: null,
  closedAt: null,
  impacted: [],
  ...part,
})
const known = (part: Partial<Remembered> = {}): Remembered => ({
  proven: new Set(['abc']),
  incidents: [],
  endOf: () => 'kill',
  acted: () => false,
  wall: WALL,
  ...part,
})

describe('what is found stopped', () => {
  it.each<[string, Partial<Remembered>, Instance, EndedBy]>([
    ['was killed a moment ago and had been well', {}, found(), 'kill'],
    ['crashed a moment ago and had been well', { endOf: () => 'itself' }, found(), 'itself'],
    ['was stopped by somebody', { endOf: () => 'stop' }, found(), 'before'],
    ['ended in a way that nobody knows', { endOf: () => null }, found(), 'before'],
    ['was never seen well', { proven: new Set() }, found(), 'before'],
    ['was killed long ago', {}, found('2026-01-01T11:00:00.000Z'), 'before'],
    [
      'was being cured by the former life',
      { incidents: [incident({})], proven: new Set(), endOf: () => null },
      found('2026-01-01T11:00:00.000Z'),
      'itself',
    ],
    [
      'was ill, and stopped by somebody while nobody watched',
      { incidents: [incident({})], endOf: () => 'stop' },
      found(),
      'before',
    ],
    [
      'was stopped by the former life, which died before it could start it again',
      { incidents: [incident({})], endOf: () => 'stop', acted: () => true },
      found(),
      'itself',
    ],
    ['had been cured by it', { incidents: [incident({ recoveredAt: 'x' })], endOf: () => null }, found(), 'before'],
    ['was an operator’s already', { incidents: [incident({ cause: 'operator' })] }, found(), 'before'],
  ])('%s', (_, part, instance, endedBy) => {
    expect(atFirstSight(instance, known(part)).exit?.endedBy).toBe(endedBy)
  })

  it('but runs is left as it is', () => {
    const running = { ...found(), state: 'running', exit: null } as Instance
    expect(atFirstSight(running, known())).toBe(running)
  })
})
