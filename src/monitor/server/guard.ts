/**
 * A page on the internet may make a browser ask a daemon on loopback, and by DNS rebinding even read the answer. What it
 * cannot forge is the Host header, which carries its own name.
 */

const LOOPBACK_NAMES: ReadonlySet<string> = new Set(['localhost', '127.0.0.1', '[::1]'])

export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(?:\.\d{1,3}){3}$/.test(host)
}

/** The name in a Host header without its port, in lower case; null when it is not one. */
export function hostName(header: string): string | null {
  const match = /^(\[[0-9a-f:.]{2,45}\]|[a-z0-9._-]{1,253})(?::\d{1,5})?$/i.exec(header)
  return match?.[1]?.toLowerCase() ?? null
}

export interface GuardOptions {
  /** Where the server listens. */
  readonly boundTo: string
  /** Names that a proxy in front uses. On a loopback bind these come on top of loopback's own. */
  readonly allowedHosts: readonly string[]
}

/** Why a request is refused; null: let it in. */
export type Guard = (headers: {
  readonly host: string | undefined
  readonly origin: string | undefined
}) => string | null

export function createGuard({ boundTo, allowedHosts }: GuardOptions): Guard {
  const extra = allowedHosts.map((name) => name.toLowerCase())
  // Bound to the outside without a list, any name may be this machine's: then only the Origin can be judged.
  const open = !isLoopback(boundTo) && extra.length === 0
  const allowed = new Set([...LOOPBACK_NAMES, ...extra])
  if (isLoopback(boundTo) && boundTo !== '::1') allowed.add(boundTo)

  return ({ host, origin }) => {
    const name = host === undefined ? null : hostName(host)
    if (name === null) return 'the Host header is missing or not a host name'
    if (!open && !allowed.has(name)) return 'this Host is not one that the daemon answers to'
    if (origin === undefined) return null
    const from = originHost(origin)
    if (from === null) return 'this Origin may not ask the daemon'
    return (open ? from.host === host?.toLowerCase() : allowed.has(from.name))
      ? null
      : 'this Origin may not ask the daemon'
  }
}

function originHost(origin: string): { readonly host: string; readonly name: string } | null {
  const match = /^https?:\/\/([^/?#@\s]{1,300})$/i.exec(origin)
  const host = match?.[1]?.toLowerCase()
  const name = host === undefined ? null : hostName(host)
  return host === undefined || name === null ? null : { host, name }
}
