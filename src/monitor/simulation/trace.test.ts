import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { core } from '../app/core.ts'
import { seeded } from './random.ts'
import { replayTrace } from './replay.ts'
import { scenarios } from './scenarios/index.ts'
import { simulate } from './simulate.ts'
import { TraceWriter, type TraceRecord } from './trace.ts'

const header: TraceRecord = { t: 'medyk-trace', version: 1, startedAt: '2026-01-01T00:00:00.000Z', by: 'medyk test' }

/** The lines that a daemon would have recorded. */
function record(name: string, seed: number): string[] {
  const lines = [JSON.stringify(header)]
  const scenario = scenarios[name]?.build(seeded(seed).fork('scenario'), { services: 5, durationMs: 60_000 })
  if (!scenario) throw new Error(`no scenario ${name}`)
  simulate({ core, scenario, seed, recordTrace: { write: (entry) => lines.push(JSON.stringify(entry)) } })
  return lines
}

const lineOf = (lines: readonly string[], at: number): string => lines[at] ?? ''

async function* from(lines: readonly string[]): AsyncGenerator<string> {
  for (const line of lines) yield line
}

const replay = (lines: readonly string[]) => replayTrace(from(lines), core)

let folder = ''
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'medyk-trace-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

describe('replayTrace', () => {
  it('comes to the same verdicts, incidents and actions as the recorded run, whatever the scenario', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom('crash', 'hang', 'database', 'monitor-pause', 'loss'),
        fc.nat(1_000),
        async (name, seed) => {
          const report = await replay(record(name, seed))
          expect(report.difference).toBeNull()
          expect(report).toMatchObject({ identical: true, truncated: false, stopped: null })
          expect(report.detections).toBeGreaterThan(100)
          expect(report.verdicts).toBeGreaterThan(0)
        },
      ),
      { numRuns: 6 },
    )
  })

  it('tells the story of the recording', async () => {
    const report = await replay(record('crash', 1))
    expect(report.story.map(({ kind }) => kind)).toEqual(
      expect.arrayContaining(['seen', 'verdict', 'incident', 'action']),
    )
    expect(report.spanMs).toBeGreaterThan(100_000)
  })

  it('names the line where a recorded verdict is another', async () => {
    const lines = record('crash', 1)
    const at = lines.findIndex((line) => line.includes('"status":"unhealthy"') && line.startsWith('{"t":"verdict"'))
    lines[at] = lineOf(lines, at).replace('"status":"unhealthy"', '"status":"degraded"')
    const report = await replay(lines)
    expect(report.identical).toBe(false)
    expect(report.difference).toMatchObject({ line: at + 1, part: expect.stringContaining('detection of') as string })
    expect(report.difference?.replayed).toContain('unhealthy')
    expect(report.difference?.recorded).toContain('degraded')
  })

  it('names the input that brought nothing where something is due, and the output that is not due', async () => {
    const lines = record('crash', 1)
    const at = lines.findIndex((line) => line.startsWith('{"t":"out"'))
    const without = await replay(lines.toSpliced(at, 1))
    expect(without.difference).toMatchObject({ line: at, part: 'core', recorded: null })
    const twice = await replay(lines.toSpliced(at, 0, lineOf(lines, at)))
    expect(twice.difference).toMatchObject({ line: at + 2, part: 'core', replayed: null })
  })

  it('accepts a trace that was cut off anywhere in its last line', async () => {
    const lines = record('crash', 1).slice(0, 200)
    for (const length of [1, 10, lineOf(lines, 199).length - 1]) {
      const report = await replay([...lines.slice(0, 199), lineOf(lines, 199).slice(0, length)])
      expect(report).toMatchObject({ identical: true, truncated: true, lines: 200 })
    }
  })

  it.each([
    ['not JSON', 3, '{"t":"detect"', 'not JSON'],
    ['no record', 3, '[1, 2]', 'not a record'],
    ['an unknown kind', 2, '{"t":"dance"}', 'unknown kind'],
    [
      'an unknown instance',
      2,
      '{"t":"detect","shard":0,"instance":"x","input":{"type":"tick"},"now":{"mono":1,"wall":1}}',
      '"x"',
    ],
    ['a record without its parts', 2, '{"t":"watch","shard":0}', 'cannot be replayed'],
    ['no header', 1, '{"t":"core"}', 'does not begin as a trace'],
    ['another version', 1, '{"t":"medyk-trace","version":99}', 'version 99'],
  ])('refuses %s with the number of the line', async (_, line, text, said) => {
    const lines = record('crash', 1).slice(0, 10)
    lines[line - 1] = text
    const failed = replay(lines)
    await expect(failed).rejects.toMatchObject({ code: 'ERR_TRACE', hint: expect.any(String) as string })
    await expect(failed).rejects.toThrow(`line ${line}`)
    await expect(failed).rejects.toThrow(said)
  })

  it('refuses an empty file and one that is not there', async () => {
    await expect(replay([])).rejects.toMatchObject({ code: 'ERR_TRACE' })
    await expect(replayTrace(join(folder, 'nowhere'), core)).rejects.toMatchObject({ code: 'ERR_TRACE' })
  })

  it('survives any damage to a line: it answers or refuses, and never throws anything else', async () => {
    const lines = record('crash', 1).slice(0, 60)
    await fc.assert(
      fc.asyncProperty(fc.nat(59), fc.nat(400), fc.string({ maxLength: 5 }), async (line, at, text) => {
        const damaged = [...lines]
        damaged[line] = lineOf(lines, line).slice(0, at) + text + lineOf(lines, line).slice(at + text.length)
        await replay(damaged).catch((error: unknown) => expect(error).toMatchObject({ code: 'ERR_TRACE' }))
      }),
      { numRuns: 200 },
    )
  })
})

describe('TraceWriter', () => {
  const options = { startedAt: '2026-01-01T00:00:00.000Z', by: 'medyk test' }

  it('writes a file that replays, readable by its owner alone', async () => {
    const file = join(folder, 'whole.jsonl')
    const writer = new TraceWriter(file, options)
    for (const line of record('crash', 2).slice(1)) writer.write(JSON.parse(line) as TraceRecord)
    await writer[Symbol.asyncDispose]()
    const report = await replayTrace(file, core)
    expect(report).toMatchObject({ identical: true, by: 'medyk test', truncated: false })
    expect((await stat(file)).mode & 0o777).toBe(0o600)
    // As after a power cut, in the middle of a character.
    const bytes = await readFile(file)
    await writeFile(file, bytes.subarray(0, bytes.length - 20))
    await expect(replayTrace(file, core)).resolves.toMatchObject({ identical: true, truncated: true })
  })

  it('stops at its size with a note, and the rest replays', async () => {
    const file = join(folder, 'full.jsonl')
    const writer = new TraceWriter(file, { ...options, maxBytes: 60_000 })
    for (const line of record('crash', 2).slice(1)) writer.write(JSON.parse(line) as TraceRecord)
    expect(writer.stopped).toContain('60000')
    await writer[Symbol.asyncDispose]()
    expect((await stat(file)).size).toBeLessThan(61_000)
    const report = await replayTrace(file, core)
    expect(report).toMatchObject({ identical: true, truncated: false })
    expect(report.stopped).toContain('60000')
  })

  it('says why it records nothing where the file cannot be written, and troubles nobody', async () => {
    const writer = new TraceWriter(join(folder, 'no', 'such', 'folder'), options)
    await expect.poll(() => writer.stopped).toContain('ENOENT')
    writer.write(header)
    await writer[Symbol.asyncDispose]()
  })
})
