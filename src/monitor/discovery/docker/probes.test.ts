import { describe, expect, test } from 'vitest'
import type { ContainerView } from '../../docker/view.ts'
import { discover } from './discover.ts'
import { check, compose, policyOf } from './views.testing.ts'

function found(more: Partial<ContainerView>) {
  const { services, coverage, problems } = discover([compose('web', more)], policyOf())
  const [[spec], [row]] = [services, coverage]
  if (!spec || !row) throw new Error('nothing was found')
  return { spec, row, problems }
}

/** Each probe as `role kind`, with `?` for a guess and `~` for a stand-in. */
const shapes = (more: Partial<ContainerView>) =>
  found(more).spec.probes.map(
    ({ role, kind, guessed, standIn }) => `${role} ${kind}${guessed ? '?' : ''}${standIn ? '~' : ''}`,
  )

const health = 'io.medyk.health'
const unhealthy = (exitCode: number, output: string) => ({ status: 'unhealthy' as const, exitCode, output })

describe('where the probes come from', () => {
  test.each<[string, Partial<ContainerView>, readonly string[]]>([
    ['a label', { labels: { [health]: 'tcp:9000' } }, ['liveness tcp']],
    [
      'a label before a HEALTHCHECK and ports',
      { labels: { [health]: '/h', 'io.medyk.port': '81' }, healthcheck: check('curl -f localhost'), exposed: [80] },
      ['liveness http'],
    ],
    [
      'labels for both roles',
      { labels: { [health]: '/h', 'io.medyk.ready': '/r' }, exposed: [80] },
      ['liveness http', 'readiness http'],
    ],
    [
      'a label for being ready, and a HEALTHCHECK for being alive',
      { labels: { 'io.medyk.ready': '/r' }, healthcheck: check('curl localhost'), exposed: [80] },
      ['readiness http', 'liveness http?', 'liveness runtime~'],
    ],
    [
      'a HEALTHCHECK that is understood',
      { healthcheck: check('curl -f localhost') },
      ['liveness http?', 'liveness runtime~'],
    ],
    [
      'a HEALTHCHECK that asks for readiness',
      { healthcheck: check('curl -f localhost/ready') },
      ['liveness tcp?', 'readiness http?', 'readiness runtime~'],
    ],
    ['a HEALTHCHECK that is not understood', { healthcheck: check('/check.sh'), exposed: [80] }, ['liveness runtime']],
    [
      'a HEALTHCHECK without a network',
      { healthcheck: check('curl -f localhost'), networkMode: 'none' },
      ['liveness runtime'],
    ],
    [
      'ports, where a HEALTHCHECK asks somebody else',
      { healthcheck: check('curl -f http://api/'), exposed: [1883] },
      ['liveness tcp?'],
    ],
    ['a port of the web', { exposed: [8080] }, ['liveness tcp?', 'liveness http?', 'readiness http?']],
    ['another port', { published: [{ port: 1883, hostAddress: '0.0.0.0', hostPort: 1883 }] }, ['liveness tcp?']],
    ['the port of PostgreSQL', { exposed: [5432] }, ['liveness postgres?']],
    ['an image of TimescaleDB', { image: 'timescale/timescaledb:2.1-pg14', exposed: [5432] }, ['liveness postgres?']],
    ['an image of Redis', { image: 'redis:7@sha256:abc', exposed: [6379] }, ['liveness redis?']],
    [
      'a port that a label names',
      { labels: { 'io.medyk.port': '9000' } },
      ['liveness tcp', 'liveness http?', 'readiness http?'],
    ],
    ['nothing', {}, []],
    ['no network', { networkMode: 'none', exposed: [80] }, []],
    ['a HEALTHCHECK switched off', { healthcheck: check(['NONE']) }, []],
  ])('%s', (_, more, expected) => {
    expect(shapes(more)).toEqual(expected)
  })

  test('what is derived from the container is asked at its own address, and says where it comes from', () => {
    const { spec } = found({ healthcheck: check('curl -f http://localhost:8001/health || exit 1') })
    expect(spec.probes[0]).toEqual({
      name: 'liveness',
      role: 'liveness',
      kind: 'http',
      options: { url: 'http://localhost:8001/health', expect: { status: ['2xx', '3xx'] } },
      intervalMs: 2_000,
      mayQuicken: true,
      timeoutMs: 1_300,
      dial: 'instance',
      derivedFrom: 'HEALTHCHECK curl -f http://localhost:8001/health || exit 1',
      guessed: true,
    })
  })

  test('a URL that a label says is asked where it leads', () => {
    const options = { url: 'https://shop.example/health' }
    const { spec } = found({ labels: { [health]: options.url } })
    expect(spec.probes).toMatchObject([{ kind: 'http', options }])
    expect(spec.probes[0]).not.toHaveProperty('dial')
    expect(found({ labels: { [health]: 'http://web:81/h' } }).spec.probes[0]?.dial).toBe('instance')
  })

  test.each<[string, Partial<ContainerView>, string]>([
    ['the only one published', { exposed: [80, 443], published: [{ port: 81, hostAddress: '', hostPort: 9 }] }, ':81'],
    ['the only one exposed', { exposed: [82] }, ':82'],
    ['of the environment', { exposed: [80, 443], ports: { PORT: 83 } }, ':83'],
    ['of a label', { exposed: [82], labels: { 'io.medyk.port': '84' } }, ':84'],
  ])('a path in a label goes to the port %s', (_, more, port) => {
    const { spec } = found({ ...more, labels: { ...more.labels, [health]: '/h' } })
    expect(spec.probes[0]?.options['url']).toBe(`http://localhost${port}/h`)
  })

  test('a path in a label without a port is said, and the next source is used', () => {
    const { spec, row } = found({ exposed: [1883, 1884], labels: { [health]: '/h' } })
    expect(spec.probes).toMatchObject([{ kind: 'tcp', options: { port: 1883 } }])
    expect(row.note).toMatch(/names a path and no port: add the label io\.medyk\.port/)
  })

  test.each([
    [[9229, 8080], 8080],
    [[1883, 8080], 8080],
    [[9229], 9229],
    [[4369, 25672], 4369],
  ])('of the ports %j it is %i', (exposed, port) => {
    expect(found({ exposed }).spec.probes[0]?.options['port']).toBe(port)
  })

  test('names of probes are unlike each other', () => {
    const names = found({ exposed: [8080] }).spec.probes.map(({ name }) => name)
    expect(names).toEqual(['liveness', 'liveness-http', 'readiness'])
  })
})

