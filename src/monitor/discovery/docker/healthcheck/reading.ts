import type { Draft } from '../draft.ts'

/** What a HEALTHCHECK amounts to, looked at from outside. */
export type Reading =
  | { readonly kind: 'probes'; readonly drafts: readonly Draft[]; readonly note: string | null }
  /** It asks somebody else, which says nothing of this service's life. */
  | { readonly kind: 'elsewhere'; readonly host: string }
  /** Only Docker can run it. */
  | { readonly kind: 'verdict'; readonly because: string }

/** What a command is read in. */
export interface Context {
  /** Whether a host is the container itself, seen from its inside. */
  isSelf(host: string): boolean
  readonly ports: Readonly<Record<string, number>>
}

export function probes(...drafts: readonly Draft[]): Reading {
  return { kind: 'probes', drafts, note: null }
}

export function verdict(because: string): Reading {
  return { kind: 'verdict', because }
}

/** A port from text; null when it is none. */
export function portOf(text: string | undefined): number | null {
  const port = text !== undefined && /^\d{1,5}$/.test(text) ? Number(text) : 0
  return port >= 1 && port <= 65_535 ? port : null
}
