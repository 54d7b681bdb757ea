import { describe, expect, it } from 'vitest'
import { core } from '../app/core.ts'
import type { Action, CoreEvent, Step } from '../model/index.ts'
import { noFigures, percentiles, upperBound95 } from './figures.ts'
import { falsePositivesOf, listScenarios, runSimulation } from './run.ts'

describe('runSimulation', () => {
  it('knows every scenario that it lists', async () => {
    const listed = listScenarios()
    expect(listed.map(({ name }) => name)).toEqual(
      expect.arrayContaining(['crash', 'hang', 'slow', 'loss', 'blackout', 'database']),
    )
    for (const { title } of listed) expect(title).not.toBe('')
  })

  it('repeats a scenario from seed to seed until the service-hours are reached', async () => {
    const seen: number[] = []
    const report = await runSimulation({
      core,
      scenario: 'crash',
      seed: 7,
      hours: 1,
      onProgress: ({ done, of }) => seen.push(done / of),
    })
    expect(report.figures.serviceHours).toBeCloseTo(1)
    expect(report.runs).toBe(6)
    expect(report.figures.detection.crash).toHaveLength(6)
    expect(report).toMatchObject({ failed: 0, failures: [] })
    expect(seen.at(-1)).toBeCloseTo(1)
  })

  it('sizes a fleet and loses packets as asked, and gives the bound of a figure that is zero', async () => {
    const report = await runSimulation({ core, scenario: 'fleet', services: 7, hours: 2, loss: 0 })
    expect(report.figures.serviceHours).toBeCloseTo(2)
    expect(report.falsePositives).toMatchObject({ count: 0, perDeclaration: null, healthyRestarts: 0 })
    expect(report.falsePositives.perServiceHour.atMost95).toBeCloseTo(1.5)
  })

  it('gives the digest again for the same seed', async () => {
    const options = { core, scenario: 'hang', seed: 3 }
    expect((await runSimulation(options)).digest).toBe((await runSimulation(options)).digest)
  })

  it.each([
    [{ scenario: 'dance' }, 'crash'],
    [{ scenario: 'toString' }, 'crash'],
    [{ scenario: 'crash', loss: 1 }, '0.05'],
    [{ scenario: 'crash', hours: 0 }, 'hours'],
    [{ scenario: 'fleet', services: 1.5 }, 'whole number'],
    [{ scenario: 'crash', seed: Number.NaN }, 'whole number'],
  ])('refuses %o and says what would do', async (options, hint) => {
    await expect(runSimulation({ core, ...options })).rejects.toMatchObject({
      code: 'ERR_SCENARIO',
      hint: expect.stringContaining(hint) as string,
    })
  })

  it('stops when it is told to', async () => {
    const stop = new AbortController()
    const running = runSimulation({
      core,
      scenario: 'fleet',
      hours: 10_000,
      signal: stop.signal,
      onProgress: () => stop.abort(new Error('enough')),
    })
    await expect(running).rejects.toThrow('enough')
  })

  it('shows a failing seed made small: how to repeat it, and its story', async () => {
    const report = await runSimulation({ core: trigger, scenario: 'hang', seed: 4 })
    expect(report.failed).toBe(1)
    const [failure] = report.failures
    expect(failure).toMatchObject({ seed: 4, replay: 'medyk simulate --scenario hang --seed 4' })
    expect(failure?.problems.join()).toContain('restarts of services that were well')
    expect(failure?.needs.faults).toBe(1)
    expect(failure?.story.join('\n')).toContain('was well when it was restarted')
  })
})

/** A core without judgement: whoever falls ill, the camera is restarted. */
const trigger: Step<Map<string, string | null>> = {
  name: 'trigger',
  initial: () => new Map(),
  wakeAt: () => null,
  reduce(state, event: CoreEvent) {
    if (event.type === 'instance.started') state.set(event.instance.service, event.instance.startedAt)
    const ill = event.type === 'verdict' && event.verdict.status === 'unhealthy'
    if (!ill || !state.has('camera')) return { state, events: [], effects: [] }
    const action: Action = {
      id: `${state.size}`,
      incident: 'none',
      service: 'camera',
      instance: 'camera-1',
      kind: 'restart',
      graceMs: 1_000,
      attempt: 1,
      precondition: { startedAt: state.get('camera') ?? null },
      reason: `${event.verdict.service} is ill`,
    }
    return { state, events: [], effects: [{ type: 'act', action }] }
  },
}

describe('figures', () => {
  it('bounds a count at 95 %: the rule of three for none, the chi-square quantile else', () => {
    expect(upperBound95(0)).toBe(3)
    // Tabulated one-sided limits of a Poisson mean.
    for (const [count, limit] of [
      [1, 4.744],
      [2, 6.296],
      [5, 10.513],
      [20, 29.062],
    ] as const) {
      expect(upperBound95(count)).toBeCloseTo(limit, 1)
    }
  })

  it('gives percentiles by nearest rank, and none of nothing', () => {
    expect(percentiles(Array.from({ length: 100 }, (_, i) => 100 - i))).toEqual({ n: 100, p50: 50, p99: 99, max: 100 })
    expect(percentiles([4])).toEqual({ n: 1, p50: 4, p99: 4, max: 4 })
    expect(percentiles([])).toBeNull()
    expect(percentiles(undefined)).toBeNull()
  })

  it('relates false declarations to all declarations and to service-hours', () => {
    const figures = { ...noFigures(), falseCount: 1, declarations: 1_000, serviceHours: 500 }
    expect(falsePositivesOf(figures)).toMatchObject({
      count: 1,
      perDeclaration: { rate: 0.001 },
      perServiceHour: { rate: 0.002 },
    })
  })
})
