import { describe, expect, it } from 'vitest'
import { endsARun, tellings } from './changes.ts'
import { toContainerView } from './container-view.ts'

const FIRST = '2026-11-25T08:00:00.000Z'
const SECOND = '2026-11-25T08:10:00.000Z'
const ENDED = '2026-11-25T08:09:59.000Z'

const view = (Status: string, StartedAt: string, FinishedAt = '', over: object = {}) =>
  toContainerView({ Id: 'ab'.repeat(32), State: { Status, StartedAt, FinishedAt, Pid: 1, ...over } })

const end = { at: Date.parse(ENDED), exitCode: 3, end: 'itself' } as const
const shown = (told: ReturnType<typeof tellings>) =>
  told.map((one) => [one.container.state, one.container.startedAt, one.end] as const)

describe('what is told of a container', () => {
  it('is nothing while only the output of its check differs', () => {
    const health = (Output: string, ExitCode = 1) => ({ Health: { Status: 'unhealthy', Log: [{ ExitCode, Output }] } })
    const former = view('running', FIRST, '', health('a'))
    expect(tellings(former, view('running', FIRST, '', health('b')), null)).toEqual([])
    expect(tellings(former, view('running', FIRST, '', health('b', 127)), null)).toHaveLength(1)
  })

  it('is its end', () => {
    expect(shown(tellings(view('running', FIRST), view('exited', FIRST, ENDED), end))).toEqual([
      ['exited', null, 'itself'],
    ])
  })

  it('is the end of a run that has been replaced, and then the other one', () => {
    const told = tellings(view('running', FIRST), view('running', SECOND, ENDED), end)
    expect(shown(told)).toEqual([
      ['exited', null, 'itself'],
      ['running', SECOND, null],
    ])
    expect(told[0]?.container).toMatchObject({ exitCode: 3, finishedAt: ENDED, pid: null })
  })

  it('says of an end that nobody saw that it is unknown, its code as well', () => {
    const told = tellings(view('running', FIRST), view('running', SECOND, ENDED), null)
    expect(told[0]).toMatchObject({ end: 'unknown', container: { exitCode: -1 } })
  })

  it('is that another run has come and gone', () => {
    const former = view('exited', FIRST, FIRST)
    expect(shown(tellings(former, view('exited', FIRST, ENDED), end))).toEqual([['exited', null, 'itself']])
  })

  it('is that somebody has stopped it, where Docker was about to start it again', () => {
    const former = view('restarting', FIRST, ENDED)
    expect(shown(tellings(former, view('exited', FIRST, ENDED), end))).toEqual([['exited', null, 'stop']])
    const failed = view('exited', FIRST, ENDED, { Error: 'no such directory' })
    expect(shown(tellings(former, failed, end))).toEqual([['exited', null, 'itself']])
  })

  it.each([
    ['its first sight, running', null, view('running', FIRST), false],
    ['its first sight, exited', null, view('exited', FIRST, ENDED), true],
    ['never run', null, view('created', ''), false],
    ['the same end seen again', view('exited', FIRST, ENDED), view('exited', FIRST, ENDED), false],
    ['an end', view('running', FIRST), view('exited', FIRST, ENDED), true],
    ['another run', view('running', FIRST), view('running', SECOND, ENDED), true],
    ['a start', view('exited', FIRST, ENDED), view('running', SECOND, ENDED), false],
  ])('asks for the way of its end: %s', (_, former, now, expected) => {
    expect(endsARun(former, now)).toBe(expected)
  })
})
