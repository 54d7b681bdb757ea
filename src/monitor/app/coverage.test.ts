import { expect, test } from 'vitest'
import type { CoverageRow, ServiceSpec } from '../model/index.ts'
import { configuredCoverage, coverageReport } from './coverage.ts'
import { spec } from './shard.testing.ts'

const examined = (name: string) => spec(name, 8_001)
const bare = (name: string, runtime: string | null): ServiceSpec => ({ ...examined(name), runtime, probes: [] })
const given = (one: ServiceSpec, symptom: 'misconfigured' | null = null) => ({
  spec: one,
  symptom,
  reason: 'it answered 404',
})

test.each([
  [examined('a'), 'checked', null],
  [bare('b', 'process'), 'state', /only whether it runs/],
  [bare('c', null), 'none', /nothing examines it/],
] as const)('a configured service is covered as far as its probes reach: $1', (one, level, note) => {
  const row = configuredCoverage(one)
  expect(row).toMatchObject({ service: one.name, level, derivedFrom: 'the config file' })
  if (note === null) expect([row.note, row.probe]).toEqual([null, expect.stringContaining('8001')])
  else expect(row.note).toMatch(note)
})

test('what discovery says of a service wins; what is no service is told and not counted', () => {
  const found: CoverageRow[] = [
    { service: 'b', level: 'checked', probe: 'HEALTHCHECK', derivedFrom: 'HEALTHCHECK curl', note: null },
    { service: 'job-run-1', level: 'none', probe: null, derivedFrom: 'compose run', note: 'runs once', counts: false },
    { service: 'lost', level: 'none', probe: null, derivedFrom: 'a container', note: 'not watched' },
  ]
  const report = coverageReport([given(examined('a')), given(bare('b', 'docker'))], found)
  expect(report).toMatchObject({ ratio: 2 / 3, checked: 2, total: 3 })
  expect(report.rows.map(({ service }) => service)).toEqual(['a', 'b', 'job-run-1', 'lost'])
})

test('a probe that asks for what is not there covers nothing', () => {
  const report = coverageReport([given(examined('a'), 'misconfigured')], [])
  expect(report).toMatchObject({
    ratio: 0,
    rows: [{ level: 'none', note: expect.stringContaining('it answered 404') }],
  })
})

test('nothing watched is nothing covered', () => {
  expect(coverageReport([], [])).toEqual({ ratio: 0, checked: 0, total: 0, rows: [] })
})
