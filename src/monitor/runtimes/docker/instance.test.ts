import { describe, expect, it } from 'vitest'
import { toContainerView } from '../../docker/container-view.ts'
import type { Instance, InstanceState } from '../../model/index.ts'
import { eventOf, imageTag, toInstance, type Knowledge } from './instance.ts'

const ID = 'ab'.repeat(32)
const PARENT = 'cd'.repeat(32)
const T1 = '2026-11-25T08:00:00.000Z'
const T2 = '2026-11-25T09:00:00.000Z'

const view = (State: object = {}, over: object = {}) =>
  toContainerView({ Id: ID, Name: '/api', State: { Status: 'running', Pid: 7, StartedAt: T1, ...State }, ...over })

const known: Knowledge = {
  service: 'api',
  restarts: 2,
  failure: null,
  endedBy: 'kill',
  stopping: false,
  frozen: false,
  lost: false,
  parent: () => null,
}
const FAILURE = { reason: 'x', permanent: true }

describe('a container as an instance', () => {
  it('that runs', () => {
    expect(toInstance(view(), known)).toEqual({
      id: 'abababababab',
      service: 'api',
      kind: 'docker',
      state: 'running',
      pid: 7,
      startedAt: T1,
      exit: null,
      failure: null,
      restarts: 2,
      name: 'api',
      address: null,
      health: null,
      networkOf: null,
    })
  })

  it.each<[string, object, Partial<Knowledge>, InstanceState]>([
    ['running', {}, {}, 'running'],
    ['asked to end', {}, { stopping: true }, 'stopping'],
    ['stopped by SIGSTOP', {}, { frozen: true }, 'suspended'],
    ['out of sight', {}, { lost: true, stopping: true }, 'unknown'],
    ['paused', { Status: 'paused' }, {}, 'paused'],
    ['being restarted by Docker', { Status: 'restarting' }, {}, 'restarting'],
    ['created', { Status: 'created', StartedAt: '' }, {}, 'created'],
    ['exited', { Status: 'exited', FinishedAt: T2 }, {}, 'exited'],
    ['dead', { Status: 'dead', FinishedAt: T2 }, {}, 'exited'],
    ['not to be started', { Status: 'created', StartedAt: '' }, { failure: FAILURE }, 'failed'],
    ['not to be started again', { Status: 'exited', FinishedAt: T2 }, { failure: FAILURE }, 'failed'],
  ])('that is %s', (_, State, knowledge, state) => {
    expect(toInstance(view(State), { ...known, ...knowledge }).state).toBe(state)
  })

  it('that has ended', () => {
    const ended = toInstance(view({ Status: 'exited', Pid: 0, ExitCode: 137, OOMKilled: true, FinishedAt: T2 }), known)
    expect(ended).toMatchObject({
      pid: null,
      startedAt: null,
      exit: { code: 137, signal: null, oomKilled: true, endedBy: 'kill', at: T2 },
    })
  })

  it('that has ended with a code that nobody saw', () => {
    expect(toInstance(view({ Status: 'exited', ExitCode: -1, FinishedAt: T2 }), known).exit?.code).toBeNull()
  })

  it.each([
    ['bridge', { a: { IPAddress: '' }, b: { IPAddress: '172.18.0.3' } }, '172.18.0.3'],
    ['host', { host: { IPAddress: '' } }, '127.0.0.1'],
    ['none', { none: { IPAddress: '' } }, null],
  ])('in network %s', (NetworkMode, Networks, address) => {
    const at = view({}, { HostConfig: { NetworkMode }, NetworkSettings: { Networks } })
    expect(toInstance(at, known)).toMatchObject({ address, networkOf: null })
  })

  it('in the network of another has the address of that one, while that one is there', () => {
    const child = view({}, { HostConfig: { NetworkMode: `container:${PARENT}` } })
    const Networks = { a: { IPAddress: '172.18.0.9' } }
    const owner = toContainerView({ Id: PARENT, State: { Status: 'running' }, NetworkSettings: { Networks } })
    const parent = (id: string) => (id === PARENT ? owner : null)
    expect(toInstance(child, { ...known, parent })).toMatchObject({ address: '172.18.0.9', networkOf: 'cdcdcdcdcdcd' })
    expect(toInstance(child, known)).toMatchObject({ address: null, networkOf: 'cdcdcdcdcdcd' })
  })

  it.each([
    ['healthy', 0, 'fine', false, ''],
    ['unhealthy', 1, 'curl: (7) refused', false, 'its check ended with code 1: curl: (7) refused'],
    ['unhealthy', 1, 'GET /x: not found', false, 'its check ended with code 1: GET /x: not found'],
    ['unhealthy', 127, 'sh: curl: not found', true, 'its check ended with code 127: sh: curl: not found'],
    ['starting', 126, '', true, 'its check ended with code 126'],
    ['unhealthy', -1, 'exec: "curl": executable file not found in $PATH', true, expect.stringContaining('executable')],
    ['unhealthy', -1, 'Health check exceeded timeout (1s)', false, expect.stringContaining('exceeded')],
  ])('whose check is %s by code %i and %j', (Status, ExitCode, Output, broken, detail) => {
    const checked = view({ Health: { Status, Log: [{ ExitCode, Output }] } })
    expect(toInstance(checked, known).health).toEqual({ status: Status, broken, detail })
  })
})

