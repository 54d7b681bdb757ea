import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Health } from '../health.ts'
import { ALLOW, baseHeaders, routesOf, type Paths } from './routes.ts'

export type NodeListener = (request: IncomingMessage, response: ServerResponse) => void

export interface NodeListenerOptions {
  readonly paths?: Partial<Paths>
  /** Gets every other request. Default: 404. */
  readonly fallback?: (request: IncomingMessage, response: ServerResponse) => unknown
}

/** A listener for `node:http` that writes the prepared bytes as they are. */
export function nodeListener(health: Health, options: NodeListenerOptions = {}): NodeListener {
  const routes = routesOf(options.paths)
  const { fallback } = options
  return (request, response) => {
    const route = routes.get(pathOf(request.url ?? '/'))
    if (!route) {
      if (!fallback) return send(response, 404, '{"error":"not found"}')
      return guard(response, () => fallback(request, response))
    }
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      response.setHeader('allow', ALLOW)
      return send(response, 405, '{"error":"method not allowed"}')
    }
    if (route !== 'metrics') {
      const { status, body } = health.answer(route)
      return send(response, status, body)
    }
    guard(response, async () => {
      const text = await health.metrics.text()
      send(response, 200, text, health.metrics.contentType)
    })
  }
}

/** The path of an origin-form or absolute-form target; what cannot be read is nobody's path. */
function pathOf(target: string): string {
  if (target.startsWith('/')) {
    const end = target.search(/[?#]/)
    return end === -1 ? target : target.slice(0, end)
  }
  return URL.parse(target)?.pathname ?? ''
}

function send(response: ServerResponse, status: number, body: string | Uint8Array, type?: string): void {
  response.writeHead(status, {
    ...baseHeaders,
    ...(type !== undefined && { 'content-type': type }),
    'content-length': typeof body === 'string' ? Buffer.byteLength(body) : body.byteLength,
  })
  response.end(body)
}

/** Runs what may throw or reject; then the answer is 500 without a word about why. */
function guard(response: ServerResponse, work: () => unknown): void {
  const fail = () => {
    if (response.headersSent) response.destroy()
    else send(response, 500, '{"error":"internal error"}')
  }
  void (async () => await work())().catch(fail)
}
