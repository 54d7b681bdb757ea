import { describe, expect, it } from 'vitest'
import { ageIn, hasChanged, toRows, type ContainerRow } from './container-row.ts'

function row(Status: string, State = 'running', over: object = {}): ContainerRow {
  const [only] = toRows([{ Id: 'ab'.repeat(32), Names: ['/api'], State, Status, ...over }])
  if (!only) throw new Error('it is no row')
  return only
}

it.each([
  ['Up Less than a second', 0],
  ['Up 1 second', 1],
  ['Up 59 seconds (healthy)', 59],
  ['Up About a minute', 60],
  ['Up 2 minutes (Paused)', 120],
  ['Up About an hour', 3_600],
  ['Up 47 hours', 169_200],
  ['Up 3 weeks', 1_814_400],
  ['Exited (137) 3 seconds ago', 3],
  ['Restarting (1) Less than a second ago', 0],
  ['Created', null],
  ['', null],
])('reads the age in %j', (status, age) => {
  expect(ageIn(status)).toBe(age)
})

describe('a container must be looked at', () => {
  it.each([
    ['it is new', undefined, row('Up 1 second'), true],
    ['only time has passed', row('Up 1 second'), row('Up About a minute'), false],
    ['it is younger than it was', row('Up 3 minutes'), row('Up 2 seconds'), true],
    ['its health is another', row('Up 3 seconds (healthy)'), row('Up 4 seconds (unhealthy)'), true],
    ['its state is another', row('Up 3 seconds'), row('Exited (0) 1 second ago', 'exited'), true],
    [
      'its exit code is another',
      row('Exited (0) 5 seconds ago', 'exited'),
      row('Exited (1) 5 seconds ago', 'exited'),
      true,
    ],
    ['its name is another', row('Up 3 seconds'), row('Up 3 seconds', 'running', { Names: ['/web'] }), true],
    [
      'its address is another',
      row('Up 3 seconds', 'running', { NetworkSettings: { Networks: { a: { IPAddress: '10.0.0.1' } } } }),
      row('Up 3 seconds', 'running', { NetworkSettings: { Networks: { a: { IPAddress: '10.0.0.2' } } } }),
      true,
    ],
  ])('when %s', (_, former, now, expected) => {
    expect(hasChanged(former, now)).toBe(expected)
  })

  it('unless it is no container at all', () => {
    expect(toRows([null, 1, 'x', {}, { Id: '../x' }])).toEqual([])
    expect(toRows({ message: 'no' })).toEqual([])
  })
})
