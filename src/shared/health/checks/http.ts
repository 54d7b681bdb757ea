import { request as httpRequest, type IncomingMessage } from 'node:http'
import { request as httpsRequest } from 'node:https'
import type { Check, CheckResult } from '../check.ts'
import { boundedRead, isMedykError, MedykError } from '../internal/index.ts'

/** Bytes of a body that are read; a longer one is a failure. */
export const MAX_BODY = 64 * 1_024

export interface HttpOptions {
  readonly url: string | URL
  /** The status codes that are good. Default: 200 to 299. Redirects are not followed: list 302 if it is the right answer. */
  readonly status?: number | readonly number[]
  /** Default `GET`. */
  readonly method?: 'GET' | 'HEAD'
  readonly headers?: Readonly<Record<string, string>>
  /** Whether the body (at most 64 KiB, UTF-8) is the right one. Default: the body is not read. */
  readonly body?: (text: string) => boolean
}

/**
 * Whether an HTTP server answers as it should, over a fresh connection each time (a kept one may be stale and would
 * accuse a sound server). The answer is asked for uncompressed. Throws `ERR_OPTIONS` for what is not an http(s) URL.
 */
export function http(options: HttpOptions): Check {
  const url = URL.parse(String(options.url))
  if (url?.protocol !== 'http:' && url?.protocol !== 'https:') {
    throw new MedykError('ERR_OPTIONS', 'http(): url must be an absolute http:// or https:// URL')
  }
  const { status, body } = options
  const good = status === undefined ? null : [status].flat()
  return async (signal) => {
    const response = await ask(url, options, signal)
    try {
      const code = response.statusCode ?? 0
      const failure = judgeStatus(code, good)
      if (failure !== null) return { status: 'unhealthy', message: failure, data: { code } }
      if (!body) return { status: 'healthy', data: { code } }
      return await judgeBody(response, body, code, signal)
    } finally {
      response.destroy()
    }
  }
}

function ask(url: URL, { method = 'GET', headers }: HttpOptions, signal: AbortSignal): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason as Error)
    const request = (url.protocol === 'https:' ? httpsRequest : httpRequest)(url, {
      method,
      headers: { 'accept-encoding': 'identity', 'user-agent': 'medyk-health', ...headers },
      agent: false,
      signal,
    })
    request.on('response', resolve)
    // Stays for the request's whole life: an error after the response must not be an uncaught one.
    request.on('error', (error) => reject(signal.aborted ? (signal.reason as Error) : error))
    request.end()
  })
}

function judgeStatus(code: number, good: readonly number[] | null): string | null {
  if (good ? good.includes(code) : code >= 200 && code < 300) return null
  const wanted = good ? `, expected ${good.join(' or ')}` : ''
  if (code >= 300 && code < 400) return `answered ${code}${wanted}; redirects are not followed`
  if (code >= 400 && code < 500) return `answered ${code}${wanted}; is the address right?`
  return `answered ${code}${wanted}`
}

async function judgeBody(
  response: IncomingMessage,
  isRight: (text: string) => boolean,
  code: number,
  signal: AbortSignal,
): Promise<CheckResult> {
  const encoding = response.headers['content-encoding'] ?? 'identity'
  if (encoding !== 'identity') {
    return {
      status: 'unhealthy',
      message: `answered in ${encoding}, though it was asked not to compress`,
      data: { code },
    }
  }
  try {
    const text = new TextDecoder().decode(await boundedRead(response, MAX_BODY))
    if (isRight(text)) return { status: 'healthy', data: { code } }
    return { status: 'unhealthy', message: `answered ${code} with a body that is not the expected one`, data: { code } }
  } catch (error) {
    signal.throwIfAborted()
    if (!isMedykError(error, 'ERR_TOO_LARGE')) throw error
    return { status: 'unhealthy', message: `answered with more than ${MAX_BODY} bytes`, data: { code } }
  }
}
