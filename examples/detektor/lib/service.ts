import { readFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import {
  eventLoop,
  Health,
  http,
  isMedykError,
  MedykError,
  nodeListener,
  type Logger,
  type Registration,
} from '@medyk/health'
import { assetPath } from './asset.ts'
import { debugRoutes } from './debug.ts'
import { portFrom } from './env.ts'
import { jsonLogger } from './log.ts'
import { routeListener, type Routes } from './routes.ts'

export interface ServiceContext {
  readonly health: Health
  readonly log: Logger
  readonly env: NodeJS.ProcessEnv
  /** Aborts when the service stops: hand it to whatever waits. */
  readonly signal: AbortSignal
  readonly debug: boolean
}

export interface ServiceParts {
  readonly checks: readonly Registration[]
  readonly routes?: Routes
  /** What must have happened before it listens; after five seconds it listens anyway and says what is wrong. */
  readonly opens?: Promise<unknown>
  /** Said in the line of the log that tells that the service is up. */
  readonly about?: object
  /** Ends what the service runs. Has half a second. */
  readonly stop?: () => Promise<void> | void
}

const OPEN_MS = 5_000
/** A check that has no result yet reads as degraded: who asks in the first moments waits this long for the results. */
const FIRST_RESULTS_MS = 1_000
/** Not ready for this long before the port closes, so that a probe can see it. */
const DRAIN_MS = 150
const STOP_MS = 500

/**
 * The life of a service: sets it up, waits for what opens it, listens, runs its checks. SIGTERM or SIGINT: not ready,
 * stop, exit 0 within a second; a second one exits at once. What goes wrong before it listens is one line of the log and
 * exit 1.
 */
export async function runService(
  name: string,
  defaultPort: number,
  setUp: (context: ServiceContext) => Promise<ServiceParts> | ServiceParts,
): Promise<void> {
  const log = jsonLogger(name)
  const stopping = new AbortController()
  try {
    const { env } = process
    const port = portFrom(env, 'PORT', defaultPort)
    const host = env['HOST'] || '127.0.0.1'
    const { version } = JSON.parse(readFileSync(assetPath('package.json'), 'utf8')) as { version: string }
    const health = new Health({ service: name, version, logger: log })
    const enabled = env['MEDYK_DEBUG'] === '1'
    const debug = debugRoutes(health, log, enabled)

    const parts = await setUp({ health, log, env, signal: stopping.signal, debug: enabled })
    // Late or busy is a reason to say so, never to be restarted: a starved host would restart everything.
    const lag = eventLoop({
      delayMs: { degraded: 500, unhealthy: 2_000 },
      utilization: { degraded: 0.95, unhealthy: 1 },
    })
    const loop: Registration = { name: 'event-loop', check: lag, critical: false }
    health.register([loop, ...parts.checks])
    const fallback = routeListener({ ...parts.routes, ...debug.routes }, (error) =>
      log.error({ code: codeOf(error) }, `a request failed: ${String(error)}`),
    )
    const server = createServer({ requestTimeout: 10_000, headersTimeout: 5_000 })
    server.maxConnections = 256
    const listener = debug.wrap(nodeListener(health, { fallback }))
    let results: Promise<void> | null = null
    server.on('request', (request, response) => {
      if (results === null) listener(request, response)
      else void results.then(() => listener(request, response))
    })

    const stop = async (signal: string) => {
      log.info({ signal }, 'stopping')
      health.shuttingDown()
      stopping.abort(new MedykError('ERR_STOPPING', `${name} is stopping`))
      await Promise.all([after(DRAIN_MS), within(STOP_MS, parts.stop)])
      await Promise.all([closeServer(server), within(STOP_MS, () => health.stop())])
      log.info({}, 'stopped')
      process.exit(0)
    }
    for (const signal of ['SIGTERM', 'SIGINT'] as const) {
      process.on(signal, () => {
        if (stopping.signal.aborted) process.exit(128 + (signal === 'SIGTERM' ? 15 : 2))
        void stop(signal)
      })
    }

    if (parts.opens) await Promise.race([parts.opens, after(OPEN_MS), aborted(stopping.signal)])
    if (stopping.signal.aborted) return
    await listen(server, host, port)
    health.start()
    const enough = AbortSignal.any([stopping.signal, AbortSignal.timeout(FIRST_RESULTS_MS)])
    results = health.firstResults(enough).catch(() => {})
    void results.then(() => (results = null))
    const address = server.address()
    const bootMs = Math.round(performance.now())
    const at = { host, port: typeof address === 'object' ? address?.port : port, pid: process.pid, version, bootMs }
    log.info({ ...at, ...parts.about }, 'listening')
  } catch (error) {
    const hint = isMedykError(error) ? error.hint : undefined
    const message = error instanceof Error ? error.message : String(error)
    log.error({ code: codeOf(error) }, hint === undefined ? message : `${message}; ${hint}`)
    process.exit(1)
  }
}

/** Whether another service is alive. Not whether it is ready: one that waits for a third must not stop everybody. */
export function dependency(service: string, baseUrl: string): Registration {
  return {
    name: service,
    dependsOn: service,
    check: http({ url: `${baseUrl}/health` }),
    intervalMs: 1_000,
    timeoutMs: 1_300,
    failureThreshold: 2,
  }
}

function listen(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const why =
        error.code === 'EADDRINUSE' ? 'is taken by another process' : `cannot be listened on: ${error.message}`
      const hint = 'set PORT to another one, or end what holds it'
      reject(new MedykError('ERR_LISTEN', `port ${port} on ${host} ${why}`, { hint, cause: error }))
    })
    server.listen({ host, port }, resolve)
  })
}

async function closeServer(server: Server): Promise<void> {
  const closed = new Promise((resolve) => server.close(resolve))
  server.closeIdleConnections()
  const cut = setTimeout(() => server.closeAllConnections(), 200)
  await closed
  clearTimeout(cut)
}

const aborted = (signal: AbortSignal) => new Promise((resolve) => signal.addEventListener('abort', resolve))

const after = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms))

async function within(ms: number, work: (() => Promise<void> | void) | undefined): Promise<void> {
  await Promise.race([Promise.resolve(work?.()).catch(() => {}), after(ms)])
}

function codeOf(error: unknown): string | undefined {
  return (error as { code?: string } | null)?.code
}
