import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { silentLogger } from '@medyk/health/internal'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { StartCounts } from './counts.ts'

let directory: string
beforeEach(() => (directory = mkdtempSync(join(tmpdir(), 'medyk-counts-'))))
afterEach(() => rmSync(directory, { recursive: true }))

const open = () => StartCounts.open(directory, silentLogger)
const A = 'aaaaaaaaaaaa'
const B = 'bbbbbbbbbbbb'

describe('starts by Medyk', () => {
  it('are restarts, but the very first of a container is none', async () => {
    const counts = await open()
    counts.started(A, true)
    counts.started(B, false)
    expect([counts.restarts(A), counts.restarts(B), counts.restarts('cccccccccccc')]).toEqual([0, 1, 0])
    counts.started(A, false)
    expect(counts.restarts(A)).toBe(1)
    await counts.saved()
  })

  it('outlive the daemon, and end with the container', async () => {
    const counts = await open()
    counts.started(A, false)
    counts.started(A, false)
    counts.started(B, false)
    counts.forget(B)
    await counts.saved()
    const later = await open()
    expect([later.restarts(A), later.restarts(B)]).toEqual([2, 0])
  })

  it.each([
    '',
    '{',
    '{"version":1,"containers":{"../x":{"starts":1,"first":false}}}',
    '{"version":1,"containers":{"aaaaaaaaaaaa":{"starts":-1,"first":true}}}',
  ])('begin anew beside a file that cannot be believed: %j', async (text) => {
    writeFileSync(join(directory, 'starts.json'), text)
    expect((await open()).restarts(A)).toBe(0)
    expect(existsSync(join(directory, 'starts.json.corrupt'))).toBe(true)
  })

  it('are bounded in number', async () => {
    const counts = await open()
    const idOf = (n: number) => n.toString(16).padStart(12, '0')
    for (let n = 0; n < 2_100; n++) counts.started(idOf(n), false)
    expect([counts.restarts(idOf(99)), counts.restarts(idOf(100)), counts.restarts(idOf(2_099))]).toEqual([0, 1, 1])
    await counts.saved()
  }, 60_000)
})