describe('a HEALTHCHECK that cannot run', () => {
  test.each<[string, ContainerView['health']]>([
    ['by its code', unhealthy(127, '')],
    ['by its permissions', unhealthy(126, 'permission denied')],
    ['by Docker', unhealthy(-1, 'OCI runtime exec failed: exec: "curl": executable file not found in $PATH: unknown')],
    ['by dash, behind `|| exit 1`', unhealthy(1, '/bin/sh: 1: curl: not found')],
    ['by busybox', unhealthy(1, 'sh: curl: not found')],
    ['by bash', unhealthy(1, 'bash: line 1: curl: command not found')],
  ])('%s is a wrong check and no illness: what it would have asked is a guess', (_, state) => {
    const more = { healthcheck: check('curl -f http://localhost:8001/h || exit 1'), health: state, exposed: [9000] }
    expect(shapes(more)).toEqual(['liveness tcp?', 'liveness http?', 'readiness http?'])
    const { row, spec } = found(more)
    expect(row).toMatchObject({ level: 'state', probe: expect.stringContaining('GET :8001/h') })
    expect(row.note).toMatch(/its HEALTHCHECK cannot run: curl is missing in the image\. Install it there/)
    expect(spec.recovery.enabled).toBe(true)
  })

  test('leaves the ports, where it is not known what it would have asked', () => {
    const more = { healthcheck: check('/check'), health: unhealthy(127, ''), exposed: [1883] }
    expect(shapes(more)).toEqual(['liveness tcp?'])
  })

  test.each([
    unhealthy(7, 'curl: (7) Failed to connect'),
    unhealthy(1, 'page not found'),
    unhealthy(22, '404 not found'),
    unhealthy(3, 'open /x: no such file or directory'),
  ])('is not what %j says', (state) => {
    expect(shapes({ healthcheck: check('curl -f localhost'), health: state })).toContain('liveness runtime~')
  })
})

