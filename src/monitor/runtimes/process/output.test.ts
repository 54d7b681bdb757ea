import { appendFileSync, closeSync, mkdtempSync, rmSync, statSync, writeFileSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { boundOutput, MAX_OUTPUT_BYTES, openOutput, readOutput } from './output.ts'

let directory: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'medyk-output-'))
})
afterEach(() => rmSync(directory, { recursive: true }))
const log = () => join(directory, 'output.log')

it('is empty before the first run, and bounding it does nothing', () => {
  expect(readOutput(directory, 100)).toBe('')
  expect(boundOutput(directory)).toBe(0)
})

it('shows the last bytes, whole characters only', () => {
  writeFileSync(log(), 'first\nzażółć')
  expect(readOutput(directory, 1_000)).toBe('first\nzażółć')
  expect(readOutput(directory, 4)).toBe('łć')
  expect(readOutput(directory, 3)).toBe('ć')
  expect(readOutput(directory, 0)).toBe('')
  expect(readOutput(directory, -5)).toBe('')
})

it('cuts what has grown too long and goes on with the same descriptor, nothing out of order', () => {
  const fd = openOutput(directory)
  try {
    for (let n = 0; n < 150_000; n++) writeSync(fd, `line ${n}\n`)
    expect(boundOutput(directory)).toBeGreaterThan(MAX_OUTPUT_BYTES)
    expect(statSync(log()).size).toBe(0)
    writeSync(fd, 'the last line\n')
  } finally {
    closeSync(fd)
  }
  expect(readOutput(directory, 38)).toBe('line 149998\nline 149999\nthe last line\n')
  expect(statSync(log()).size + statSync(join(directory, 'output.1.log')).size).toBeLessThan(MAX_OUTPUT_BYTES)
  expect(boundOutput(directory)).toBe(0)
})

it('keeps the files to the owner', () => {
  closeSync(openOutput(directory))
  appendFileSync(log(), 'x'.repeat(MAX_OUTPUT_BYTES + 1))
  boundOutput(directory)
  expect(statSync(log()).mode & 0o777).toBe(0o600)
  expect(statSync(join(directory, 'output.1.log')).mode & 0o777).toBe(0o600)
})

it.each([
  ['password=hunter2\n', 'password=[redacted]\n'],
  ['pass\u001b[1mword\u001b[0m=hunter2\n', 'password=[redacted]\n'],
  ['\u001b]0;title\u0007plain\r\n', 'plain\n'],
  ['bell\u0007 and \u0000\n', 'bell\\u0007 and \\u0000\n'],
])('shows %j as %j', (written, shown) => {
  writeFileSync(log(), written)
  expect(readOutput(directory, 1_000)).toBe(shown)
})

it('shows no part of a secret wherever the cut falls', () => {
  const secret = 'hunter2hunter2hunter2'
  writeFileSync(log(), `${'-'.repeat(200_000)} password=${secret}\n${'+'.repeat(50)}\n`)
  for (let bytes = 1; bytes < 140; bytes++) {
    expect(readOutput(directory, bytes)).not.toMatch(/hunter|unter2|nter2/)
  }
})

it('shows no part of a secret that begins before what is read, however much the redactor makes of the rest', () => {
  const secret = 'hunter2'.repeat(2_000)
  // Masked, the rest is far shorter than what may be shown, so that there is room for more.
  const rest = `password=${'z'.repeat(990)}\n`.repeat(20)
  writeFileSync(log(), `${'-'.repeat(50_000)} password=${secret}\n${rest}`)
  for (let bytes = 4_000; bytes < 40_000; bytes += 500) {
    expect(readOutput(directory, bytes)).not.toContain('hunter2')
  }
})

it('never gives more than was asked for, whatever was written', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 2_000 }), fc.nat(2_500), (bytes, limit) => {
      writeFileSync(log(), bytes)
      expect(Buffer.byteLength(readOutput(directory, limit))).toBeLessThanOrEqual(limit)
    }),
    { numRuns: 200 },
  )
})
