import type { IncomingMessage, ServerResponse } from 'node:http'
import { isMedykError, MedykError } from '@medyk/health'

export interface RouteRequest {
  readonly query: URLSearchParams
  /** The body as JSON. Rejects with `ERR_INPUT`. */
  readonly json: () => Promise<unknown>
  /** Aborts when whoever asked has gone. */
  readonly signal: AbortSignal
}

export interface RouteAnswer {
  readonly status?: number
  readonly body: unknown
  /** Called when the answer did not reach the one who asked. */
  readonly undelivered?: () => void
}

/** `'POST /frames'` → what answers it. */
export type Routes = Readonly<Record<string, (request: RouteRequest) => Promise<RouteAnswer> | RouteAnswer>>

const MAX_BODY = 1_048_576
const BODY_MS = 5_000

/** What answers the service's own paths; everything else is 404. Never rejects. */
export function routeListener(routes: Routes, onError: (error: unknown) => void) {
  return async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const url = URL.parse(request.url ?? '/', 'http://service')
    const route = Object.hasOwn(routes, `${request.method} ${url?.pathname}`)
      ? routes[`${request.method} ${url?.pathname}`]
      : undefined
    if (route === undefined || url === null) return send(response, { status: 404, body: { error: 'not found' } })
    const gone = new AbortController()
    response.once('close', () => gone.abort())
    try {
      const answer = await route({ query: url.searchParams, json: () => readJson(request), signal: gone.signal })
      send(response, answer)
    } catch (error) {
      const status = isMedykError(error, 'ERR_INPUT') ? 400 : isMedykError(error, 'ERR_BUSY') ? 503 : 500
      if (status === 500) onError(error)
      send(response, { status, body: { error: status === 500 ? 'internal error' : (error as Error).message } })
    }
  }
}

function send(response: ServerResponse, { status = 200, body, undelivered }: RouteAnswer): void {
  if (undelivered) {
    let delivered = false
    response.once('finish', () => (delivered = true))
    response.once('close', () => {
      if (!delivered) undelivered()
    })
  }
  // The peer has gone and `close` with it: no event will tell any more.
  if (response.destroyed) return undelivered?.()
  response.writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store' })
  response.end(JSON.stringify(body))
}

async function readJson(request: IncomingMessage): Promise<unknown> {
  const timer = setTimeout(() => request.destroy(), BODY_MS)
  try {
    const chunks: Buffer[] = []
    let size = 0
    for await (const chunk of request as AsyncIterable<Buffer>) {
      size += chunk.length
      if (size > MAX_BODY) throw new MedykError('ERR_INPUT', `a body of more than ${MAX_BODY} bytes`)
      chunks.push(chunk)
    }
    return JSON.parse(Buffer.concat(chunks).toString())
  } catch (error) {
    if (isMedykError(error)) throw error
    throw new MedykError('ERR_INPUT', 'the body is not JSON', { cause: error })
  } finally {
    clearTimeout(timer)
  }
}
