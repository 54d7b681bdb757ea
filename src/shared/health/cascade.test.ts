import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { eventLoop, Health, http, ping, serveHealth, tcp, type HealthServer } from './index.ts'

const open: AsyncDisposable[] = []
afterEach(async () => {
  for (const one of open.splice(0).toReversed()) await one[Symbol.asyncDispose]()
})

async function listening(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return (server.address() as AddressInfo).port
}

async function ask(server: HealthServer, path: string) {
  const response = await fetch(`http://127.0.0.1:${server.port}${path}`)
  return { code: response.status, body: (await response.json()) as { status: string; checks: Record<string, string> } }
}

/** Polls until `expected` holds; real sockets and real time on a busy machine. */
async function eventually(expected: () => Promise<void>): Promise<void> {
  await expect.poll(() => expected().then(() => true, String), { timeout: 30_000, interval: 50 }).toBe(true)
}

/** A chain of real services: api → store → database, each with its own endpoints. */
describe('when the last of a chain of services dies', () => {
  it('every dependant says degraded and not ready, none says unhealthy, and all recover by themselves', async () => {
    const database = createServer((_, response) => response.end('OK'))
    const databasePort = await listening(database)
    const fast = { intervalMs: 50, timeoutMs: 2_000 }

    const service = async (name: string, dependsOn: string, url: string) => {
      const health = new Health({ service: name, version: '1.0.0' })
      health.register([
        { name: dependsOn, check: http({ url }), dependsOn, ...fast },
        { name: 'event-loop', check: eventLoop(), probes: ['liveness'], failureThreshold: 1_000, ...fast },
      ])
      const server = await serveHealth(health, { port: 0 })
      health.start()
      open.push(health, server)
      return server
    }
    const store = await service('store', 'database', `http://127.0.0.1:${databasePort}/`)
    const api = await service('api', 'store', `http://127.0.0.1:${store.port}/ready`)

    await eventually(async () => {
      for (const one of [store, api]) {
        expect(await ask(one, '/health')).toMatchObject({ code: 200, body: { status: 'healthy' } })
        expect(await ask(one, '/ready')).toMatchObject({ code: 200, body: { status: 'healthy' } })
      }
    })

    database.close()
    database.closeAllConnections()
    await eventually(async () => {
      expect(await ask(store, '/ready')).toMatchObject({ code: 503, body: { checks: { database: 'unhealthy' } } })
      expect(await ask(api, '/ready')).toMatchObject({ code: 503, body: { checks: { store: 'unhealthy' } } })
    })
    for (const one of [store, api]) {
      expect(await ask(one, '/health')).toMatchObject({ code: 200, body: { status: 'degraded' } })
    }

    const revived = createServer((_, response) => response.end('OK'))
    await new Promise<void>((resolve) => revived.listen(databasePort, '127.0.0.1', resolve))
    await eventually(async () => {
      for (const one of [store, api]) expect((await ask(one, '/ready')).code).toBe(200)
      expect((await ask(api, '/health')).body.status).toBe('healthy')
    })
    revived.close()
    revived.closeAllConnections()
  }, 120_000)
})

describe('when a service is ill itself', () => {
  it('says unhealthy with 503 at /health, while its dependencies are fine', async () => {
    const database = createServer()
    const port = await listening(database)
    let stuck = false
    const worker = () => {
      if (stuck) throw new Error('the worker has not moved for a minute')
    }
    const health = new Health({ service: 'worker', version: '1.0.0' })
    health.register([
      { name: 'database', check: tcp({ host: '127.0.0.1', port }), intervalMs: 50 },
      { name: 'worker', check: ping(worker), probes: ['liveness'], intervalMs: 50 },
    ])
    const server = await serveHealth(health, { port: 0 })
    open.push(health, server)
    health.start()
    await eventually(async () => expect((await ask(server, '/health')).body.status).toBe('healthy'))
    stuck = true
    await eventually(async () => {
      expect(await ask(server, '/health')).toMatchObject({
        code: 503,
        body: { status: 'unhealthy', checks: { database: 'healthy', worker: 'unhealthy' } },
      })
    })
    expect((await ask(server, '/ready')).code).toBe(200)
    database.close()
  }, 60_000)
})
