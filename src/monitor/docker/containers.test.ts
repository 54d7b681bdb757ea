import { silentLogger } from '@medyk/health/internal'
import { FakeClock } from '@medyk/health/testing'
import { describe, expect, it } from 'vitest'
import { toRows } from './container-row.ts'
import { Containers } from './containers.ts'
import type { ContainerEvent } from './event-lines.ts'
import type { DockerChange } from './view.ts'

const ID = 'ab'.repeat(32)
const WALL = '2026-11-25T10:00:00Z'
const START = '2026-11-25T09:00:00Z'
const END = '2026-11-25T09:30:00Z'
const running = { Status: 'running', Pid: 1, StartedAt: START }
const exited = { Status: 'exited', StartedAt: START, FinishedAt: END, ExitCode: 1 }
const MISSING = Object.assign(new Error('gone'), { missing: true })

/** Docker as a table of states that a test changes. */
function world(history: (id: string) => string = () => '', historyAllowed = true) {
  const clock = new FakeClock(WALL)
  const docker = new Map<string, object>()
  const changes: DockerChange[] = []
  const inspected: string[] = []
  const asked: string[] = []
  let hold: Promise<void> = Promise.resolve()
  const containers = new Containers({
    clock,
    logger: silentLogger,
    inspect: async (id) => {
      inspected.push(id)
      const State = docker.get(id)
      await hold
      if (!State) throw MISSING
      return { Id: id, Name: '/x', State }
    },
    history: async (id) => {
      asked.push(id)
      return history(id)
    },
    historyAllowed: () => historyAllowed,
    tell: (change) => changes.push(change),
  })
  const event = (action: string, attributes: ContainerEvent['attributes'] = {}, at = Date.parse(END)) =>
    containers.note({ id: ID, action, at, key: `${action}${at}`, attributes })
  const told = () =>
    changes.map((one) => (one.type === 'container' ? [one.container.state, one.stopping, one.end] : [one.type]))
  const holdBack = () => {
    const { promise, resolve } = Promise.withResolvers<void>()
    hold = promise
    return resolve
  }
  return { clock, docker, containers, changes, inspected, asked, event, told, holdBack }
}

describe('the containers of a host', () => {
  it('are told once, however often they are looked at', async () => {
    const { docker, containers, told } = world()
    docker.set(ID, running)
    await Promise.all([containers.look(ID), containers.look(ID), containers.look(ID)])
    await containers.look(ID)
    expect(told()).toEqual([['running', false, null]])
  })

  it('are looked at once at a time, and once more for all who asked meanwhile', async () => {
    const { docker, containers, inspected } = world()
    docker.set(ID, running)
    await Promise.all(Array.from({ length: 10 }, () => containers.look(ID)))
    expect(inspected).toHaveLength(2)
  })

  it('are as the look that began last says, not the one that ended last', async () => {
    const { docker, containers, event, holdBack } = world()
    docker.set(ID, running)
    const release = holdBack()
    const first = containers.look(ID)
    docker.set(ID, exited)
    event('die', { exitCode: '1' })
    const second = containers.look(ID)
    release()
    expect((await first).state).toBe('running')
    expect((await second).state).toBe('exited')
    expect(containers.views.get(ID)?.state).toBe('exited')
  })

  it('do not come back by a look that began before they were removed', async () => {
    const { docker, containers, told, event, holdBack } = world()
    docker.set(ID, running)
    await containers.look(ID)
    const release = holdBack()
    const late = containers.look(ID)
    event('destroy')
    release()
    await expect(late).rejects.toMatchObject({ code: 'ERR_NO_INSTANCE' })
    await expect(containers.look(ID)).rejects.toMatchObject({ code: 'ERR_NO_INSTANCE' })
    expect(containers.due(toRows([{ Id: ID, State: 'running', Status: 'Up 1 second' }]))).toEqual([])
    expect(told()).toEqual([['running', false, null], ['removed']])
  })

  it('are said to be stopping from the signal until they have ignored it long enough', async () => {
    const { docker, containers, told, event, clock } = world()
    docker.set(ID, running)
    await containers.look(ID)
    event('kill', { signal: '15' })
    event('kill', { signal: '15' }, Date.parse(END) + 1)
    await clock.advance(29_999)
    expect(told().at(-1)).toEqual(['running', true, null])
    await clock.advance(1)
    expect(told().slice(1)).toEqual([
      ['running', true, null],
      ['running', false, null],
    ])
    expect(clock.pending).toBe(0)
  })

  it('ask Docker once how a run ended whose end was not told', async () => {
    const line = (Action: string, Attributes: object, at: number) =>
      `${JSON.stringify({ Type: 'container', Action, Actor: { ID, Attributes }, timeNano: at * 1e6 })}\n`
    const at = Date.parse(END)
    const { docker, containers, told, asked } = world(
      () => line('kill', { signal: '9' }, at - 20) + line('die', { exitCode: '137' }, at + 10),
    )
    docker.set(ID, running)
    await containers.look(ID)
    docker.set(ID, exited)
    await containers.look(ID)
    await containers.look(ID)
    expect(told().at(-1)).toEqual(['exited', false, 'kill'])
    expect(containers.endOf(ID)).toBe('kill')
    expect(asked).toEqual([ID])
  })

  it.each([
    ['it does not remember', true, exited, 1],
    ['events are forbidden', false, exited, 0],
    ['it is too long ago', true, { ...exited, FinishedAt: '2026-11-25T08:59:59Z' }, 0],
  ])('say unknown where %s', async (_, allowed, state, questions) => {
    const { docker, containers, told, asked } = world(() => 'garbage\n', allowed)
    docker.set(ID, state)
    await containers.look(ID)
    expect(told()).toEqual([['exited', false, 'unknown']])
    expect(asked).toHaveLength(questions)
  })

  it('are each inspected within 25 sweeps although nothing shows that it has changed', async () => {
    const { docker, containers } = world()
    const ids = Array.from({ length: 60 }, (_, n) => n.toString(16).padStart(64, '0'))
    for (const id of ids) docker.set(id, running)
    const rows = () => toRows(ids.map((Id) => ({ Id, State: 'running', Status: 'Up 2 hours' })))
    for (const id of containers.due(rows())) await containers.look(id)
    const seen = new Set<string>()
    for (let sweep = 0; sweep < 25; sweep++) {
      const due = containers.due(rows())
      expect(due.length).toBeLessThanOrEqual(3)
      for (const id of due) seen.add(id)
    }
    expect(seen.size).toBe(60)
  })
})
