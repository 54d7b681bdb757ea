import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Health, Logger } from '@medyk/health'
import type { Routes } from './routes.ts'

const MEBIBYTE = 1_048_576
const LEAK_LIMIT_MIB = 512
const MAX_SLOW_MS = 60_000

type Listener = (request: IncomingMessage, response: ServerResponse) => void

export interface Debug {
  readonly routes: Routes
  /** Makes a listener feel `/debug/slow`. */
  wrap(listener: Listener): Listener
}

/**
 * Ways to make this service ill on purpose. Only where MEDYK_DEBUG=1; otherwise there is nothing to call. What they
 * do ends with the process.
 */
export function debugRoutes(health: Health, log: Logger, enabled: boolean): Debug {
  if (!enabled) return { routes: {}, wrap: (listener) => listener }
  let slowMs = 0
  const leaked: Buffer[] = []
  const told = (what: string, body: object = {}) => {
    log.warn({ debug: what }, `debug: ${what}`)
    return { status: 202, body: { debug: what, ...body } }
  }
  return {
    routes: {
      'POST /debug/fail': () => {
        if (health.check('debug-fail') === null) {
          const check = () => ({ status: 'unhealthy', message: 'told to fail by POST /debug/fail' }) as const
          health.register({ name: 'debug-fail', check, probes: ['liveness'] })
        }
        return told('fail')
      },
      'POST /debug/hang': () => {
        // After the answer has left.
        setTimeout(() => {
          for (;;);
        }, 50)
        return told('hang')
      },
      'POST /debug/slow': ({ query }) => {
        const ms = Number(query.get('ms') ?? 800)
        slowMs = Number.isFinite(ms) ? Math.min(Math.max(ms, 0), MAX_SLOW_MS) : 0
        return told('slow', { ms: slowMs })
      },
      'POST /debug/leak': () => {
        if (leaked.length === 0) {
          const timer = setInterval(() => {
            leaked.push(Buffer.alloc(MEBIBYTE, 1))
            if (leaked.length >= LEAK_LIMIT_MIB) clearInterval(timer)
          }, 50)
          timer.unref()
        }
        return told('leak', { limitMib: LEAK_LIMIT_MIB, rssMib: Math.round(process.memoryUsage.rss() / MEBIBYTE) })
      },
    },
    wrap: (listener) => (request, response) => {
      if (slowMs === 0 || !/^\/(?:health|ready|startup)\b/.test(request.url ?? '')) return listener(request, response)
      setTimeout(listener, slowMs, request, response)
    },
  }
}
