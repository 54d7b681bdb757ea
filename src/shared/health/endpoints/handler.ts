import type { Health } from '../health.ts'
import { ALLOW, baseHeaders, routesOf, type Paths, type Route } from './routes.ts'

export interface HandlerOptions {
  readonly paths?: Partial<Paths>
}

/** null: the request is for somebody else. */
export type Handler = (request: Request) => Response | Promise<Response> | null

/**
 * `/health`, `/ready`, `/startup` and `/metrics` for anything that speaks the web's Request and Response. Only `/metrics`
 * is answered by a promise.
 */
export function createHandler(health: Health, options: HandlerOptions = {}): Handler {
  const routes = routesOf(options.paths)
  return (request) => {
    const route = routes.get(new URL(request.url).pathname)
    if (!route) return null
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      return new Response('{"error":"method not allowed"}', { status: 405, headers: { ...baseHeaders, allow: ALLOW } })
    }
    return respond(health, route, request.method === 'HEAD')
  }
}

function respond(health: Health, route: Route, head: boolean): Response | Promise<Response> {
  if (route === 'metrics') return metrics(health, head)
  const { status, body } = health.answer(route)
  const headers = { ...baseHeaders, 'content-length': String(body.byteLength) }
  return new Response(head ? null : body, { status, headers })
}

async function metrics(health: Health, head: boolean): Promise<Response> {
  const text = await health.metrics.text()
  return new Response(head ? null : text, {
    headers: { 'content-type': health.metrics.contentType, 'cache-control': 'no-store' },
  })
}
