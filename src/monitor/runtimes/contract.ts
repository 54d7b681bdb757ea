import assert from 'node:assert/strict'
import { isMedykError, systemClock } from '@medyk/health/internal'
import type { Instance, Runtime, RuntimeEvent, ServiceSpec } from '../model/index.ts'

/**
 * answers: serves until SIGTERM · ignores-sigterm: serves, and only SIGKILL ends it · exits-with-3: ends at once ·
 * does-not-exist: can never be started · floods: writes about 20 MB a second to stdout, each line with `password=hunter2`
 */
export type Behaviour = 'answers' | 'ignores-sigterm' | 'exits-with-3' | 'does-not-exist' | 'floods'

/** What a runtime brings so that the suite can examine it from outside, past the runtime's own claims. */
export interface RuntimeFixture extends AsyncDisposable {
  /** A runtime over the state that the former ones have left; each call is a daemon that starts again. */
  open(): Promise<Runtime>
  service(name: string, behaviour: Behaviour): ServiceSpec
  /** Asks the service itself: a text that is different for each run, or null when it does not answer. */
  ask(service: ServiceSpec): Promise<string | null>
  /** Ends the instance from outside as `kill -9` would; resolves when it has ended. */
  kill(instance: Instance): Promise<void>
  /** Freezes it from outside: SIGSTOP, or the runtime's own pause. */
  freeze(instance: Instance): Promise<void>
}

/** The part of vitest (or node:test) that the suite needs. */
export interface TestApi {
  describe(name: string, body: () => void): void
  it(name: string, body: () => Promise<void>, timeoutMs?: number): void
}

const TEST_MS = 60_000
const UNTIL_MS = 30_000

