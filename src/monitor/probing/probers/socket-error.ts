import { messageOf, printable } from '@medyk/health/internal'
import type { Finding } from './conversation.ts'

/** What ran out is ours, not the target's. */
const local = new Set([
  'EMFILE',
  'ENFILE',
  'ENOBUFS',
  'ENOMEM',
  'EADDRNOTAVAIL',
  'ENETUNREACH',
  'ENETDOWN',
  'EACCES',
  'EPERM',
  'EAI_AGAIN',
  'EAI_FAIL',
  'EAI_MEMORY',
  'EAI_SYSTEM',
])
const silent = new Set(['ETIMEDOUT', 'EHOSTUNREACH', 'EHOSTDOWN'])

/** The class of a socket's, a resolver's or a TLS handshake's error. */
export function classifyError(thrown: unknown): Finding {
  const code = codeOf(thrown)
  const text = printable(messageOf(thrown), 200)
  if (local.has(code)) return { class: 'void', reason: text }
  if (silent.has(code)) return { class: 'silence', reason: text }
  if (code === 'ENOTFOUND') return { class: 'misconfigured', reason: `the name does not exist: ${text}` }
  if (isCertificateError(code)) return { class: 'misconfigured', reason: `TLS certificate refused: ${text}` }
  const reason =
    code === 'ECONNREFUSED'
      ? 'connection refused'
      : code === 'ECONNRESET' || code === 'EPIPE'
        ? 'connection reset'
        : text
  return { class: 'explicit', reason, report: null, answered: code.startsWith('ERR_SSL') }
}

function codeOf(thrown: unknown): string {
  if (typeof thrown !== 'object' || thrown === null) return ''
  // Several addresses were tried: the first one's error stands for all.
  if (thrown instanceof AggregateError && thrown.errors.length > 0) return codeOf(thrown.errors[0])
  return 'code' in thrown && typeof thrown.code === 'string' ? thrown.code : ''
}

function isCertificateError(code: string): boolean {
  return /^(?:CERT_|DEPTH_ZERO_SELF|SELF_SIGNED|UNABLE_TO_|ERR_TLS_CERT|HOSTNAME_MISMATCH|INVALID_CA)/.test(code)
}
