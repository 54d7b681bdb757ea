import type { Json, ProbeRole } from '../../model/index.ts'

/** A probe before it has a name and a pace. */
export interface Draft {
  readonly role: ProbeRole
  readonly kind: 'http' | 'tcp' | 'redis' | 'postgres' | 'runtime'
  readonly options: { readonly [key: string]: Json }
  /** As people read it: `GET :8001/health`. */
  readonly shown: string
  /** Connect to what `options` name instead of to the instance. */
  readonly elsewhere?: true
  /** Nobody said so. */
  readonly guessed?: true
  /** Counts until what is asked from outside has answered. */
  readonly standIn?: true
}

/** Any code, and whatever the body says: whoever answers lives. */
export const anyCode = ['1xx', '2xx', '3xx', '4xx', '5xx']

export function tcpDraft(port: number, more: Partial<Draft> = {}): Draft {
  return { role: 'liveness', kind: 'tcp', options: { port }, shown: `TCP :${port}`, ...more }
}

export function redisDraft(port: number, more: Partial<Draft> = {}): Draft {
  return { role: 'liveness', kind: 'redis', options: { port }, shown: `Redis PING :${port}`, ...more }
}

export function postgresDraft(port: number, options: Draft['options'] = {}, more: Partial<Draft> = {}): Draft {
  return {
    role: 'liveness',
    kind: 'postgres',
    options: { port, ...options },
    shown: `PostgreSQL session :${port}`,
    ...more,
  }
}

export const verdictDraft: Draft = {
  role: 'liveness',
  kind: 'runtime',
  options: {},
  shown: "Docker's verdict of its HEALTHCHECK",
}

/** What a URL asks for, as `GET :8001/health`. */
export function shownUrl(url: string): string {
  const { port, protocol, pathname } = new URL(url)
  return `GET :${port || (protocol === 'https:' ? '443' : '80')}${pathname}`
}

/** Paths that ask whether a service can serve, which is no question of life and death. */
export function isReadinessPath(path: string): boolean {
  return /\/(?:ready|readyz|readiness)\/?$/i.test(path)
}
