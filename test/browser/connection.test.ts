import { setTimeout as delay } from 'node:timers/promises'
import { afterEach, describe, expect, it } from 'vitest'
import { createServer, type ApiEvent, type MonitorServer, type MonitorState } from '../../src/monitor/server/index.ts'
import { connect, type LinkState, type Lists } from '../../src/monitor/web/state/connection.ts'
import { createFakeMonitor, type FakeMonitor } from './fake-monitor.ts'
import { scenario, serviceRow } from './scenarios.ts'

/** The page's connection against the real server, over real sockets, with the machine's own fetch. */

let disposables = new AsyncDisposableStack()
afterEach(async () => {
  await disposables.disposeAsync()
  disposables = new AsyncDisposableStack()
})

async function serve(state: MonitorState, port = 0, maxClients = 8): Promise<{ port: number; server: MonitorServer }> {
  const server = createServer({ state, version: '1', port, webFolder: null, limits: { maxClients, heartbeatMs: 100 } })
  disposables.use(server)
  return { port: (await server.listen()).port, server }
}

function follow(port: number) {
  const seen = { links: [] as LinkState[], lists: [] as Lists[], events: [] as ApiEvent[], contacts: 0 }
  const stop = connect(`http://127.0.0.1:${port}/api/v1/`, {
    onLink: (state) => seen.links.push(state),
    onLists: (lists) => seen.lists.push(lists),
    onEvent: (event) => seen.events.push(event),
    onContact: () => seen.contacts++,
  })
  disposables.defer(stop)
  return seen
}

async function eventually(check: () => boolean, ms = 30_000): Promise<void> {
  const deadline = performance.now() + ms
  while (!check()) {
    if (performance.now() > deadline) throw new Error('it never came true')
    await delay(10)
  }
}

const monitor = (): FakeMonitor => createFakeMonitor(scenario('healthy', Date.now()))
const statusOf = (events: readonly ApiEvent[], name: string) =>
  events.flatMap((event) => (event.type === 'service' && event.data.name === name ? [event.data.status] : []))

describe('the connection of the page', () => {
  it('is live once it has the lists and the stream, and then hears each change', async () => {
    const state = monitor()
    const { port } = await serve(state)
    const seen = follow(port)
    await eventually(() => seen.links.at(-1) === 'live')
    expect(seen.links).toEqual(['connecting', 'live'])
    expect(seen.lists.at(-1)?.services).toHaveLength(5)
    state.setService(serviceRow('camera', { status: 'degraded' }, null))
    await eventually(() => statusOf(seen.events, 'camera').length === 1)
    const before = seen.contacts
    await eventually(() => seen.contacts > before + 2)
  })

  it('says that it is lost, comes back by itself and goes on where it was', async () => {
    const state = monitor()
    const first = await serve(state)
    const seen = follow(first.port)
    await eventually(() => seen.links.at(-1) === 'live')
    await first.server[Symbol.asyncDispose]()
    await eventually(() => seen.links.at(-1) === 'lost')
    state.setService(serviceRow('camera', { status: 'unhealthy' }, null))
    await serve(state, first.port)
    await eventually(() => seen.links.at(-1) === 'live')
    await eventually(() => statusOf(seen.events, 'camera').includes('unhealthy'))
    const hellos = seen.events.flatMap((event) => (event.type === 'hello' ? [event.data.resumed] : []))
    // A starved machine may cut a stream more than once; what counts is that no return has lost anything.
    expect(hellos[0]).toBe(false)
    expect(hellos.slice(1)).not.toEqual([])
    expect(hellos.slice(1)).not.toContain(false)
  })

  it('fetches the lists anew from a daemon that was started again', async () => {
    const first = await serve(monitor())
    const seen = follow(first.port)
    await eventually(() => seen.links.at(-1) === 'live')
    await first.server[Symbol.asyncDispose]()
    await eventually(() => seen.links.at(-1) === 'lost')
    const reborn = createFakeMonitor(scenario('forty', Date.now()), { epoch: 'second' })
    await serve(reborn, first.port)
    await eventually(() => seen.links.at(-1) === 'live')
    expect(seen.lists.at(-1)?.services).toHaveLength(40)
  })

  it('fetches the lists anew when services come or go', async () => {
    const state = monitor()
    const { port } = await serve(state)
    const seen = follow(port)
    await eventually(() => seen.links.at(-1) === 'live')
    state.load(scenario('empty', Date.now()))
    await eventually(() => seen.lists.at(-1)?.services.length === 0)
  })

  it('polls where the stream is refused, and does not call that live', async () => {
    const state = monitor()
    const { port } = await serve(state, 0, 0)
    const seen = follow(port)
    await eventually(() => seen.links.at(-1) === 'polling')
    state.setService(serviceRow('camera', { status: 'degraded' }, null))
    await eventually(() => seen.lists.at(-1)?.services.find((row) => row.name === 'camera')?.status === 'degraded')
    expect(seen.links).not.toContain('live')
  })

  it('lets a list that was overtaken by an event not win over it', async () => {
    const state = monitor()
    let gate: () => void = () => {}
    const held = new Promise<void>((resolve) => (gate = resolve))
    const slow: MonitorState = {
      ...state,
      // The rows are read at once, the incidents late: the lists arrive after the event that is newer than they are.
      incidents: async (query) => {
        await held
        return await state.incidents(query)
      },
    }
    const { port } = await serve(slow)
    const seen = follow(port)
    await eventually(() => seen.events.some((event) => event.type === 'hello'))
    await delay(200)
    state.setService(serviceRow('camera', { status: 'unhealthy' }, null))
    await eventually(() => statusOf(seen.events, 'camera').length === 1)
    gate()
    await eventually(() => seen.links.at(-1) === 'live')
    expect(seen.lists.at(-1)?.services.find((row) => row.name === 'camera')?.status).toBe('healthy')
    expect(statusOf(seen.events, 'camera')).toEqual(['unhealthy', 'unhealthy'])
  })

  it('leaves nothing open once it is told to stop', async () => {
    const state = monitor()
    const { port } = await serve(state)
    const stop = connect(`http://127.0.0.1:${port}/api/v1/`, {
      onLink() {},
      onLists() {},
      onEvent() {},
      onContact() {},
    })
    await eventually(() => state.subscribers === 1)
    stop()
    await eventually(() => state.subscribers === 0)
  })
})
