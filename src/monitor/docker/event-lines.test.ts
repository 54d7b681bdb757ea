import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { EventLines } from './event-lines.ts'

const ID = 'cd'.repeat(32)
const line = (n: number, Action = 'die') =>
  JSON.stringify({
    status: 'a word that is not read',
    Type: 'container',
    Action,
    Actor: { ID, Attributes: { name: 'ünïcode \n {', exitCode: String(n) } },
    timeNano: 1.795_594_593e18 + n * 1e9,
  })

describe('lines of events', () => {
  it('reads the same whatever the chunks', () => {
    const text = [1, 2, 3, 4, 5].map((n) => `${line(n)}\n`).join('')
    fc.assert(
      fc.property(fc.array(fc.nat(text.length), { maxLength: 20 }), (cuts) => {
        const reader = new EventLines()
        const borders = [0, ...cuts.sort((a, b) => a - b), text.length]
        const events = borders.slice(1).flatMap((end, i) => reader.push(text.slice(borders[i], end)))
        expect(events.map(({ attributes }) => attributes.exitCode)).toEqual(['1', '2', '3', '4', '5'])
      }),
    )
  })

  it('goes on after what is cut, garbage, or longer than any event', () => {
    const reader = new EventLines()
    const broken = [
      '{"Type":"container","Act',
      '\0\xff',
      '[]',
      'null',
      '""',
      '{}',
      'x'.repeat(300_000),
      line(1).slice(0, 50),
    ]
    const told = broken.flatMap((one, n) => [...reader.push(`${one}\n`), ...reader.push(`${line(n)}\n`)])
    expect(told.map(({ attributes }) => attributes.exitCode)).toEqual(broken.map((_, n) => String(n)))
  })

  it('keeps no more than a line of what has no end', () => {
    const reader = new EventLines()
    for (let n = 0; n < 50; n++) expect(reader.push('x'.repeat(100_000))).toEqual([])
    expect(reader.push(`tail\n${line(7)}\n`)).toHaveLength(1)
  })

  it('reads the last one although nothing follows it', () => {
    const reader = new EventLines()
    expect(reader.push(line(1))).toEqual([])
    expect(reader.end()).toMatchObject([{ id: ID, action: 'die', attributes: { exitCode: '1' } }])
  })

  it('names the action without what stands behind its colon', () => {
    expect(new EventLines().push(`${line(1, 'health_status: unhealthy')}\n`)).toMatchObject([
      { action: 'health_status' },
    ])
  })

  it('leaves out what is of no container', () => {
    const other = line(1).replace('"Type":"container"', '"Type":"network"')
    expect(new EventLines().push(`${other}\n${line(1).replace(ID, 'abc')}\n`)).toEqual([])
  })
})
