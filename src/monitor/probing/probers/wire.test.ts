import { once } from 'node:events'
import { createServer, type AddressInfo, type Socket } from 'node:net'
import { afterEach, describe, expect, test } from 'vitest'
import type { AttemptOutcome, RuntimeHealth } from '../../model/index.ts'
import { probers } from './index.ts'
import { rawServer, response, type RawServer } from './server.testing.ts'

const signal = new AbortController().signal
let server: RawServer | null = null
afterEach(async () => {
  await server?.[Symbol.asyncDispose]()
  server = null
})

async function ask(kind: string, options: object, limits: object = {}): Promise<AttemptOutcome> {
  const prober = await (await probers[kind]?.())?.create({ userAgent: 'medyk/test' })
  if (!prober) throw new Error(`no prober ${kind}`)
  return await prober.probe(options, { timeoutMs: 5_000, signal, ...limits })
}

/** What a prober makes of this answer to its question, which is over with `ending`. */
async function answered(kind: string, ending: string, answer: string | Buffer | ((socket: Socket) => void)) {
  server = await rawServer((socket) => {
    if (typeof answer === 'function') answer(socket)
    else socket.write(typeof answer === 'string' ? Buffer.from(answer, 'latin1') : answer)
  }, ending)
  return await ask(kind, { port: server.port }, { timeoutMs: 1_000 })
}

const degraded = (failing: string) => ({ class: 'ok', report: { status: 'degraded', failing: [failing] } })
const alive = { class: 'ok', report: null }

describe('redis', () => {
  test.each([
    ['+PONG\r\n', alive],
    ['-NOAUTH Authentication required.\r\n', alive],
    ['-WRONGPASS invalid username-password pair\r\n', alive],
    ['-NOPERM this user has no permissions\r\n', alive],
    ['-DENIED Redis is running in protected mode\r\n', alive],
    ['-LOADING Redis is loading the dataset in memory\r\n', degraded('loading its data')],
    ['-BUSY Redis is busy running a script.\r\n', degraded('busy with a script')],
    ['-MASTERDOWN Link with MASTER is down\r\n', degraded('without its master')],
    ['-MISCONF Redis is configured to save RDB snapshots\r\n', degraded('cannot persist')],
    ['-ERR max number of clients reached\r\n', degraded('ERR max number of clients reached')],
    ['HTTP/1.1 400 Bad Request\r\n\r\n', { class: 'explicit', answered: true }],
    ['+'.padEnd(2_000, 'x'), { class: 'explicit', answered: true }],
    ['+PON', { class: 'silence', reason: 'no complete answer within 1s' }],
  ])('%j is %j', async (answer, outcome) => {
    expect(await answered('redis', 'PING\r\n', answer)).toMatchObject(outcome)
  })

  test('an answer in pieces is read to its end', async () => {
    const outcome = await answered('redis', 'PING\r\n', (socket) => {
      socket.write('+PO')
      setTimeout(() => socket.write('NG\r\n'), 50)
    })
    expect(outcome).toMatchObject(alive)
  })

  test('closing without an answer is explicit, and nobody answered', async () => {
    const outcome = await answered('redis', 'PING\r\n', (socket) => socket.end())
    expect(outcome).toMatchObject({ class: 'explicit', answered: false })
  })
})

function pgError(code: string, text: string): Buffer {
  const body = Buffer.from(`SFATAL\0VFATAL\0C${code}\0M${text}\0\0`)
  const head = Buffer.from([0x45, 0, 0, 0, 0])
  head.writeUInt32BE(body.byteLength + 4, 1)
  return Buffer.concat([head, body])
}

describe('postgres', () => {
  const wantsPassword = Buffer.from([0x52, 0, 0, 0, 8, 0, 0, 0, 5])
  test.each<[string, Buffer | string, object]>([
    ['asking for a password', wantsPassword, alive],
    ['letting it in', Buffer.from([0x52, 0, 0, 0, 8, 0, 0, 0, 0]), alive],
    ['an unknown role', pgError('28000', 'role "medyk" does not exist'), alive],
    ['an unknown database', pgError('3D000', 'database "postgres" does not exist'), alive],
    ['an unknown user of a pooler', pgError('08P01', 'no such user: medyk'), alive],
    [
      'too many connections',
      pgError('53300', 'sorry, too many clients already'),
      degraded('sorry, too many clients already'),
    ],
    [
      'starting up',
      pgError('57P03', 'the database system is starting up'),
      { class: 'explicit', reason: 'the database system is starting up', answered: true },
    ],
    ['HTTP', 'HTTP/1.1 400 Bad Request\r\n\r\n', { class: 'explicit', answered: true }],
    ['a length of nonsense', Buffer.from([0x45, 0xff, 0xff, 0xff, 0xff]), { class: 'explicit', answered: true }],
    ['half an answer', wantsPassword.subarray(0, 7), { class: 'silence' }],
  ])('%s', async (_, answer, outcome) => {
    expect(await answered('postgres', 'application_name', answer)).toMatchObject(outcome)
  })

  test.each([
    ['good-bye to a session that is open', Buffer.from([0x52, 0, 0, 0, 8, 0, 0, 0, 0]), 'X\0\0\0\u0004'],
    ['nothing more when it is asked for a password', wantsPassword, ''],
  ])('says who it is, and %s', async (_, answer, farewell) => {
    let heard = ''
    let isOver = false
    server = await rawServer((socket, request) => {
      heard = request
      socket.on('data', (chunk) => (heard += chunk.toString('latin1')))
      socket.on('close', () => (isOver = true))
      socket.write(answer)
    }, 'application_name')
    await ask('postgres', { port: server.port, user: 'app', database: 'shop' })
    await expect.poll(() => isOver, { timeout: 10_000 }).toBe(true)
    expect(heard.slice(8)).toBe(`user\0app\0database\0shop\0application_name\0medyk\0\0${farewell}`)
  })
})