/** The meaning of `Runtime`, as tests. Every runtime of the map passes them. */
export function runtimeContract(kind: string, openFixture: () => Promise<RuntimeFixture>, api: TestApi): void {
  const it = (name: string, body: (world: World) => Promise<void>) =>
    api.it(
      name,
      async () => {
        await using fixture = await openFixture()
        await body(new World(fixture))
      },
      TEST_MS,
    )

  api.describe(`the ${kind} runtime, as any runtime`, () => {
    it('adopts the services of its kind, lists them as created and starts nothing', async (world) => {
      const mine = world.service('mine')
      await using runtime = await world.open()
      const found = await runtime.adopt([mine, { ...world.service('foreign'), runtime: 'another' }], now())
      assert.deepEqual(
        found.map(({ service, kind: runsUnder, state }) => ({ service, runsUnder, state })),
        [{ service: 'mine', runsUnder: kind, state: 'created' }],
      )
      assert.deepEqual(await runtime.list(now()), found)
      assert.equal(await world.fixture.ask(mine), null)
    })

    it('says ERR_NO_INSTANCE to an id that it does not know', async (world) => {
      await using runtime = await world.open()
      await runtime.adopt([world.service('known')], now())
      for (const call of [
        runtime.inspect('nobody', now()),
        runtime.start('nobody', now()),
        runtime.stop('nobody', 0, now()),
        runtime.restart('nobody', 0, now()),
        runtime.resume('nobody', now()),
        runtime.logs('nobody', 100, now()),
      ]) {
        await assert.rejects(call, (error) => isMedykError(error, 'ERR_NO_INSTANCE'))
      }
    })

    it('starts a run that has a pid and a time of start, tells it, and answers', async (world) => {
      const service = world.service('fresh')
      const { runtime, id, events } = await world.adopted(service)
      const before = Date.now()
      const instance = await runtime.start(id, now())
      assert.equal(instance.state, 'running')
      assert.ok(instance.pid !== null && instance.pid > 0)
      assert.match(instance.startedAt ?? '', /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
      assert.ok(Math.abs(Date.parse(instance.startedAt ?? '') - before) < UNTIL_MS)
      assert.equal(instance.restarts, 0)
      assert.equal(instance.exit, null)
      assert.deepEqual(await runtime.inspect(id, now()), instance)
      await world.answering(service)
      await until('started is told', () => types(events).includes('instance.started'))
      assert.equal(events[0]?.instance.startedAt, instance.startedAt)
    })

    it('makes one run of three concurrent starts, and changes nothing by a fourth', async (world) => {
      const service = world.service('wanted')
      const { runtime, id, events } = await world.adopted(service)
      const runs = await Promise.all([runtime.start(id, now()), runtime.start(id, now()), runtime.start(id, now())])
      const answer = await world.answering(service)
      runs.push(await runtime.start(id, now()))
      assert.equal(new Set(runs.map(({ startedAt }) => startedAt)).size, 1)
      assert.equal(new Set(runs.map(({ pid }) => pid)).size, 1)
      assert.equal(await world.fixture.ask(service), answer)
      assert.equal(types(events).filter((type) => type === 'instance.started').length, 1)
    })

    it('stops what runs, is content when it has stopped already, and starts it again with a later time', async (world) => {
      const service = world.service('obedient')
      const { runtime, id, events } = await world.adopted(service)
      const first = await runtime.start(id, now())
      await world.answering(service)
      const stopped = await runtime.stop(id, 20_000, now())
      assert.equal(stopped.state, 'exited')
      assert.equal(stopped.pid, null)
      assert.equal(stopped.startedAt, null)
      assert.notEqual(stopped.exit?.signal, 'SIGKILL')
      assert.equal(await world.fixture.ask(service), null)
      assert.equal((await runtime.stop(id, 20_000, now())).state, 'exited')
      const second = await runtime.start(id, now())
      assert.ok(second.startedAt! > first.startedAt!, `${second.startedAt} is not after ${first.startedAt}`)
      assert.equal(second.restarts, 1)
      await until('all is told', () => types(events).length >= 3)
      assert.deepEqual(types(events), ['instance.started', 'instance.exited', 'instance.started'])
    })

    it('kills what ignores SIGTERM, not before the grace and soon after it', async (world) => {
      const service = world.service('stubborn', 'ignores-sigterm')
      const { runtime, id } = await world.adopted(service)
      await runtime.start(id, now())
      await world.answering(service)
      const began = systemClock.mono()
      const stopped = await runtime.stop(id, 1_000, now())
      const took = systemClock.mono() - began
      assert.ok(took >= 990, `killed after ${took} ms`)
      assert.ok(took < 15_000, `killed only after ${took} ms`)
      assert.equal(stopped.state, 'exited')
      assert.ok(stopped.exit?.signal === 'SIGKILL' || stopped.exit?.code === 137, JSON.stringify(stopped.exit))
      assert.equal(await world.fixture.ask(service), null)
    })

    it('restarts into another run, counted', async (world) => {
      const service = world.service('renewed')
      const { runtime, id } = await world.adopted(service)
      const first = await runtime.start(id, now())
      const answer = await world.answering(service)
      const second = await runtime.restart(id, 20_000, now())
      assert.ok(second.startedAt! > first.startedAt!)
      assert.equal(second.restarts, first.restarts + 1)
      assert.notEqual(await world.answering(service), answer)
    })

    it('tells unasked that a run has ended, with its exit code', async (world) => {
      const { runtime, id, events } = await world.adopted(world.service('brief', 'exits-with-3'))
      await runtime.start(id, now())
      await until('exited is told', () => types(events).includes('instance.exited'))
      const { state, exit, pid, startedAt } = await runtime.inspect(id, now())
      assert.deepEqual(
        { state, code: exit?.code, pid, startedAt },
        { state: 'exited', code: 3, pid: null, startedAt: null },
      )
      assert.equal(events.find(({ type }) => type === 'instance.exited')?.instance.exit?.code, 3)
    })

    it('tells unasked that a run was killed, and starts it again', async (world) => {
      const service = world.service('victim')
      const { runtime, id, events } = await world.adopted(service)
      const first = await runtime.start(id, now())
      const answer = await world.answering(service)
      await world.fixture.kill(first)
      await until('exited is told', () => types(events).includes('instance.exited'))
      assert.equal((await runtime.inspect(id, now())).state, 'exited')
      const second = await runtime.start(id, now())
      assert.ok(second.startedAt! > first.startedAt!)
      assert.notEqual(await world.answering(service), answer)
    })

    it('names what can never be started and goes on with the rest', async (world) => {
      const service = world.service('sound')
      const { runtime, id, events } = await world.adopted(world.service('hopeless', 'does-not-exist'), service)
      await assert.rejects(runtime.start(id, now()), (error) => {
        assert.ok(isMedykError(error, 'ERR_START_IMPOSSIBLE'), String(error))
        assert.match(error.message, /hopeless/)
        assert.ok(error.hint)
        return true
      })
      const failed = await runtime.inspect(id, now())
      assert.equal(failed.state, 'failed')
      assert.equal(failed.failure?.permanent, true)
      assert.match(failed.failure?.reason ?? '', /hopeless/)
      assert.equal(failed.restarts, 0)
      await until('failed is told', () => types(events).includes('instance.failed'))
      const other = (await runtime.list(now())).find((instance) => instance.service === 'sound')
      await runtime.start(other!.id, now())
      await world.answering(service)
    })

    it('leaves running what runs when it is closed, and the next one adopts that very run', async (world) => {
      const service = world.service('survivor')
      const former = await world.open()
      const [created] = await former.adopt([service], now())
      await former.start(created!.id, now())
      const run = await former.restart(created!.id, 20_000, now())
      const answer = await world.answering(service)
      await former[Symbol.asyncDispose]()
      assert.equal(await world.fixture.ask(service), answer)

      const { runtime, id, events, found } = await world.adopted(service)
      assert.deepEqual(found, [run])
      assert.equal(await world.fixture.ask(service), answer)
      await world.fixture.kill(run)
      await until('the end of an adopted run is told', () => types(events).includes('instance.exited'))
      assert.equal((await runtime.start(id, now())).restarts, run.restarts + 1)
    })

    it('finds what ended while nobody watched as exited', async (world) => {
      const service = world.service('lonely')
      const former = await world.open()
      const [created] = await former.adopt([service], now())
      const run = await former.start(created!.id, now())
      await world.answering(service)
      await former[Symbol.asyncDispose]()
      await world.fixture.kill(run)
      const { found } = await world.adopted(service)
      assert.deepEqual(
        found.map(({ state, pid, startedAt, restarts }) => ({ state, pid, startedAt, restarts })),
        [{ state: 'exited', pid: null, startedAt: null, restarts: 0 }],
      )
    })

    it('tells that an instance is frozen, and resumes it where it can', async (world) => {
      const service = world.service('frozen')
      const { runtime, id, events } = await world.adopted(service)
      const run = await runtime.start(id, now())
      const answer = await world.answering(service)
      await world.fixture.freeze(run)
      await until('suspended is told', () => types(events).includes('instance.suspended'))
      const frozen = await runtime.inspect(id, now())
      assert.ok(frozen.state === 'suspended' || frozen.state === 'paused', frozen.state)
      assert.equal(frozen.startedAt, run.startedAt)
      if (!runtime.abilities.has('resume')) return
      await runtime.resume(id, now())
      await until('resumed is told', () => types(events).includes('instance.resumed'))
      assert.equal(await world.answering(service), answer)
      assert.deepEqual(await runtime.resume(id, now()), await runtime.inspect(id, now()))
    })

    it('restarts a frozen instance without waiting for the grace', async (world) => {
      const service = world.service('icy')
      const { runtime, id } = await world.adopted(service)
      const run = await runtime.start(id, now())
      const answer = await world.answering(service)
      await world.fixture.freeze(run)
      const began = systemClock.mono()
      const next = await runtime.restart(id, UNTIL_MS, now())
      assert.ok(systemClock.mono() - began < UNTIL_MS / 2)
      assert.notEqual(next.pid, run.pid)
      assert.notEqual(await world.answering(service), answer)
    })

    it('shows the last output, bounded and without secrets', async (world) => {
      const { runtime, id } = await world.adopted(world.service('talkative', 'floods'))
      assert.equal(await runtime.logs(id, 1_000, now()), '')
      await runtime.start(id, now())
      await until('there is output', async () => (await runtime.logs(id, 4_000, now())).includes('password='))
      const text = await runtime.logs(id, 4_000, now())
      assert.ok(Buffer.byteLength(text) <= 4_000)
      assert.ok(!text.includes('hunter2'))
      assert.ok(Buffer.byteLength(await runtime.logs(id, Number.MAX_SAFE_INTEGER, now())) <= 2 * 1_048_576)
      await runtime.stop(id, 0, now())
    })

    it('settles every call by its signal', async (world) => {
      const service = world.service('slow-to-die', 'ignores-sigterm')
      const { runtime, id } = await world.adopted(service)
      const aborted = { signal: AbortSignal.abort(new Error('no time left')) }
      await assert.rejects(runtime.start(id, aborted), /no time left/)
      await assert.rejects(runtime.list(aborted), /no time left/)
      assert.equal((await runtime.inspect(id, now())).state, 'created')
      await runtime.start(id, now())
      await world.answering(service)
      const began = systemClock.mono()
      await assert.rejects(runtime.stop(id, UNTIL_MS, { signal: AbortSignal.timeout(200) }), /timeout/i)
      assert.ok(systemClock.mono() - began < UNTIL_MS / 2)
      // What it left undone is not in the way of the next call.
      assert.equal((await runtime.stop(id, 0, now())).state, 'exited')
    })

    it('tells nothing to a listener that has gone, and is not harmed by one that throws', async (world) => {
      const { runtime, id, events } = await world.adopted(world.service('watched'))
      const gone: RuntimeEvent[] = []
      runtime.watch((event) => gone.push(event))[Symbol.dispose]()
      runtime.watch(() => {
        throw new Error('a careless listener')
      })
      await runtime.start(id, now())
      await until('started is told', () => types(events).includes('instance.started'))
      assert.deepEqual(gone, [])
    })
  })
}

/** One fixture with the calls that nearly every test begins with. */
class World {
  readonly fixture: RuntimeFixture

  constructor(fixture: RuntimeFixture) {
    this.fixture = fixture
  }

  open(): Promise<Runtime> {
    return this.fixture.open()
  }

  service(name: string, behaviour: Behaviour = 'answers'): ServiceSpec {
    return this.fixture.service(name, behaviour)
  }

  /** `id` is the first service's. */
  async adopted(...services: ServiceSpec[]) {
    const runtime = await this.open()
    const events: RuntimeEvent[] = []
    runtime.watch((event) => events.push(event))
    const found = await runtime.adopt(services, now())
    assert.equal(found.length, services.length)
    return { runtime, found, events, id: found[0]!.id }
  }

  async answering(service: ServiceSpec): Promise<string> {
    let answer: string | null = null
    await until(`${service.name} answers`, async () => (answer = await this.fixture.ask(service)) !== null)
    return answer!
  }
}

const now = () => ({ signal: AbortSignal.timeout(UNTIL_MS) })
const types = (events: readonly RuntimeEvent[]) => events.map(({ type }) => type)

async function until(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = systemClock.mono() + UNTIL_MS
  while (!(await holds())) {
    assert.ok(systemClock.mono() < deadline, `within ${UNTIL_MS} ms: ${what}`)
    await systemClock.sleep(20)
  }
}
