import { chmodSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import * as schemas from '../../src/monitor/server/schemas.ts'
import { medyk } from '../support/cli.ts'
import { freePorts, until } from '../support/example.ts'
import { Tiny, type Daemon } from '../support/tiny.ts'

const TOKEN = 'operator-0123456789'

let tiny: Tiny
let daemon: Daemon

beforeAll(async () => {
  tiny = await Tiny.create()
  tiny.env = { MEDYK_OPERATOR_TOKEN: TOKEN }
  daemon = tiny.serve()
  await tiny.healthy()
}, 60_000)

afterAll(() => tiny[Symbol.asyncDispose]())

const cli = (...args: string[]) => medyk(args, { MEDYK_URL: tiny.url, MEDYK_TOKEN: TOKEN })

async function again(): Promise<void> {
  daemon.child.kill('SIGKILL')
  await daemon.exited
  daemon = tiny.serve()
  await tiny.healthy()
}

const post = (body: object, key: string) =>
  fetch(`${tiny.url}/api/v1/services/tiny/restart`, {
    method: 'POST',
    headers: { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json', 'idempotency-key': key },
    body: JSON.stringify(body),
  })

const read = async (at: string) => await (await fetch(`${tiny.url}${at}`)).json()
const results = () => tiny.journal(`SELECT result FROM actions WHERE incident LIKE 'operator-%' ORDER BY seq`)

describe('an operator', { timeout: 120_000 }, () => {
  it('restarts a service by command, and it counts in no budget', async () => {
    const before = tiny.boots().length
    const { code, stdout, stderr } = await cli('restart', 'tiny', '--reason', 'new lens', '--by', 'anna')
    expect([code, stdout.trim(), stderr]).toEqual([0, 'tiny-1: restart done', ''])
    await until(() => tiny.boots().length > before, 20_000, 'it runs again')
    const { budget } = await tiny.healthy()
    expect(budget).toMatchObject({ attemptsUsed: 0 })
    expect(tiny.boots()).toHaveLength(before + 1)
    expect(tiny.complaints()).toEqual([])
  })

  it('who asks twice with one key gets one restart and one answer, also of a daemon that was killed between', async () => {
    await tiny.healthy()
    const before = tiny.boots().length
    const body = { reason: 'once' }
    const answers = await Promise.all(Array.from({ length: 5 }, () => post(body, 'key-1')))
    expect(answers.map(({ status }) => status)).toEqual(Array<number>(5).fill(202))
    const [first, ...others] = await Promise.all(answers.map((answer) => answer.json()))
    const { actions } = schemas.restartAccepted.parse(first)
    for (const other of others) expect(other).toEqual(first)
    const isDone = async () => {
      const answer = await fetch(`${tiny.url}/api/v1/actions/${actions[0]?.id}`)
      return answer.ok && schemas.actionRow.parse(await answer.json()).result === 'done'
    }
    await until(isDone, 30_000, 'the restart is done')
    await until(() => tiny.boots().length > before, 20_000, 'it runs again')
    await again()
    expect(await (await post(body, 'key-1')).json()).toEqual(first)
    expect((await post({ reason: 'another' }, 'key-1')).status).toBe(422)
    await tiny.healthy()
    expect(tiny.boots()).toHaveLength(before + 1)
    expect(results().at(-1)).toEqual({ result: 'done' })
  })

  it('has a service left alone, over the death of the daemon, until its end', async () => {
    const start = await cli('maintenance', 'start', 'tiny', '--for', '30m', '--reason', 'repair', '--by', 'anna')
    expect([start.code, start.stdout]).toEqual([0, expect.stringMatching(/^tiny is left alone until 20.*: repair\n$/)])
    await again()
    const list = schemas.maintenanceList.parse(JSON.parse((await cli('maintenance', 'list', '--json')).stdout))
    expect(list.maintenance).toMatchObject([{ service: 'tiny', by: 'operator (anna)', reason: 'repair' }])
    expect((await cli('status')).stdout).toMatch(/In maintenance\n.*SERVICE[^]*tiny .*operator \(anna\) +repair/)
    expect((await cli('maintenance', 'end', 'tiny')).stdout).toBe('tiny is watched and cured again\n')
    await again()
    expect(await read('/api/v1/maintenance')).toEqual({ maintenance: [] })
  })

  it('who kills a service in maintenance sees it left dead until that ends, and cured then', async () => {
    await tiny.healthy()
    const before = tiny.boots().length
    const answer = await cli('maintenance', 'start', 'tiny', '--for', '4s', '--reason', 'a drill', '--json')
    const { until: end } = schemas.maintenanceRow.parse(JSON.parse(answer.stdout))
    tiny.signal('SIGKILL')
    await until(() => tiny.boots().length > before, 60_000, 'it runs again')
    const [last] = tiny.journal(`SELECT decided_at FROM actions ORDER BY seq DESC LIMIT 1`)
    expect(Date.parse(String(last?.['decided_at']))).toBeGreaterThanOrEqual(Date.parse(end))
    await tiny.healthy()
    expect(tiny.boots()).toHaveLength(before + 1)
  })

  it('is told what is wrong, and what to do', async () => {
    const nobody = await cli('restart', 'nobody', '--reason', 'x')
    expect([nobody.code, nobody.stderr]).toEqual([1, expect.stringMatching(/no service is called "nobody"[^]*→ /)])
    const bare = await medyk(['restart', 'tiny', '--reason', 'x'], { MEDYK_URL: tiny.url })
    expect([bare.code, bare.stderr]).toEqual([1, expect.stringMatching(/needs a token\n {2}→ .*MEDYK_TOKEN/)])
    const long = await cli('maintenance', 'start', 'tiny', '--for', '25h', '--reason', 'x')
    expect([long.code, long.stderr]).toEqual([1, expect.stringContaining('at most 24 hours')])
    expect((await cli('maintenance', 'start', 'tiny', '--for', '30', '--reason', 'x')).stderr).toContain(
      '30m, 5s'.slice(5),
    )
    const open = path.join(tiny.directory, 'token')
    writeFileSync(open, TOKEN)
    chmodSync(open, 0o666)
    const unsafe = await cli('audit', '--token-file', open)
    expect([unsafe.code, unsafe.stderr]).toEqual([1, expect.stringMatching(/every user can write it[^]*chmod 600/)])
  })

  it('finds every try in the audit, refused ones too, and no token in it', async () => {
    const { audit } = schemas.auditPage.parse(JSON.parse((await cli('audit', '--json')).stdout))
    const told = audit.map(({ who, result, path: at, reason }) => [who, result, at, reason])
    expect(told).toContainEqual(['operator (anna)', 'allowed', '/api/v1/services/tiny/restart', 'new lens'])
    expect(told).toContainEqual(['operator (anna)', 'allowed', '/api/v1/services/tiny/maintenance', 'repair'])
    expect(told).toContainEqual([
      'anonymous',
      'refused',
      '/api/v1/services/tiny/restart',
      expect.stringContaining('ERR_UNAUTHENTICATED'),
    ])
    expect(audit.filter(({ key }) => key === 'key-1').map(({ result }) => result)).toEqual(
      expect.arrayContaining(['allowed', 'failed']),
    )
    expect(JSON.stringify(tiny.journal('SELECT * FROM events'))).not.toContain(TOKEN)
    expect((await cli('audit')).stdout).toMatch(/AT +WHO +RESULT +WHAT +REASON\n/)
  })
})

describe('what everybody may see', { timeout: 120_000 }, () => {
  it('is one and the same health of every service, whatever it speaks', async () => {
    const health = await fetch(`${tiny.url}/s/tiny/health`)
    expect(health.status).toBe(200)
    const body = (await health.json()) as object
    expect(Object.keys(body)).toEqual(['status', 'timestamp', 'service', 'version', 'checks', 'metadata'])
    expect(body).toMatchObject({
      status: 'healthy',
      timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/),
      service: 'tiny',
      checks: { liveness: 'healthy' },
      metadata: { uptime_seconds: expect.any(Number), last_error: null },
    })
    expect((await fetch(`${tiny.url}/s/tiny/ready`)).status).toBe(200)
    const metrics = await fetch(`${tiny.url}/s/tiny/metrics`)
    expect(metrics.status).toBe(200)
    expect(await metrics.text()).toContain('health_up{service="tiny"} 1')
    expect((await fetch(`${tiny.url}/s/nobody/health`)).status).toBe(404)
  })

  it('is how all are covered: as a command, a metric and an exit code', async () => {
    const { code, stdout } = await cli('coverage')
    expect([code, stdout]).toEqual([
      0,
      expect.stringMatching(/^1 of 1 services are examined \(100 %\)[^]*tiny +● checked +GET /),
    ])
    expect(await (await fetch(`${tiny.url}/metrics`)).text()).toContain('medyk_coverage_ratio 1')
    const { gone } = await freePorts(['gone'])
    const away = await medyk(['coverage', '--json'], { MEDYK_URL: `http://127.0.0.1:${gone}` })
    expect([away.code, away.stdout, away.stderr]).toEqual([3, '', expect.stringContaining('no Medyk daemon answers')])
  })

  it('is the whole story of an incident, with how things stood when it began', async () => {
    const before = (await tiny.incidents()).length
    tiny.signal('SIGKILL')
    const isClosed = async () => {
      const incidents = await tiny.incidents()
      return incidents.length > before && incidents[0]?.closedAt != null
    }
    await until(isClosed, 60_000, 'the incident is closed')
    const [row] = await tiny.incidents()
    const detail = schemas.incidentDetail.parse(await read(`/api/v1/incidents/${row?.id}`))
    expect(detail.story.map(({ kind }) => kind)).toEqual([
      'evidence',
      'verdict',
      'decided',
      'finished',
      'recovered',
      'closed',
    ])
    expect(detail.forensics?.instance).toMatchObject({ id: 'tiny-1', exit: expect.stringContaining('ended at') })
    const told = (await cli('incidents', detail.id)).stdout
    expect(told).toMatch(/first evidence[^]*declared unhealthy: [^]*start tiny-1: [^]*start done[^]*recovered/)
    expect(told).toMatch(/When it was opened[^]*tiny-1: /)
    // Also of a daemon that was not there then.
    await again()
    const later = schemas.incidentDetail.parse(await read(`/api/v1/incidents/${row?.id}`))
    expect([later.story, later.forensics]).toEqual([detail.story, detail.forensics])
  })
})

it('a daemon does not start on a token file that others can read, and says what to run', async () => {
  const file = path.join(tiny.directory, 'operator-token')
  writeFileSync(file, TOKEN)
  chmodSync(file, 0o644)
  const other = await Tiny.create()
  try {
    other.env = { MEDYK_OPERATOR_TOKEN_FILE: file }
    const refused = other.serve()
    expect(await refused.exited).toBe(1)
    expect(refused.stderr()).toContain(`${file}: every user can read or write this file`)
    expect(refused.stderr()).toContain(`chmod 600 ${file}`)
    expect(other.boots()).toEqual([])
  } finally {
    await other[Symbol.asyncDispose]()
  }
}, 60_000)