test.each(['redis', 'postgres', 'tcp'])('a port where nobody listens refuses %s', async (kind) => {
  const listener = createServer().listen(0, '127.0.0.1')
  await once(listener, 'listening')
  const { port } = listener.address() as AddressInfo
  listener.close()
  await once(listener, 'close')
  expect(await ask(kind, { port })).toMatchObject({ class: 'explicit', reason: 'connection refused', answered: false })
})

test.each(['redis', 'postgres', 'tcp', 'http'])(
  '%s does not understand options that were never checked',
  async (kind) => {
    expect((await ask(kind, { port: 'x' })).class).toBe('void')
  },
)

describe('an address to dial', () => {
  const nowhere = 'does-not-exist.invalid'

  test('takes the place of the host in the URL, and the target is told what the URL says', async () => {
    let asked = ''
    server = await rawServer((socket, request) => {
      asked = request
      socket.write(response('fine'))
    })
    const url = `http://${nowhere}:${server.port}/health`
    expect(await ask('http', { url }, { dial: '127.0.0.1' })).toMatchObject({ class: 'ok' })
    expect(asked).toContain(`\r\nHost: ${nowhere}:${server.port}\r\n`)
  })

  test('may differ from one attempt to the next', async () => {
    server = await rawServer((socket) => void socket.write(response('fine')))
    const options = { url: `http://localhost:${server.port}/` }
    const prober = await (await probers['http']?.())?.create({ userAgent: 'medyk/test' })
    const look = (dial: string) => prober?.probe(options, { timeoutMs: 5_000, signal, dial })
    expect(await look('127.0.0.1')).toMatchObject({ class: 'ok' })
    expect(await look('127.9.9.9')).toMatchObject({ class: 'explicit', reason: 'connection refused' })
  })

  test.each([
    ['tcp', '', 'x'],
    ['redis', 'PING\r\n', '+PONG\r\n'],
    ['postgres', 'application_name', Buffer.from([0x52, 0, 0, 0, 8, 0, 0, 0, 0])],
  ])('takes the place of the host of %s', async (kind, ending, answer) => {
    server = await rawServer((socket) => void socket.write(answer), ending)
    expect(await ask(kind, { host: nowhere, port: server.port }, { dial: '127.0.0.1' })).toMatchObject({ class: 'ok' })
  })
})

describe("the runtime's own check", () => {
  const health = (status: RuntimeHealth['status'], detail = '', broken = false) => ({ status, detail, broken })
  test.each([
    [health('healthy'), { class: 'ok' }],
    [health('starting'), { class: 'explicit', reason: 'starting', answered: true }],
    [
      health('unhealthy', 'exit code 7'),
      { class: 'explicit', reason: 'its runtime calls it unhealthy: exit code 7', answered: true },
    ],
    [
      health('unhealthy', 'curl: not found', true),
      { class: 'misconfigured', reason: 'the check of its runtime cannot run: curl: not found' },
    ],
    [null, { class: 'void' }],
  ])('%j is %j', async (said, outcome) => {
    expect(await ask('runtime', {}, { target: { address: null, health: said } })).toMatchObject(outcome)
  })

  test('without a word about the target it is void', async () => {
    expect((await ask('runtime', {})).class).toBe('void')
  })
})

test.each([
  ['2xx', 204, 'ok'],
  ['2xx', 302, 'misconfigured'],
  [['2xx', '3xx'], 302, 'ok'],
  [['2xx', 418], 418, 'ok'],
  [['1xx', '2xx', '3xx', '4xx', '5xx'], 503, 'ok'],
  [['2xx', '4xx'], 500, 'explicit'],
])('http takes the class %j for what it says: %i is %s', async (status, code, outcome) => {
  server = await rawServer((socket) => void socket.write(response('', [], `${code} X`)))
  const url = `http://127.0.0.1:${server.port}/`
  expect((await ask('http', { url, expect: { status } })).class).toBe(outcome)
})
