import { request } from 'node:http'
import { MedykError } from '@medyk/health'

const MAX_ANSWER = 1_048_576

export interface CallOptions {
  /** Ends the call when this service stops. */
  readonly signal: AbortSignal
  /** For the whole call, the answer's body included. */
  readonly timeoutMs: number
}

/**
 * One HTTP call with JSON in and out, over a fresh connection: a kept one may be stale just when its server was
 * restarted. Rejects with `ERR_CALL` for anything but a 2xx with JSON, in time.
 */
export function callJson(
  method: 'GET' | 'POST',
  url: string,
  { signal, timeoutMs }: CallOptions,
  body?: unknown,
): Promise<unknown> {
  const controller = new AbortController()
  const fail = (message: string, cause?: unknown) =>
    new MedykError('ERR_CALL', `${method} ${url.split('?')[0]}: ${message}`, { cause })
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason as Error)
    const end = (work: () => void) => {
      clearTimeout(timer)
      signal.removeEventListener('abort', onAbort)
      work()
      controller.abort()
    }
    const failed = (message: string, cause?: unknown) => end(() => reject(fail(message, cause)))
    const onAbort = () => end(() => reject(signal.reason as Error))
    const timer = setTimeout(() => failed(`no answer in ${timeoutMs} ms`), timeoutMs)
    signal.addEventListener('abort', onAbort, { once: true })

    const payload = body === undefined ? undefined : JSON.stringify(body)
    const headers = payload === undefined ? {} : { 'content-type': 'application/json' }
    const call = request(url, { method, agent: false, signal: controller.signal, headers })
    call.on('error', (error) => failed(error.message, error))
    call.on('response', (response) => {
      let text = ''
      response.setEncoding('utf8')
      response.on('error', (error) => failed(error.message, error))
      response.on('data', (chunk: string) => {
        text += chunk
        if (text.length > MAX_ANSWER) failed(`an answer of more than ${MAX_ANSWER} bytes`)
      })
      response.on('end', () => {
        const status = response.statusCode ?? 0
        if (status < 200 || status > 299) return failed(`answered ${status} ${text.slice(0, 200)}`)
        try {
          const value: unknown = JSON.parse(text)
          end(() => resolve(value))
        } catch (error) {
          failed('the answer is not JSON', error)
        }
      })
    })
    call.end(payload)
  })
}
