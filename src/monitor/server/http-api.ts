import type { HttpBindings } from '@hono/node-server'
import { OpenAPIHono, type RouteConfig, type RouteHandler } from '@hono/zod-openapi'
import { messageOf, printable, withDeadline, type Clock, type Logger } from '@medyk/health/internal'
import type { Access } from './access.ts'
import type { HealthReport } from './api.ts'
import { addMutations, objectionTo, unauthenticated, type MutationOptions } from './mutations.ts'
import { openApiOf } from './openapi.ts'
import type { Pages } from './pages.ts'
import type { AuditTrail, MonitorCommands, MonitorState } from './port.ts'
import { problem, problemOf } from './problem.ts'
import * as routes from './routes.ts'
import type { EventStreams } from './sse.ts'

type Env = { Bindings: HttpBindings }

export interface HttpApiOptions {
  readonly state: MonitorState
  readonly commands: MonitorCommands
  readonly audit: AuditTrail
  readonly access: Access
  readonly streams: EventStreams
  readonly pages: Pages
  readonly version: string
  readonly logger: Logger
  readonly clock: Clock
  /** For whatever the state answers with a promise. */
  readonly answerWithinMs: number
  readonly changesPerMinute: number
}

/** Everything behind the guard: the API, the daemon's own endpoints, the page. */
export function createHttpApi(options: HttpApiOptions): OpenAPIHono<Env> {
  const { state, commands, audit, access, streams, pages, logger, clock } = options
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

  // What a stranger may see of a service's health: how it is, and the names of its checks.
  const isStranger = (authorization: string | undefined) =>
    access.guardsReading && !['viewer', 'operator'].includes(access.callerOf(authorization))
  app.use('/api/*', async (c, next) => {
    const authorization = c.req.header('authorization')
    const isChange = c.req.method !== 'GET' && c.req.method !== 'HEAD'
    if (!isChange && isStranger(authorization)) return problem(unauthenticated(access.callerOf(authorization)))
    return await next()
  })
  const reported = (report: HealthReport, authorization: string | undefined) =>
    json(isStranger(authorization) ? withoutDetails(report) : report, report.status === 'unhealthy' ? 503 : 200)

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

  on(routes.getHealth, (c) => reported(state.health('liveness'), c.req.header('authorization')))
  on(routes.getReady, (c) => reported(state.health('readiness'), c.req.header('authorization')))
  on(
    routes.getMetrics,
    async () =>
      new Response(await inTime('the metrics', () => state.metrics()), {
        headers: METRICS_HEADERS,
      }),
  )

  on(routes.getAction, async (c) => {
    const { id } = c.req.valid('param')
    const action = await inTime('the journal', () => commands.action(id))
    return action ? json(action) : notFound(`no action has the id ${JSON.stringify(id)}`)
  })
  on(routes.getCoverage, () => json(state.coverage()))
  on(routes.listMaintenance, () => json({ maintenance: commands.maintenance() }))
  on(routes.listAudit, async (c) => {
    const refusal = objectionTo(access.callerOf(c.req.header('authorization')), access.hasOperator)
    if (refusal) return problem(refusal)
    const { limit } = c.req.valid('query')
    return json({ audit: await inTime('the journal', () => audit.read(limit)) })
  })

  const noService = (name: string, authorization: string | undefined) => {
    const names = isStranger(authorization) ? [] : state.services().map((row) => row.name)
    return problem({
      status: 404,
      code: 'ERR_NOT_FOUND',
      detail: `no service is called ${JSON.stringify(name)}`,
      hint: names.length > 0 ? `there are: ${printable(names.join(', '), 2_000)}` : undefined,
    })
  }
  for (const [route, probe] of [
    [routes.getServiceHealth, 'liveness'],
    [routes.getServiceReady, 'readiness'],
  ] as const) {
    on(route, (c) => {
      const { name } = c.req.valid('param')
      const authorization = c.req.header('authorization')
      const report = state.report(name, probe)
      return report ? reported(report, authorization) : noService(name, authorization)
    })
  }
  on(routes.getServiceMetrics, async (c) => {
    const { name } = c.req.valid('param')
    const metrics = await inTime('the metrics', () => state.serviceMetrics(name))
    if (!metrics) return noService(name, c.req.header('authorization'))
    return new Response(metrics.text, { status: metrics.up ? 200 : 503, headers: METRICS_HEADERS })
  })

  addMutations(app, { ...options, perMinute: options.changesPerMinute } satisfies MutationOptions)

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

const METRICS_HEADERS = { 'content-type': 'text/plain; version=0.0.4; charset=utf-8', 'cache-control': 'no-store' }

function withoutDetails(report: HealthReport): HealthReport {
  const { last_error } = report.metadata
  if (last_error === null) return report
  return { ...report, metadata: { ...report.metadata, last_error: 'the reason is shown to those who send a token' } }
}

function notFound(detail: string): Response {
  return problem({
    status: 404,
    code: 'ERR_NOT_FOUND',
    detail,
    hint: 'api/v1/openapi.json lists every path; api/v1/services every service',
  })
}
