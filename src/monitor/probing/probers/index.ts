import type { ProberKind } from './prober-kind.ts'

export type { ProberEnvironment, ProberKind } from './prober-kind.ts'

/** Every prober by kind: one file, one line. */
export const probers: Readonly<Record<string, () => Promise<ProberKind>>> = {
  http: () => import('./http.ts'),
  postgres: () => import('./postgres.ts'),
  redis: () => import('./redis.ts'),
  runtime: () => import('./runtime.ts'),
  tcp: () => import('./tcp.ts'),
}
