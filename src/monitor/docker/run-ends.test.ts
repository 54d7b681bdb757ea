import { describe, expect, it } from 'vitest'
import type { ContainerEvent } from './event-lines.ts'
import { meantMs, RunEnds, signalNumber } from './run-ends.ts'

const AT = Date.UTC(2026, 10, 25)

/** `kill 15` at once, `+31 kill 9` 31 s after the first, and so on. */
function endAfter(told: readonly string[], stopSignal = 'SIGTERM', stopTimeoutMs: number | null = null) {
  const ends = new RunEnds()
  let stopping = 0
  let last = AT
  for (const line of told) {
    const [, delay = '0', action = '', signal] = /^(?:\+(\d+) )?(\S+)(?: (\S+))?$/.exec(line) ?? []
    last = AT + Number(delay) * 1_000
    const attributes = action === 'die' ? { exitCode: '137' } : signal === undefined ? {} : { signal }
    const event: ContainerEvent = { id: 'x', action, at: last, key: line, attributes }
    if (ends.note(event, { stopSignal, stopTimeoutMs }) === 'stopping') stopping++
  }
  return { end: ends.of(last)?.end ?? null, stopping }
}

describe('how a run came to its end', () => {
  it.each([
    ['docker kill', ['kill 9', 'die'], 'kill'],
    ['docker kill, by name', ['kill SIGKILL', 'die'], 'kill'],
    ['docker stop', ['kill 15', 'die', 'stop'], 'stop'],
    ['docker stop whose grace ran out', ['kill 15', '+10 kill 9', '+10 die'], 'stop'],
    ['docker stop -t 0', ['kill 15', 'kill 9', 'die'], 'stop'],
    ['docker kill -s INT', ['kill 2', 'die'], 'stop'],
    ['a crash', ['die'], 'itself'],
    ['a crash after a signal that asks for no end', ['kill 1', 'die'], 'itself'],
    ['a crash long after a signal that it has ignored', ['kill 15', '+31 die'], 'itself'],
    ['a kill long after a signal that it has ignored', ['kill 15', '+31 kill 9', '+31 die'], 'kill'],
    ['a crash after it was killed and started', ['kill 9', 'die', 'start', '+5 die'], 'itself'],
    ['a crash right after a start that followed a stop', ['kill 15', 'start', '+1 die'], 'itself'],
    ['docker stop between two runs of a restart policy', ['die', 'stop'], 'stop'],
    ['a crash after it was stopped between two runs and started', ['die', 'stop', 'start', 'die'], 'itself'],
    ['nothing seen', ['start'], null],
  ])('%s', (_, told, end) => {
    expect(endAfter(told).end).toBe(end)
  })

  it("knows the container's own stop signal", () => {
    expect(endAfter(['kill 10', 'die'], 'SIGUSR1').end).toBe('stop')
    expect(endAfter(['kill 37', 'die'], 'SIGRTMIN+3').end).toBe('stop')
    expect(endAfter(['kill 10', 'die'], 'SIGTERM').end).toBe('itself')
  })

  it('gives a container with a long grace that long', () => {
    expect(endAfter(['kill 15', '+100 kill 9', '+100 die'], 'SIGTERM', 100_000).end).toBe('stop')
    expect(meantMs(100_000)).toBe(110_000)
    expect(meantMs(null)).toBe(30_000)
  })

  it('says once for each signal that somebody has asked for an end', () => {
    expect(endAfter(['kill 15', 'kill 9']).stopping).toBe(1)
    expect(endAfter(['kill 9', 'kill 1']).stopping).toBe(0)
  })

  it('does not take the end of a former run for that of a later one', () => {
    const ends = new RunEnds()
    ends.note({ id: 'x', action: 'die', at: AT, key: '', attributes: { exitCode: '1' } }, undefined)
    expect(ends.of(AT - 3)).toEqual({ at: AT, exitCode: 1, end: 'itself' })
    expect(ends.of(AT + 60_000)).toBeNull()
  })
})

it.each([
  ['15', 15],
  ['SIGTERM', 15],
  ['term', 15],
  ['SIGRTMIN+3', 37],
  ['nonsense', -1],
  ['', -1],
])('reads the signal %j', (signal, number) => {
  expect(signalNumber(signal)).toBe(number)
})
