import type { HttpBindings } from '@hono/node-server'
import { OpenAPIHono, type RouteConfig, type RouteHandler } from '@hono/zod-openapi'
import { messageOf, withDeadline, type Clock, type Logger } from '@medyk/health/internal'
import type { HealthReport } from './api.ts'
import { openApiOf } from './openapi.ts'
import type { Pages } from './pages.ts'
import type { MonitorState } from './port.ts'
import { problem, problemOf } from './problem.ts'
import * as routes from './routes.ts'
import type { EventStreams } from './sse.ts'

type Env = { Bindings: HttpBindings }

export interface HttpApiOptions {
  readonly state: MonitorState
  readonly streams: EventStreams
  readonly pages: Pages
  readonly version: string
  readonly logger: Logger
  readonly clock: Clock
  /** For whatever the state answers with a promise. */
  readonly answerWithinMs: number
}

/** Everything behind the guard: the API, the daemon's own endpoints, the page. */
export function createHttpApi(options: HttpApiOptions): OpenAPIHono<Env> {
  const { state, streams, pages, logger, clock } = options
  const app = new OpenAPIHono<Env>({
    defaultHook(result) {
      if (result.success) return undefined
      if (result.target === 'param') return notFound('nothing has a name or an id like that')
      return problem({
        status: 400,
        code: 'ERR_QUERY',
        detail: 'a query parameter is not what is expected here',
        hint: 'see api/v1/openapi.json for the parameters and their limits',
        issues: result.error.issues.map((issue) => ({ path: issue.path.join('.'), message: issue.message })),
      })
    },
  })

  // The library types a handler's answer by its schema, which read-only rows do not fit; the tests parse every answer.
  const on = <R extends RouteConfig>(
    route: R,
    answer: (c: Parameters<RouteHandler<R, Env>>[0]) => Response | Promise<Response>,
  ) => app.openapi(route, answer)
  const inTime = <T>(what: string, work: () => Promise<T>) =>
    withDeadline(options.answerWithinMs, work, { clock, what: `asking ${what}` })

  on(routes.listServices, () => json({ services: state.services() }))

  on(routes.getService, (c) => {
    const { name } = c.req.valid('param')
    const service = state.service(name)
    return service ? json(service) : notFound(`no service is called ${JSON.stringify(name)}`)
  })

  on(routes.listIncidents, async (c) => {
    const query = c.req.valid('query')
    return json(await inTime('the journal', () => state.incidents(query)))
  })

  on(routes.getIncident, async (c) => {
    const { id } = c.req.valid('param')
    const incident = await inTime('the journal', () => state.incident(id))
    return incident ? json(incident) : notFound(`no incident has the id ${JSON.stringify(id)}`)
  })

  on(routes.streamEvents, (c) => {
    const headers = {
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store',
      // nginx would hold events back.
      'x-accel-buffering': 'no',
    }
    // Hono answers HEAD by running GET and dropping the body: a subscription made for that would never end.
    if (c.req.method === 'HEAD') return new Response(null, { headers })
    const since = (c.req.header('last-event-id') ?? c.req.valid('query').since)?.slice(0, 64)
    const stream = streams.open(since, () => c.env.incoming.socket.destroy())
    if (stream) return new Response(stream, { headers })
    return problem({
      status: 503,
      code: 'ERR_TOO_MANY_STREAMS',
      detail: `${streams.count} event streams are open, which is the limit`,
      hint: 'close a dashboard that nobody looks at, or poll api/v1/services',
      headers: { 'retry-after': '10' },
    })
  })

  on(routes.getHealth, () => reported(state.health('liveness')))
  on(routes.getReady, () => reported(state.health('readiness')))
  on(
    routes.getMetrics,
    async () =>
      new Response(await inTime('the metrics', () => state.metrics()), {
        headers: { 'content-type': 'text/plain; version=0.0.4; charset=utf-8', 'cache-control': 'no-store' },
      }),
  )

  const document = JSON.stringify(openApiOf(app, options.version))
  app.get(
    '/api/v1/openapi.json',
    () => new Response(document, { headers: { 'content-type': 'application/json', 'cache-control': 'no-cache' } }),
  )

  app.notFound(async (c) => {
    const page = await pages.answer(c.req.path, c.req.raw.headers)
    return page ?? notFound(`there is nothing at ${JSON.stringify(c.req.path.slice(0, 200))}`)
  })
  app.onError((error, c) => {
    logger.error({ path: c.req.path.slice(0, 200), err: messageOf(error) }, 'a request could not be answered')
    return problemOf(error)
  })
  return app
}

function json(body: unknown, status = 200): Response {
  return new Response(JSON.stringify(body), {
    status,
    headers: { 'content-type': 'application/json', 'cache-control': 'no-store' },
  })
}

function reported(report: HealthReport): Response {
  return json(report, report.status === 'unhealthy' ? 503 : 200)
}

function notFound(detail: string): Response {
  return problem({
    status: 404,
    code: 'ERR_NOT_FOUND',
    detail,
    hint: 'api/v1/openapi.json lists every path; api/v1/services every service',
  })
}
