import { anyCode, isReadinessPath, shownUrl, tcpDraft, type Draft } from '../draft.ts'
import { probes, verdict, type Context, type Reading } from './reading.ts'
import { unknown } from './shell.ts'

/** What a command after a pipe wants of the answer, as far as that could be understood. */
export interface Filter {
  readonly status?: number
  readonly bodyContains?: string
}

/** How a client of HTTP in a HEALTHCHECK looks at the answer. */
export interface Asking {
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  /** It fails by itself when the code is an error. */
  readonly strict: boolean
  readonly expect: Filter
}

/** The probes that look at a URL as its author's HEALTHCHECK does, and no more strictly where that could restart. */
export function readUrl({ url: given, headers, strict, expect }: Asking, context: Context): Reading {
  const text = /^[a-z][a-z0-9+.-]*:\/\//i.test(given) ? given : `http://${given}`
  if (text.includes(unknown)) return verdict('its URL depends on a variable that only the container knows')
  const url = text.length <= 2_048 ? URL.parse(text) : null
  if (url === null || !/^https?:$/.test(url.protocol)) return verdict('its URL was not understood')
  const host = url.hostname.replace(/^\[|\]$/g, '')
  if (!context.isSelf(host)) return { kind: 'elsewhere', host }
  if (url.protocol === 'https:')
    return verdict('it speaks TLS to an inside name, which cannot be verified from outside')
  if (url.username !== '' || url.password !== '') return verdict('its URL holds a password')
  const port = Number(url.port) || 80
  const asked = Object.keys(headers).length > 0 ? { url: text, headers } : { url: text }
  const shown = shownUrl(text)
  if (isReadinessPath(url.pathname)) {
    return {
      kind: 'probes',
      drafts: [tcpDraft(port), http('readiness', shown, { ...asked, expect: { status: ['2xx', '3xx'] } })],
      note: 'it asks whether the service is ready; what is not ready is not restarted for that',
    }
  }
  if (strict) return probes(http('liveness', shown, { ...asked, expect: { status: ['2xx', '3xx'] } }))
  // Whatever the author thought of the body or the code, an answer is a sign of life; the rest is a matter of being ready.
  const wanted = { status: expect.status ?? ['2xx', '3xx', '4xx'], ...bodyOf(expect.bodyContains) }
  return probes(
    http('liveness', `${shown} (any answer)`, { ...asked, expect: { status: anyCode }, format: 'none' }),
    http('readiness', shown, { ...asked, expect: wanted }),
  )
}

function bodyOf(bodyContains: string | undefined): { bodyContains?: string } {
  return bodyContains === undefined ? {} : { bodyContains }
}

function http(role: Draft['role'], shown: string, options: Draft['options']): Draft {
  return { role, kind: 'http', options, shown }
}
