import { connect, isIP, type Socket } from 'node:net'
import { checkServerIdentity, connect as connectTls } from 'node:tls'
import { messageOf, printable } from '@medyk/health/internal'
import { z } from 'zod'
import type { Prober, TargetReport } from '../../model/index.ts'
import { converse, type Conversation, type Finding } from './conversation.ts'
import { HttpResponseParser, type HttpResponse } from './http-parser.ts'
import type { ProberEnvironment } from './prober-kind.ts'
import { readReport } from './report.ts'

export const kind = 'http'

const status = z.union([z.int().min(100).max(599), z.enum(['1xx', '2xx', '3xx', '4xx', '5xx'])])

export const schema = z.strictObject({
  url: z
    .url({ protocol: /^https?$/, error: 'expected an http:// or https:// URL' })
    .max(2_048)
    .refine((url) => !hasCredentials(url), 'a URL with a user or password would end up in logs: use `headers`')
    .meta({ description: 'What to GET, for example http://127.0.0.1:8001/health. Redirects are not followed.' }),
  expect: z
    .strictObject({
      status: z
        .union([status, z.array(status).min(1).max(20)])
        .optional()
        .meta({
          description: 'Status code, or several, that count as good; 2xx is any from 200 to 299. Default: 2xx.',
        }),
      bodyContains: z
        .string()
        .min(1)
        .max(1_024)
        .optional()
        .meta({ description: 'Text that a good body contains, within its first 64 KiB.' }),
    })
    .optional()
    .meta({ description: 'What a good answer looks like.' }),
  format: z.enum(['auto', 'none']).optional().meta({
    description: 'auto: a JSON report in the body is understood. none: only the code counts.',
    default: 'auto',
  }),
  headers: z
    .record(z.string().regex(/^[!#$%&'*+\-.^_`|~\dA-Za-z]{1,64}$/), z.string().regex(/^[\t\u0020-\u007e]{0,2048}$/))
    .optional()
    .meta({ description: 'Headers to send besides, for example Authorization. Printable ASCII.' }),
  tls: z
    .strictObject({
      ca: z
        .string()
        .max(65_536)
        .optional()
        .meta({ description: 'PEM of the authority to trust instead of the public ones.' }),
      serverName: z
        .string()
        .max(253)
        .optional()
        .meta({ description: "Name in the certificate. Default: the URL's host." }),
    })
    .optional()
    .meta({ description: 'For https. A certificate is always verified.' }),
})

type Options = z.infer<typeof schema>

/** One target's question, worked out once. */
interface Question {
  readonly open: (dial: string | undefined) => Socket
  readonly connectEvent: Conversation['connectEvent']
  readonly request: Buffer
  readonly expected: (status: number) => boolean
  readonly bodyContains: Buffer | null
  readonly reads: boolean
  readonly path: string
}

/** GET over a fresh connection, judged by code, body and, where there is one, the target's own report. */
export async function create(environment: ProberEnvironment): Promise<Prober> {
  // Options stand for a probe as long as that is configured; parsing them for each attempt would cost more than asking.
  const questions = new WeakMap<object, Question>()
  const questionOf = (options: unknown): Question => {
    const known = typeof options === 'object' && options !== null ? questions.get(options) : undefined
    if (known) return known
    const question = ask(schema.parse(options), environment)
    questions.set(options as object, question)
    return question
  }
  return {
    kind,
    async probe(options, limits) {
      let question: Question
      try {
        question = questionOf(options)
      } catch (thrown) {
        return {
          class: 'void',
          reason: printable(`the http prober does not understand its options: ${messageOf(thrown)}`),
        }
      }
      return await converse(() => question.open(limits.dial), conversationOf(question), limits)
    },
  }
}

function ask(options: Options, environment: ProberEnvironment): Question {
  const url = new URL(options.url)
  const isTls = url.protocol === 'https:'
  const host = url.hostname.replace(/^\[|\]$/g, '')
  const port = Number(url.port) || (isTls ? 443 : 80)
  const serverName = options.tls?.serverName ?? host
  const ca = options.tls?.ca
  const path = url.pathname + url.search
  const headers = {
    Host: url.host,
    'User-Agent': environment.userAgent,
    Accept: 'application/json, */*;q=0.5',
    'Accept-Encoding': 'identity',
    Connection: 'close',
    ...options.headers,
  }
  const head = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
  const good = options.expect?.status
  return {
    open: isTls
      ? (dial = host) =>
          connectTls({
            host: dial,
            port,
            ALPNProtocols: ['http/1.1'],
            // Whatever address it is found at, it has to be the one that the URL names.
            checkServerIdentity: (_, certificate) => checkServerIdentity(serverName, certificate),
            // An address is no server name (RFC 6066); the certificate is then checked against the address.
            ...(isIP(serverName) ? {} : { servername: serverName }),
            ...(ca === undefined ? {} : { ca }),
          })
      : (dial = host) => connect({ host: dial, port }),
    connectEvent: isTls ? 'secureConnect' : 'connect',
    request: Buffer.from(`GET ${path} HTTP/1.1\r\n${head.join('')}\r\n`, 'latin1'),
    expected: expectation([good ?? '2xx'].flat()),
    bodyContains: options.expect?.bodyContains === undefined ? null : Buffer.from(options.expect.bodyContains),
    reads: options.format !== 'none',
    path: printable(path, 100),
  }
}

function expectation(good: readonly (number | string)[]): (status: number) => boolean {
  const [codes, classes] = [new Set<unknown>(good), new Set(good.map((one) => `${one}`.replace(/^(.)xx$/, '$1')))]
  return (code) => codes.has(code) || classes.has(`${Math.floor(code / 100)}`)
}

function conversationOf(question: Question): Conversation {
  const parser = new HttpResponseParser()
  const attempt = (read: () => HttpResponse | null): Finding | null => {
    try {
      const response = read()
      return response && judge(question, response)
    } catch (thrown) {
      // Nothing at all was sent: nobody is at home behind that port, which is no answer.
      return { class: 'explicit', reason: messageOf(thrown), report: null, answered: !parser.isEmpty }
    }
  }
  return {
    connectEvent: question.connectEvent,
    begin(socket) {
      socket.write(question.request)
      return null
    },
    data: (chunk) => attempt(() => parser.push(chunk)),
    end: () => attempt(() => parser.end()),
  }
}

function judge(question: Question, response: HttpResponse): Finding {
  const { status: code, headers, body } = response
  const encoding = headers.get('content-encoding')?.join(',').toLowerCase() ?? 'identity'
  if (encoding !== 'identity') return explicit(`compressed (${printable(encoding, 30)}), though asked not to`, null)
  const isGood = question.expected(code)
  const report = question.reads ? readReport(body, isGood) : null
  if (!isGood) return unexpected(question, response, report)
  if (question.bodyContains && !body.includes(question.bodyContains)) {
    return explicit(`${code} with a wrong body`, report)
  }
  if (report?.status === 'unhealthy') return explicit(`${code}, but ${ownWords(report)}`, report)
  return { class: 'ok', report }
}

function unexpected(question: Question, response: HttpResponse, report: TargetReport | null): Finding {
  const { status: code, headers } = response
  if (code >= 300 && code <= 399) {
    const to = headers.get('location')?.[0] ?? 'nowhere'
    return { class: 'misconfigured', reason: printable(`${code}: redirect to ${to} not followed`, 200) }
  }
  if (code >= 400 && code <= 499) {
    return { class: 'misconfigured', reason: `${code} for GET ${question.path}: the probe asks for what is not there` }
  }
  return explicit(report ? `${code}: ${ownWords(report)}` : `answered ${code}`, report)
}

function ownWords(report: TargetReport): string {
  const names = report.failing.length > 0 ? ` (${report.failing.join(', ')})` : ''
  return printable(`reports itself as ${report.status}${names}`, 200)
}

function explicit(reason: string, report: TargetReport | null): Finding {
  return { class: 'explicit', reason, report, answered: true }
}

function hasCredentials(url: string): boolean {
  const parsed = URL.parse(url)
  return parsed !== null && (parsed.username !== '' || parsed.password !== '')
}