describe('what has happened', () => {
  const at = (state: InstanceState, over: Partial<Instance> = {}): Instance => {
    const runs = ['running', 'suspended', 'paused', 'stopping', 'unknown'].includes(state)
    const exit = runs || state === 'created' ? null : toInstance(view({ Status: 'exited', FinishedAt: T2 }), known).exit
    return { ...toInstance(view(), known), state, startedAt: runs ? T1 : null, exit, ...over }
  }
  const later = { exit: { code: 1, signal: null, oomKilled: false, at: '2026-11-25T10:00:00.000Z' } }

  it.each<[Instance | null, Instance, string | null]>([
    [null, at('running'), 'instance.started'],
    [null, at('created'), null],
    [null, at('exited'), 'instance.exited'],
    [at('created'), at('running'), 'instance.started'],
    [at('exited'), at('running'), 'instance.started'],
    [at('running'), at('running'), null],
    [at('running'), at('running', { startedAt: T2 }), 'instance.started'],
    [at('running'), at('running', { address: '10.0.0.1' }), 'instance.changed'],
    [at('running'), at('running', { restarts: 3 }), null],
    [at('running'), at('stopping'), 'instance.stopping'],
    [at('stopping'), at('running'), 'instance.resumed'],
    [at('stopping'), at('exited'), 'instance.exited'],
    [at('running'), at('paused'), 'instance.suspended'],
    [at('running'), at('suspended'), 'instance.suspended'],
    [at('paused'), at('running'), 'instance.resumed'],
    [at('paused'), at('running', { startedAt: T2 }), 'instance.started'],
    [at('running'), at('exited'), 'instance.exited'],
    [at('exited'), at('exited'), null],
    [at('exited'), at('exited', later), 'instance.exited'],
    [at('running'), at('restarting'), 'instance.exited'],
    [at('restarting'), at('exited'), 'instance.changed'],
    [at('restarting'), at('restarting', later), 'instance.exited'],
    [at('restarting'), at('running', { startedAt: T2 }), 'instance.started'],
    [at('created'), at('failed'), 'instance.failed'],
    [at('failed'), at('failed'), null],
    [at('running'), at('unknown'), 'instance.lost'],
    [at('unknown'), at('unknown'), null],
    [at('unknown'), at('running'), 'instance.resumed'],
    [at('unknown'), at('running', { startedAt: T2 }), 'instance.started'],
    [at('unknown'), at('exited'), 'instance.exited'],
    [at('unknown', { startedAt: null, exit: at('exited').exit }), at('exited'), 'instance.exited'],
    [at('unknown', { startedAt: null }), at('created'), 'instance.changed'],
  ])('%#: %j', (former, now, type) => {
    expect(eventOf(former, now)).toBe(type)
  })
})

describe('the version of a container', () => {
  it.each([
    ['postgres:16.3', '16.3'],
    ['registry:5000/team/name:v1@sha256:0123', 'v1'],
    ['registry:5000/team/name', null],
    ['name', null],
    ['name@sha256:0123', null],
    ['', null],
  ])('of the image %s is %s', (image, tag) => {
    expect(imageTag(image)).toBe(tag)
    expect(toInstance(view({}, { Config: { Image: image } }), known).version).toBe(tag ?? undefined)
  })
})
