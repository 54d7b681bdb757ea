import { STATUS_CODES } from 'node:http'
import { isMedykError } from '@medyk/health/internal'
import type { Problem } from './api.ts'

export interface ProblemInput {
  readonly status: number
  readonly code: string
  readonly detail: string
  readonly hint?: string | undefined
  readonly issues?: Problem['issues']
  readonly headers?: Readonly<Record<string, string>>
}

/** An RFC 9457 answer. */
export function problem(input: ProblemInput): Response {
  const { status, code, detail, hint, issues, headers } = input
  const body: Problem = {
    type: 'about:blank',
    title: STATUS_CODES[status] ?? 'Error',
    status,
    detail,
    code,
    ...(hint === undefined ? {} : { hint }),
    ...(issues === undefined ? {} : { issues }),
  }
  return new Response(JSON.stringify(body), {
    status,
    headers: { 'content-type': 'application/problem+json', 'cache-control': 'no-store', ...headers },
  })
}

/** What went wrong while answering. Only errors raised for the caller's eyes show their message. */
export function problemOf(thrown: unknown): Response {
  if (isMedykError(thrown, 'ERR_CURSOR')) {
    return problem({ status: 400, code: thrown.code, detail: thrown.message, hint: thrown.hint })
  }
  if (isMedykError(thrown, 'ERR_DEADLINE')) {
    return problem({
      status: 503,
      code: thrown.code,
      detail: thrown.message,
      hint: 'ask again in a moment',
      headers: { 'retry-after': '2' },
    })
  }
  return problem({
    status: 500,
    code: 'ERR_INTERNAL',
    detail: 'the daemon failed to answer this; its log says why',
  })
}
