import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import type { RtspCredentials } from './url.ts'

/** A challenge of `WWW-Authenticate` (RFC 7617, RFC 7616) that can be answered. */
export type Challenge =
  | { readonly scheme: 'basic'; readonly realm: string }
  | {
      readonly scheme: 'digest'
      readonly realm: string
      readonly nonce: string
      readonly opaque: string | null
      /** As the server wrote it, null when it did not; the answer repeats it. */
      readonly algorithm: string | null
      readonly qop: boolean
      readonly stale: boolean
    }

const HASHES: Readonly<Record<string, string>> = { MD5: 'md5', 'SHA-256': 'sha256' }

/** The strongest challenge that can be answered: Digest before Basic, SHA-256 before MD5; null when there is none. */
export function pickChallenge(values: readonly string[]): Challenge | null {
  const challenges = values.map(parseChallenge).filter((challenge) => challenge !== null)
  const rank = (c: Challenge) => (c.scheme === 'basic' ? 0 : c.algorithm?.toUpperCase() === 'SHA-256' ? 2 : 1)
  return challenges.sort((a, b) => rank(b) - rank(a))[0] ?? null
}

function parseChallenge(value: string): Challenge | null {
  const [, scheme = '', rest = ''] = /^\s*(basic|digest)\s+(.*)$/is.exec(value) ?? []
  const fields = parseFields(rest)
  const realm = fields.get('realm') ?? ''
  if (scheme.toLowerCase() === 'basic') return { scheme: 'basic', realm }
  const nonce = fields.get('nonce')
  const algorithm = fields.get('algorithm') ?? null
  if (nonce === undefined || HASHES[(algorithm ?? 'MD5').toUpperCase()] === undefined) return null
  const qop =
    fields
      .get('qop')
      ?.split(',')
      .map((part) => part.trim().toLowerCase()) ?? []
  if (qop.length > 0 && !qop.includes('auth')) return null
  const stale = fields.get('stale')?.toLowerCase() === 'true'
  return {
    scheme: 'digest',
    realm,
    nonce,
    opaque: fields.get('opaque') ?? null,
    algorithm,
    qop: qop.length > 0,
    stale,
  }
}

function parseFields(text: string): Map<string, string> {
  const matches = text.matchAll(/([a-z]+)\s*=\s*(?:"([^"]*)"|([^\s,"]+))/gi)
  return new Map([...matches].map(([, key = '', quoted, bare]) => [key.toLowerCase(), quoted ?? bare ?? '']))
}

/** The value of `Authorization` for one request. `count` is the how-manieth use of the nonce, from 1. */
export function authorize(
  challenge: Challenge,
  { username, password }: RtspCredentials,
  method: string,
  uri: string,
  count: number,
  cnonce: string = randomBytes(8).toString('hex'),
): string {
  if (challenge.scheme === 'basic') return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`
  const { realm, nonce, opaque, algorithm, qop } = challenge
  const nc = count.toString(16).padStart(8, '0')
  const hash = hasher(algorithm)
  const secret = hash(`${username}:${realm}:${password}`)
  const request = hash(`${method}:${uri}`)
  const response = hash(qop ? `${secret}:${nonce}:${nc}:${cnonce}:auth:${request}` : `${secret}:${nonce}:${request}`)
  const fields = [
    `username="${username.replaceAll(/["\\]/g, '\\$&')}"`,
    `realm="${realm}"`,
    `nonce="${nonce}"`,
    `uri="${uri}"`,
    `response="${response}"`,
    ...(algorithm === null ? [] : [`algorithm=${algorithm}`]),
    ...(opaque === null ? [] : [`opaque="${opaque}"`]),
    ...(qop ? ['qop=auth', `nc=${nc}`, `cnonce="${cnonce}"`] : []),
  ]
  return `Digest ${fields.join(', ')}`
}

/** Whether `value` of `Authorization` answers the challenge; the server's side of `authorize`. */
export function verifyAuthorization(
  value: string,
  challenge: Challenge,
  credentials: RtspCredentials,
  method: string,
): boolean {
  const fields = parseFields(value)
  const count = Number.parseInt(fields.get('nc') ?? '1', 16)
  const expected = authorize(challenge, credentials, method, fields.get('uri') ?? '', count, fields.get('cnonce') ?? '')
  if (challenge.scheme === 'basic') return same(value, expected)
  const named = fields.get('username') === credentials.username && fields.get('nonce') === challenge.nonce
  return named && same(fields.get('response') ?? '', parseFields(expected).get('response') ?? '')
}

function same(a: string, b: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest()
  return timingSafeEqual(digest(a), digest(b))
}

function hasher(algorithm: string | null) {
  const name = HASHES[(algorithm ?? 'MD5').toUpperCase()] ?? 'md5'
  return (text: string) => createHash(name).update(text).digest('hex')
}