describe('pace', () => {
  test.each<[string, Partial<ContainerView>, object]>([
    ['by default', {}, { intervalMs: 2_000, timeoutMs: 1_300 }],
    ["Docker's default timeout is no patience", { healthcheck: check('curl localhost') }, { timeoutMs: 1_300 }],
    [
      'a short timeout is no reason',
      { healthcheck: check('curl localhost', { timeoutMs: 3_000 }) },
      { timeoutMs: 1_300 },
    ],
    ['a long one is', { healthcheck: check('curl localhost', { timeoutMs: 20_000 }) }, { timeoutMs: 5_000 }],
    [
      'labels win',
      {
        labels: { 'io.medyk.interval': '500ms', 'io.medyk.timeout': '3s' },
        healthcheck: check('curl localhost', { timeoutMs: 9_000 }),
      },
      { intervalMs: 500, timeoutMs: 3_000 },
    ],
  ])('%s', (_, more, pace) => {
    expect(found({ exposed: [80], ...more }).spec.probes[0]).toMatchObject(pace)
  })

  test.each([
    [0, 60_000],
    [30_000, 60_000],
    [300_000, 300_000],
  ])('a start_period of %i ms gives a grace of %i', (startPeriodMs, grace) => {
    expect(found({ healthcheck: check('x', { startPeriodMs }) }).spec.startupGraceMs).toBe(grace)
  })
})

describe('coverage', () => {
  test.each<[string, Partial<ContainerView>, object]>([
    [
      'by its own check',
      { healthcheck: check('curl -f localhost:8001/health') },
      {
        level: 'checked',
        probe: 'GET :8001/health',
        derivedFrom: 'HEALTHCHECK curl -f localhost:8001/health',
        note: null,
      },
    ],
    [
      "by Docker's verdict",
      { healthcheck: check('/check.sh') },
      {
        level: 'checked',
        probe: "Docker's verdict of its HEALTHCHECK",
        note: expect.stringContaining('its program is not known'),
      },
    ],
    [
      'by a guess',
      { exposed: [8080] },
      {
        level: 'state',
        probe: 'TCP :8080, GET :8080/health (any answer), GET :8080/health',
        derivedFrom: 'exposed port 8080',
        note: expect.stringContaining('GET /health is a guess'),
      },
    ],
    [
      'by a label',
      { labels: { [health]: 'tcp:1' } },
      { level: 'checked', probe: 'TCP :1', derivedFrom: `label ${health}` },
    ],
    ['by nothing', {}, { level: 'state', probe: null, note: expect.stringContaining('only whether it runs') }],
  ])('%s', (_, more, row) => {
    expect(found(more).row).toMatchObject({ service: 'web', ...row })
  })

  test('never shows a secret', () => {
    const { row } = found({
      healthcheck: check('curl -f "localhost?token=hunter2secret"'),
      labels: { [health]: 'http://a.example/?api_key=hunter2secret' },
    })
    expect(JSON.stringify(row)).not.toContain('hunter2secret')
  })
})

describe('labels that are wrong', () => {
  test.each([
    [{ 'io.medyk.port': 'http' }, /label io\.medyk\.port is "http"; expected a port/],
    [{ 'io.medyk.interval': '5' }, /expected a duration such as 2s/],
    [{ 'io.medyk.interval': '1ms' }, /expected a duration/],
    [{ 'io.medyk.health': 'health' }, /expected a path such as \/health, a URL, or tcp:8080/],
    [{ 'io.medyk.health': 'http://user:pw@host/' }, /expected a path/],
    [{ 'io.medyk.health': 'tcp:70000' }, /expected a path/],
    [{ 'io.medyk.recovery': 'no' }, /expected act, dry-run or off/],
    [{ 'io.medyk.job': 'yes' }, /expected true or false/],
    [{ 'io.medyk.helth': '/x' }, /label io\.medyk\.helth is not known/],
  ])('%j is told', (labels, problem) => {
    const { problems, spec } = found({ labels })
    expect(problems).toEqual([expect.stringMatching(problem)])
    expect(spec.name).toBe('web')
  })
})
