import { describe, expect, it } from 'vitest'
import type { Action, ActionOutcome, RuntimeEvent } from '../model/index.ts'
import type { Attempt } from './attempt.ts'
import { judge } from './oracle.ts'
import { seeded } from './random.ts'
import { SimulatedRuntime } from './runtime.ts'
import { localNetwork, simulatedService, type Scenario, type ServiceTrouble } from './scenario.ts'
import type { Target } from './target.ts'
import { World } from './world.ts'

/** One service, warm, that answers after 3 ms and boots for 400 ms, and its database. */
function open() {
  const plain = { latency: { medianMs: 3 }, boot: { medianMs: 400 } }
  const services = [simulatedService('database', plain), simulatedService('api', { ...plain, dependsOn: ['database'] })]
  const scenario: Scenario = {
    name: 'test',
    services,
    network: { ...localNetwork, delay: { medianMs: 0.5 } },
    faults: [],
    durationMs: 0,
  }
  const events: RuntimeEvent[] = []
  const world = new World(scenario, seeded(1), {
    runtimeEvent: (event) => events.push(event),
    truth: () => {},
    changed: () => {},
  })
  const runtime = new SimulatedRuntime(world)
  runtime.populate()
  world.run(world.now + 3_000)
  events.length = 0
  const api = world.target('api')
  return { world, runtime, events, api, database: world.target('database'), start: world.now }
}

function begin(world: World, target: Target, trouble: ServiceTrouble): void {
  target.begin(trouble, world.now)
  world.changed(target)
}

const probe = (target: Target, role = 'liveness') => {
  const found = target.plan.spec.probes.find((spec) => spec.role === role)
  if (!found) throw new Error(`no ${role} probe`)
  return found
}

const seen = (attempt: Attempt) => {
  const outcome = attempt.outcome(Math.min(attempt.endsAt, attempt.startedAt + 1_300))
  return { class: outcome.class, reason: 'reason' in outcome ? outcome.reason : '' }
}

describe('an attempt', () => {
  it('is answered after the way there, the work and the way back', () => {
    const { world, api } = open()
    const attempt = world.ask(api, probe(api))
    // Handshake there and back, request, 3 ms of work, answer.
    expect(attempt.endsAt - attempt.startedAt).toBeCloseTo(5)
    expect(seen(attempt)).toMatchObject({ class: 'ok' })
  })

  it('is refused where no process listens, and while one boots', () => {
    const { world, runtime, api } = open()
    runtime.die(api, { code: 1, signal: null })
    expect(seen(world.ask(api, probe(api)))).toEqual({ class: 'explicit', reason: 'connection refused' })
  })

  it('is reset when the process ends while it works', () => {
    const { world, runtime, api } = open()
    const attempt = world.ask(api, probe(api))
    world.run(world.now + 2)
    runtime.die(api, { code: null, signal: 'SIGKILL' })
    expect(seen(attempt)).toEqual({ class: 'explicit', reason: 'connection reset' })
    expect(attempt.endsAt - attempt.startedAt).toBeCloseTo(2.5)
  })

  it('gets the answer that had left before the process ended', () => {
    const { world, runtime, api } = open()
    const attempt = world.ask(api, probe(api))
    world.run(world.now + 4.8)
    runtime.die(api, { code: null, signal: 'SIGKILL' })
    expect(seen(attempt)).toMatchObject({ class: 'ok' })
  })

  it('hears nothing from a stuck process, and is answered when that goes on', () => {
    const { world, runtime, api } = open()
    begin(world, api, { kind: 'suspend' })
    const attempt = world.ask(api, probe(api))
    expect(seen(attempt)).toMatchObject({ class: 'silence' })
    world.run(world.now + 500)
    runtime.resume(api)
    expect(attempt.endsAt - attempt.startedAt).toBeCloseTo(503.5)
  })

  it('tells whoever waits for it that its end has moved', () => {
    const { world, api } = open()
    const attempt = world.ask(api, probe(api))
    let moved = 0
    attempt.moved = () => (moved += 1)
    begin(world, api, { kind: 'hang' })
    expect(moved).toBe(1)
    expect(attempt.endsAt).toBe(Infinity)
  })
})

describe('a service', () => {
  it.each([
    [{ kind: 'errors', share: 1 }, 'explicit', 'explicit'],
    [{ kind: 'garbage' }, 'explicit', 'explicit'],
    [{ kind: 'misconfigured' }, 'misconfigured', 'misconfigured'],
    [{ kind: 'not-ready', failing: ['disk'] }, 'ok', 'explicit'],
    [{ kind: 'hang' }, 'silence', 'silence'],
    [{ kind: 'slow', addMs: 800 }, 'ok', 'ok'],
  ] as const)('with %o is %s to liveness and %s to readiness', (trouble, liveness, readiness) => {
    const { world, api } = open()
    begin(world, api, trouble)
    expect(seen(world.ask(api, probe(api))).class).toBe(liveness)
    expect(seen(world.ask(api, probe(api, 'readiness'))).class).toBe(readiness)
  })

  it('loses its readiness one to two seconds after its dependency died, and stays alive', () => {
    const { world, runtime, api, database, start } = open()
    runtime.die(database, { code: 1, signal: null })
    world.run(start + 999)
    expect(seen(world.ask(api, probe(api, 'readiness'))).class).toBe('ok')
    world.run(start + 2_001)
    expect(seen(world.ask(api, probe(api, 'readiness'))).class).toBe('explicit')
    expect(world.ask(api, probe(api)).outcome(Infinity)).toMatchObject({
      class: 'ok',
      report: { status: 'degraded', failing: ['database'] },
    })
  })
})

