import fc from 'fast-check'
import { expect, test } from 'vitest'
import { stringify } from 'yaml'
import type { ProbeSpec, ServiceSpec } from '../model/index.ts'
import { serviceDefaults } from './build.ts'
import { ConfigError, parseConfig, type Config } from './index.ts'
import { kinds } from './testdata/kinds.ts'

const ms = (min: number, max: number) => fc.integer({ min, max })
// A letter first: keys that look like whole numbers come first in any JavaScript object, whatever the file says.
const name = fc.stringMatching(/^[a-z]([a-z0-9-]{0,20}[a-z0-9])?$/)

const probe = (role: ProbeSpec['role']): fc.Arbitrary<ProbeSpec> =>
  fc.record({
    name: fc.constant(role),
    role: fc.constant(role),
    kind: fc.constant('tcp'),
    options: fc.record({ host: fc.string({ minLength: 1 }).filter((s) => !s.includes('\0')), port: ms(1, 65_535) }),
    intervalMs: ms(100, 3_600_000),
    timeoutMs: ms(10, 60_000),
  })

const service = (own: string, earlier: readonly string[]): fc.Arbitrary<ServiceSpec> =>
  fc.record({
    name: fc.constant(own),
    runtime: fc.constantFrom('process', null),
    runtimeOptions: fc.record({
      command: fc.array(
        fc.string({ unit: 'grapheme', minLength: 1 }).filter((s) => !s.includes('\0')),
        { minLength: 1, maxLength: 4 },
      ),
      cwd: fc.constant('/srv'),
    }),
    // Only earlier ones, so that the graph has no cycle.
    dependsOn: fc
      .subarray([...earlier])
      .map((names) => names.map((each) => ({ service: each, source: 'config' as const }))),
    probes: fc
      .tuple(fc.option(probe('liveness')), fc.option(probe('readiness')), fc.option(probe('startup')))
      .map((each) => each.filter((one) => one !== null)),
    startupGraceMs: ms(1, 86_400_000),
    recovery: fc.record({
      enabled: fc.boolean(),
      attempts: ms(1, 1_000),
      windowMs: ms(1, 86_400_000),
      delaysMs: fc.array(ms(0, 86_400_000), { minLength: 1, maxLength: 6 }),
      jitter: fc.double({ min: 0, max: 1, noNaN: true }),
      stopGraceMs: ms(0, 600_000),
      quarantineRetryMs: ms(1, 604_800_000),
      stableMs: ms(1, 604_800_000),
    }),
  })

const docker: fc.Arbitrary<Config['docker']> = fc.option(
  fc.record({
    host: fc.constantFrom('unix:///run/docker.sock', 'tcp://10.0.0.1:2376'),
    projects: fc.array(fc.stringMatching(/^[a-z0-9][a-z0-9_-]{0,20}$/), { maxLength: 3 }),
    observe: fc.boolean(),
  }),
)

const config: fc.Arbitrary<Config> = fc
  .uniqueArray(name, { minLength: 1, maxLength: 5 })
  .chain((names) => fc.tuple(docker, fc.tuple(...names.map((own, i) => service(own, names.slice(0, i))))))
  .map(([found, services]) => ({
    file: '/etc/medyk.yaml',
    directory: '/etc',
    server: { host: '127.0.0.1', port: 7700 },
    stateDir: '/etc/.medyk',
    services: services.map((each) => (each.runtime === null ? { ...each, runtimeOptions: {} } : each)),
    docker: found,
    defaults: serviceDefaults,
  }))

/** The file that a person would write for `config`, complete. */
function write({ server, stateDir, services, docker: found }: Config): string {
  return stringify({
    version: 1,
    server,
    state: stateDir,
    ...(found === null ? {} : { docker: found }),
    services: Object.fromEntries(
      services.map(({ name: own, runtime, runtimeOptions, dependsOn, probes, startupGraceMs, recovery: r }) => [
        own,
        {
          runtime: runtime ?? 'none',
          ...(runtime === null ? {} : { [runtime]: runtimeOptions }),
          dependsOn: dependsOn.map((each) => each.service),
          probes: Object.fromEntries(
            probes.map((p) => [
              p.role,
              { kind: p.kind, ...p.options, interval: `${p.intervalMs}ms`, timeout: `${p.timeoutMs}ms` },
            ]),
          ),
          startupGrace: `${startupGraceMs}ms`,
          recovery: {
            enabled: r.enabled,
            attempts: r.attempts,
            window: `${r.windowMs}ms`,
            delays: r.delaysMs.map((each) => `${each}ms`),
            jitter: r.jitter,
            stopGrace: `${r.stopGraceMs}ms`,
            quarantineRetry: `${r.quarantineRetryMs}ms`,
            stable: `${r.stableMs}ms`,
          },
        },
      ]),
    ),
  })
}

test('whatever can be said is read back as it was meant', () => {
  fc.assert(
    fc.property(config, (meant) => {
      expect(parseConfig(write(meant), '/etc/medyk.yaml', kinds)).toEqual(meant)
    }),
    { numRuns: 150 },
  )
}, 120_000)

const tokens =
  ': |- |[|]|{|}|"|\'|\n|\t|#|&a |*a|!x |>|? |---\n|...\n|%Y 1\n|0|-1|.nan|5|1s|null|true|<<: *a|\0|\u2028|\ufeff|\ud800|services:\n|__proto__: 1\n'
const junk = fc.oneof(fc.constantFrom(...tokens.split('|'), '|'), fc.string({ maxLength: 3, unit: 'grapheme' }))

test('a damaged file is either read or refused with every problem at a place that exists', () => {
  let refused = 0
  const damage = fc.array(fc.tuple(fc.double({ min: 0, max: 1, noNaN: true }), fc.nat(6), junk), {
    minLength: 1,
    maxLength: 4,
  })
  fc.assert(
    fc.property(config, damage, (valid, wounds) => {
      const text = wounds.reduce((whole, [where, length, put]) => {
        const at = Math.floor(where * whole.length)
        return whole.slice(0, at) + put + whole.slice(at + length)
      }, write(valid))
      try {
        parseConfig(text, 'medyk.yaml', kinds)
      } catch (error) {
        if (!(error instanceof ConfigError)) throw error
        refused++
        expect(error.problems.length).toBeGreaterThan(0)
        const lines = text.split('\n')
        for (const { at, message } of error.problems) {
          expect(message).not.toMatch(/\n|undefined|\[object/)
          expect(at?.line).toBeGreaterThanOrEqual(1)
          expect(at?.line).toBeLessThanOrEqual(lines.length)
          expect(at?.column).toBeGreaterThanOrEqual(1)
          expect(at?.column).toBeLessThanOrEqual((lines[(at?.line ?? 0) - 1] ?? '').length + 1)
        }
      }
    }),
    { numRuns: 400 },
  )
  // The test would prove nothing if damage were seldom noticed.
  expect(refused).toBeGreaterThan(100)
}, 120_000)
