import { describe, expect, it } from 'vitest'
import { refusal, type Asked } from './refusal.ts'

const ID = 'ab'.repeat(32)
const START: Asked = { permission: 'start', id: ID }
const RESTART: Asked = { permission: 'restart', id: ID }
const UNPAUSE: Asked = { permission: 'unpause', id: ID }
const INSPECT: Asked = { permission: 'inspect', id: ID }
const RUNC =
  'failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process'

describe('what Docker says', () => {
  it.each([
    [404, `No such container: ${ID}`, INSPECT, 'ERR_NO_INSTANCE'],
    [404, `No such container: ${ID}`, START, 'ERR_NO_INSTANCE'],
    // The container whose network it shares has been removed.
    [404, `No such container: ${'cd'.repeat(32)}`, START, 'ERR_START_IMPOSSIBLE'],
    [409, `cannot join network of a non running container: ${'cd'.repeat(32)}`, START, 'ERR_START_IMPOSSIBLE'],
    [400, 'joining network namespace of container: No such container: x', RESTART, 'ERR_START_IMPOSSIBLE'],
    [404, 'network shop_default not found', START, 'ERR_START_IMPOSSIBLE'],
    [400, `${RUNC}: exec: "nosuch": executable file not found in $PATH: unknown`, START, 'ERR_START_IMPOSSIBLE'],
    [400, `${RUNC}: exec: "/x": stat /x: no such file or directory: unknown`, RESTART, 'ERR_START_IMPOSSIBLE'],
    [500, 'exec /b: exec format error', START, 'ERR_START_IMPOSSIBLE'],
    [400, `${RUNC}: exec: "/etc": permission denied: unknown`, START, 'ERR_START_IMPOSSIBLE'],
    [400, 'invalid mount config for type "bind": bind source path does not exist: /x', START, 'ERR_START_IMPOSSIBLE'],
    [404, 'No such image: shop/api:1', START, 'ERR_START_IMPOSSIBLE'],
    [500, 'Bind for 0.0.0.0:80 failed: port is already allocated', START, 'ERR_START'],
    [500, 'listen tcp4 0.0.0.0:80: bind: address already in use', START, 'ERR_START'],
    [500, 'fork/exec: cannot allocate memory', START, 'ERR_START'],
    [500, 'something new', RESTART, 'ERR_START'],
    [500, 'something new', INSPECT, 'ERR_RUNTIME'],
    [409, 'Container x is not paused', UNPAUSE, 'ERR_RUNTIME'],
    [403, '<html>Forbidden', START, 'ERR_DENIED'],
    [403, '', { permission: null, id: null }, 'ERR_DENIED'],
  ])('%i %s', (status, message, asked, code) => {
    const error = refusal(status, Buffer.from(JSON.stringify({ message })), asked)
    expect(error).toMatchObject({ code, hint: expect.any(String) })
  })

  it('names the permission that a proxy withholds and what is lost with it', () => {
    expect(refusal(403, Buffer.from(''), RESTART)).toMatchObject({
      message: expect.stringContaining('"restart"'),
      hint: expect.stringContaining('a container that hangs cannot be restarted'),
    })
  })

  it('shows no secret and no control character of it', () => {
    const message = 'env DB_PASSWORD=hunter2 \u001b[31m'
    const { message: shown } = refusal(500, Buffer.from(JSON.stringify({ message })), INSPECT)
    expect(shown).not.toContain('hunter2')
    expect(shown).not.toContain('\u001b')
  })
})