describe('the simulated runtime', () => {
  const action = (target: Target, kind: Action['kind'], part: Partial<Action> = {}): Action => ({
    id: 'a',
    incident: 'i',
    service: target.name,
    instance: `${target.name}-1`,
    kind,
    graceMs: 1_000,
    attempt: 1,
    precondition: { startedAt: target.process?.startedAt ?? null },
    reason: 'test',
    ...part,
  })

  function act(kind: Action['kind'], trouble: ServiceTrouble | null, part: Partial<Action> = {}) {
    const opened = open()
    const { world, runtime, api, events } = opened
    if (trouble) begin(world, api, trouble)
    const before = api.process?.startedAt
    let outcome: ActionOutcome | null = null
    let tookMs = 0
    const began = world.now
    runtime.act(action(api, kind, part), (result) => {
      outcome = result
      tookMs = world.now - began
    })
    world.run(began + 5_000)
    return {
      ...opened,
      outcome: outcome as ActionOutcome | null,
      tookMs,
      before,
      types: events.map(({ type }) => type),
    }
  }

  it('waits for the grace of a process that is deaf, then kills it, and a new run boots', () => {
    const { outcome, tookMs, types, api, before, world } = act('restart', { kind: 'hang' })
    expect(outcome).toMatchObject({ result: 'done', startedAt: api.process?.startedAt })
    expect(api.process?.startedAt).not.toBe(before)
    expect(tookMs).toBeGreaterThan(1_000)
    expect(tookMs).toBeLessThan(1_060)
    expect(types).toEqual(['instance.exited', 'instance.started'])
    expect(api.sound(world.now)).toBe(true)
  })

  it('kills a stopped process at once', () => {
    expect(act('restart', { kind: 'suspend' }).tookMs).toBeLessThan(60)
  })

  it('starts nothing twice', () => {
    const { outcome, types, api, before } = act('start', null)
    expect(outcome).toMatchObject({ result: 'done', detail: 'runs already' })
    expect(types).toEqual([])
    expect(api.process?.startedAt).toBe(before)
  })

  it('leaves another run than the judged one alone', () => {
    const { outcome, types } = act('restart', null, { precondition: { startedAt: 'another' } })
    expect(outcome?.result).toBe('aborted')
    expect(types).toEqual([])
  })

  it.each([
    [false, 'failed'],
    [true, 'impossible'],
  ])('says that a start failed (permanently: %s)', (permanent, result) => {
    const { outcome, types, api } = act('restart', { kind: 'cannot-start', permanent })
    expect(outcome?.result).toBe(result)
    expect(types).toEqual(['instance.exited', 'instance.failed'])
    expect(api.process).toBeNull()
  })
})

describe('the oracle', () => {
  it('calls a declaration false when the service was well and said so', () => {
    const { world, api } = open()
    const attempt = world.ask(api, probe(api))
    world.run(world.now + 10)
    world.closed(attempt)
    expect(judge(world, api)).toBe('false')
  })

  it('calls it true while something is wrong, and for two seconds after', () => {
    const { world, api } = open()
    begin(world, api, { kind: 'slow', addMs: 800 })
    expect(judge(world, api)).toBe('true')
    api.end('slow', world.now)
    world.run(world.now + 1_999)
    expect(judge(world, api)).toBe('true')
    world.run(world.now + 2)
    expect(judge(world, api)).toBe('false')
  })

  it('calls it true when it answered wrongly, though only a dependency was to blame', () => {
    const { world, runtime, api, database } = open()
    runtime.die(database, { code: 1, signal: null })
    world.run(world.now + 2_001)
    world.ask(api, probe(api, 'readiness'))
    world.run(world.now + 10)
    expect(judge(world, api)).toBe('true')
  })

  it('lets the network excuse it only where no packet passed for two seconds', () => {
    const { world, api } = open()
    world.network.blackout(world.now, 1_900, null)
    world.run(world.now + 1_900)
    expect(judge(world, api)).toBe('false')
    world.network.blackout(world.now, 2_500, ['api'])
    world.run(world.now + 2_400)
    expect(judge(world, api)).toBe('unreachable')
    expect(judge(world, world.target('database'))).toBe('false')
  })
})

describe('a monitor that is stopped', () => {
  it('does late and in order what it had to do, while the world goes on', () => {
    const { world, start } = open()
    const log: string[] = []
    world.observerAt(start + 10, () => log.push(`monitor 10 at ${world.now - start}`))
    world.observerAt(start + 20, () => log.push(`monitor 20 at ${world.now - start}`))
    world.at(start + 15, () => log.push('world 15'))
    world.stopObserver(100)
    world.run(start + 200)
    expect(log).toEqual(['world 15', 'monitor 10 at 100', 'monitor 20 at 100'])
  })

  it('has its wall clock jump without its monotonic time', () => {
    const { world, start } = open()
    const wall = world.wall()
    world.jumpClock(-3_600_000)
    world.run(start + 1_000)
    expect(world.now - start).toBe(1_000)
    expect(world.wall() - wall).toBe(1_000 - 3_600_000)
  })
})
