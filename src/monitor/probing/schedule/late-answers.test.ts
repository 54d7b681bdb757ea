import { expect, it } from 'vitest'
import type { ProbeSpec } from '../../model/index.ts'
import { initialSchedule, schedule, type ScheduleEvent } from './index.ts'

const probe: ProbeSpec = {
  name: 'live',
  role: 'liveness',
  kind: 'http',
  options: {},
  intervalMs: 500,
  timeoutMs: 1_300,
}

it('hedges a group although a late answer to the group before it has come meanwhile', () => {
  const state = initialSchedule([probe], 0, () => 0)
  const at = (now: number, event: ScheduleEvent) => schedule(state, event, now).launches.map(({ group }) => group)
  at(0, { type: 'pace', probe: 'live', pace: { intervalMs: 500, hedgeAfterMs: 450 } })
  expect(at(500, { type: 'due' })).toEqual([2])
  at(700, { type: 'finished', probe: 'live', attempt: 1, answered: true })
  expect(at(950, { type: 'due' })).toEqual([2])
  at(960, { type: 'finished', probe: 'live', attempt: 3, answered: true })
  expect(schedule(state, { type: 'due' }, 961)).toEqual({ launches: [], wakeAt: 1_000 })
})
