import { MedykError } from '../internal/index.ts'
import type { Endpoint } from '../report.ts'

export type Route = Endpoint | 'metrics'

/** Where the endpoints are; null leaves one out. */
export type Paths = Readonly<Record<Route, string | null>>

export const defaultPaths: Paths = { health: '/health', ready: '/ready', startup: '/startup', metrics: '/metrics' }

export const ALLOW = 'GET, HEAD'

/** Headers of every answer but `/metrics`, which has its own content type. */
export const baseHeaders = { 'content-type': 'application/json', 'cache-control': 'no-store' } as const

/** Path → what is there. Throws `ERR_OPTIONS` for paths that cannot be or that collide. */
export function routesOf(paths: Partial<Paths> = {}): ReadonlyMap<string, Route> {
  const routes = new Map<string, Route>()
  for (const [route, path] of Object.entries({ ...defaultPaths, ...paths }) as [Route, string | null][]) {
    if (path === null) continue
    if (!/^\/[^?#\s]*$/.test(path) || routes.has(path)) {
      throw new MedykError('ERR_OPTIONS', `paths.${route}: "${path}" is not a path of its own that starts with /`)
    }
    routes.set(path, route)
  }
  return routes
}
