import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { ContainerView } from '../../docker/view.ts'
import { discover } from './discover.ts'
import { check, policyOf, view } from './views.testing.ts'

const word = fc.constantFrom('a', 'b', 'web', 'db', 'Web', 'w.e', 'redis', '', '-', '__proto__', 'a'.repeat(80), 'ąę')
const text = fc.oneof(word, fc.string())
const network = fc.record({
  name: fc.constantFrom('n1', 'n2'),
  address: fc.constantFrom('', '10.0.0.1', '10.0.0.2'),
  aliases: fc.array(word, { maxLength: 2 }),
})
const depends = fc.array(fc.tuple(word, fc.constantFrom('service_started', 'service_completed_successfully', 'x')))

const container: fc.Arbitrary<ContainerView> = fc
  .record({
    name: text,
    image: fc.oneof(fc.constantFrom('postgres', 'redis:7', 'x/y:1'), fc.string()),
    labels: fc.dictionary(
      fc.oneof(
        fc.constantFrom(
          ...'project service oneoff'.split(' ').map((key) => `com.docker.compose.${key}`),
          ...'health ready port interval recovery job depends-on restart-with ignore role x'
            .split(' ')
            .map((key) => `io.medyk.${key}`),
        ),
        fc.string(),
      ),
      fc.oneof(text, fc.constantFrom('true', '/health', 'tcp:80', 'http://web/', '1s', 'a,b,web,db')),
    ),
    depends,
    hosts: fc.array(
      fc.record({
        variable: text,
        host: fc.oneof(word, fc.constantFrom('x.example', '1.2.3.4'), fc.string()),
        port: fc.option(fc.integer({ min: 1, max: 65_535 })),
        scheme: fc.option(fc.constantFrom('redis', 'http', '__proto__')),
      }),
      { maxLength: 3 },
    ),
    ports: fc.dictionary(word, fc.integer({ min: 1, max: 65_535 })),
    networkMode: fc.oneof(fc.constantFrom('bridge', 'host', 'none', 'container:a', 'container:web'), fc.string()),
    networks: fc.array(network, { maxLength: 2 }),
    links: fc.array(fc.record({ name: word, alias: word }), { maxLength: 2 }),
    exposed: fc.array(fc.integer({ min: 1, max: 65_535 }), { maxLength: 3 }),
    test: fc.option(fc.array(fc.oneof(fc.constantFrom('CMD', 'CMD-SHELL', 'curl', '-f', 'http://localhost/'), text))),
    output: fc.string(),
    state: fc.constantFrom('running' as const, 'removing' as const, 'exited' as const),
  })
  .map(({ depends: list, test: words, output, labels, ...rest }) =>
    view({
      ...rest,
      labels: { ...labels, 'com.docker.compose.depends_on': list.map((one) => one.join(':')).join(',') },
      healthcheck: words === null ? null : check(words),
      health: words === null ? null : { status: 'unhealthy', exitCode: 1, output },
    }),
  )

test('whatever containers there are: names are unique and valid, edges lead to services, and never in a circle', () => {
  const projects = fc.constantFrom(null, ['web'], ['a', 'web'])
  fc.assert(
    fc.property(fc.array(container, { maxLength: 12 }), projects, (containers, chosen) => {
      const policy = policyOf({ projects: chosen })
      const found = discover(containers, policy)
      const { services, coverage, problems } = found
      const names = services.map(({ name }) => name)
      expect(new Set(names).size).toBe(names.length)
      for (const name of names) expect(name).toMatch(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/)
      for (const { name, dependsOn, probes } of services) {
        const targets = dependsOn.map(({ service }) => service)
        expect(targets).not.toContain(name)
        expect(new Set(targets).size).toBe(targets.length)
        for (const target of targets) expect(names).toContain(target)
        expect(new Set(probes.map((probe) => probe.name)).size).toBe(probes.length)
      }
      expect(
        isAcyclic(new Map(services.map((spec) => [spec.name, spec.dependsOn.map(({ service }) => service)]))),
      ).toBe(true)
      const rows = new Set(coverage.map(({ service }) => service))
      for (const name of names) expect(rows).toContain(name)
      // eslint-disable-next-line no-control-regex -- control characters are what must not come out
      for (const line of problems) expect(line).toMatch(/^[^\u0000-\u001f]{1,500}$/)
      // Docker lists them in any order.
      expect(discover([...containers].reverse(), policy)).toEqual(found)
    }),
    { numRuns: 400 },
  )
})

/** Takes away who needs nobody, until nobody is left or nobody can be taken. */
function isAcyclic(edges: ReadonlyMap<string, readonly string[]>): boolean {
  const left = new Map(edges)
  for (let before = -1; before !== left.size;) {
    before = left.size
    for (const [name, targets] of left) if (!targets.some((target) => left.has(target))) left.delete(name)
  }
  return left.size === 0
}
