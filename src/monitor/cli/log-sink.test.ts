import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { LogSink } from './log-sink.ts'

const now = () => '2026-01-01T00:00:00.000Z'

function fresh(): string {
  const dir = mkdtempSync(path.join(tmpdir(), 'medyk-log-'))
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }))
  return path.join(dir, 'deep', 'medyk.log')
}

test('the file and the one before it stay under the limit while it runs, and the newest lines are kept', () => {
  const file = fresh()
  const sink = new LogSink({ file, maxBytes: 100, now })
  for (let i = 100; i < 200; i++) {
    sink.write(`line ${i}\n`)
    expect(statSync(file).size).toBeLessThanOrEqual(100)
  }
  expect(statSync(`${file}.1`).size).toBeLessThanOrEqual(100)
  const lines = `${readFileSync(`${file}.1`, 'utf8')}${readFileSync(file, 'utf8')}`.trim().split('\n')
  expect(lines.at(-1)).toBe('line 199')
  expect(lines.length).toBeGreaterThan(10)
  expect(lines).toEqual(lines.map((_, i) => `line ${200 - lines.length + i}`))
})

test('a file that was long already is rotated at the first line of the next life', () => {
  const file = fresh()
  new LogSink({ file, maxBytes: 10, now }).write('of the last life\n')
  new LogSink({ file, maxBytes: 10, now }).write('new\n')
  expect(readFileSync(file, 'utf8')).toBe('new\n')
  expect(readFileSync(`${file}.1`, 'utf8')).toBe('of the last life\n')
})

test('where FILE.1 cannot be had, the file is bounded all the same', () => {
  const file = fresh()
  const sink = new LogSink({ file, maxBytes: 20, now })
  mkdirSync(path.join(`${file}.1`, 'in the way'), { recursive: true })
  for (let i = 10; i < 20; i++) sink.write(`line ${i}\n`)
  expect(readFileSync(file, 'utf8')).toBe('line 18\nline 19\n')
  expect(sink.dropped).toBe(0)
})

test('what cannot be written is counted, and the first line that can be tells how many were lost', () => {
  const full = new LogSink({ file: '/dev/full', now })
  for (let i = 0; i < 3; i++) full.write('x\n')
  expect(full.dropped).toBe(3)

  const file = fresh()
  const sink = new LogSink({ file, now })
  sink.drop()
  sink.write('here again\n')
  const [notice = '', line] = readFileSync(file, 'utf8').split('\n')
  expect(JSON.parse(notice)).toMatchObject({ level: 'warn', time: now(), dropped: 1 })
  expect(line).toBe('here again')
  expect(sink.dropped).toBe(0)
})

test('a file that cannot be opened is refused with its name and what to do', () => {
  const file = path.join('/dev/null', 'medyk.log')
  expect(() => new LogSink({ file, now })).toThrow(expect.objectContaining({ code: 'ERR_LOG_FILE' }) as Error)
})
