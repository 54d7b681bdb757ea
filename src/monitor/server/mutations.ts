import type { HttpBindings } from '@hono/node-server'
import type { OpenAPIHono, RouteConfig } from '@hono/zod-openapi'
import {
  boundedRead,
  isMedykError,
  MedykError,
  messageOf,
  parseDuration,
  printable,
  withDeadline,
  type Clock,
  type Logger,
} from '@medyk/health/internal'
import type { Context } from 'hono'
import type { z } from 'zod'
import type { Access, Caller } from './access.ts'
import type { AuditTrail, MonitorCommands } from './port.ts'
import { problem, type ProblemInput } from './problem.ts'
import * as routes from './routes.ts'
import * as schemas from './schemas.ts'

export interface MutationOptions {
  readonly commands: MonitorCommands
  readonly audit: AuditTrail
  readonly access: Access
  readonly clock: Clock
  readonly logger: Logger
  readonly answerWithinMs: number
  /** Changes by the operator within a minute; more are refused. */
  readonly perMinute: number
}

type Env = { Bindings: HttpBindings }
type Refusal = ProblemInput

const MAX_BODY_BYTES = 16 * 1024
const MINUTE_MS = 60_000
const MAX_MAINTENANCE_MS = 86_400_000
const KEY = /^[\x21-\x7e]{1,128}$/

const PATHS = [
  { pattern: /^\/api\/v1\/services\/([^/]+)\/maintenance$/, methods: ['POST', 'DELETE'] },
  { pattern: /^\/api\/v1\/services\/([^/]+)\/restart$/, methods: ['POST'] },
] as const

/** The methods that change something at this path; empty: none does. */
export function changingMethods(path: string): readonly string[] {
  return PATHS.find(({ pattern }) => pattern.test(path))?.methods ?? []
}

/** What a change asks for, after everything about it was checked. */
interface Change<Body> {
  readonly service: string
  readonly body: Body
  readonly by: string
  readonly key: string | null
}

interface Mutation<Schema extends z.ZodType> {
  readonly route: RouteConfig
  readonly schema: Schema
  /** An answer other than an error: it was done. */
  run(change: Change<z.output<Schema>>): Promise<{ readonly status: number; readonly answer: object }>
}

/** Registers everything that changes something: who may, how often, with what body; each leaves a row in the audit. */
export function addMutations(app: OpenAPIHono<Env>, options: MutationOptions): void {
  const { commands, clock } = options
  const gate = new Gate(options)
  const add = <Schema extends z.ZodType>(mutation: Mutation<Schema>) => {
    app.openAPIRegistry.registerPath(mutation.route)
    // Not by the library's own validation: who it is has to be known before a body is read.
    app.on(mutation.route.method.toUpperCase(), mutation.route.path.replace('{name}', ':name'), (c) =>
      gate.pass(c, mutation),
    )
  }

  add({
    route: routes.startMaintenance,
    schema: schemas.maintenanceRequest,
    run: async ({ service, body, by }) => {
      const until = endOf(body, clock.wall())
      return { status: 200, answer: await commands.maintain({ service, by, reason: body.reason, until }) }
    },
  })
  add({
    route: routes.endMaintenance,
    schema: schemas.maintenanceEndRequest,
    run: async ({ service, by }) => ({
      status: 200,
      answer: { maintenance: await commands.endMaintenance({ service, by }) },
    }),
  })
  add({
    route: routes.restartService,
    schema: schemas.restartRequest,
    run: async ({ service, body, by, key }) => ({
      status: 202,
      answer: await commands.restart({ service, by, reason: body.reason, key }),
    }),
  })
}

class Gate {
  readonly #options: MutationOptions
  /** When those of the last minute were let through, monotonic. */
  #passed: number[] = []

  constructor(options: MutationOptions) {
    this.#options = options
  }

  async pass<Schema extends z.ZodType>(c: Context<Env>, mutation: Mutation<Schema>): Promise<Response> {
    const { access, audit, clock, answerWithinMs, logger } = this.#options
    const caller = access.callerOf(c.req.header('authorization'))
    const key = c.req.header('idempotency-key') ?? null
    const service = c.req.param('name') ?? ''
    const row = {
      who: caller === 'operator' || caller === 'viewer' ? caller : 'anonymous',
      role: roleOf(caller),
      method: c.req.method,
      path: printable(c.req.path, 200),
      service: printable(service, 100),
      key: key === null ? null : printable(key, 128),
    }
    const refuse = async (refusal: Refusal): Promise<Response> => {
      await audit.refused({ ...row, reason: printable(`${refusal.code}: ${refusal.detail}`) })
      return problem(refusal)
    }

    const notAllowed = objectionTo(caller, access.hasOperator) ?? this.#tooMany(clock.mono())
    if (notAllowed) return await refuse(notAllowed)
    if (key !== null && !KEY.test(key)) return await refuse(WRONG_KEY)
    const read = await bodyOf(c, mutation.schema)
    if ('refusal' in read) return await refuse(read.refusal)

    const body = read.body as z.output<Schema> & { readonly by?: string; readonly reason?: string }
    const who = body.by === undefined ? row.who : `${row.who} (${printable(body.by, 80)})`
    const told = { ...row, who, reason: printable(body.reason ?? '', 500) }
    try {
      // Before it is done: what nobody could look up afterwards must not happen.
      await audit.record({ ...told, result: 'allowed' })
      const { status, answer } = await withDeadline(
        answerWithinMs,
        () => mutation.run({ service, body, by: who, key }),
        { clock, what: 'the command' },
      )
      return new Response(JSON.stringify(answer), {
        status,
        headers: { 'content-type': 'application/json', 'cache-control': 'no-store' },
      })
    } catch (error) {
      const failure = failureOf(error)
      logger.warn({ path: row.path, who, err: messageOf(error) }, 'a command was not carried out')
      await audit
        .record({ ...told, result: 'failed', reason: printable(`${failure.code}: ${failure.detail}`) })
        .catch((lost: unknown) => logger.error({ err: messageOf(lost) }, 'not in the audit'))
      return problem(failure)
    }
  }

  /** Counts the caller in when it returns null. */
  #tooMany(now: number): Refusal | null {
    const { perMinute } = this.#options
    this.#passed = this.#passed.filter((at) => at > now - MINUTE_MS)
    if (this.#passed.length < perMinute) {
      this.#passed.push(now)
      return null
    }
    const wait = Math.ceil(((this.#passed[0] ?? now) + MINUTE_MS - now) / 1_000)
    return {
      status: 429,
      code: 'ERR_TOO_MANY',
      detail: `more than ${perMinute} changes within a minute`,
      hint: `try again in ${wait} s`,
      headers: { 'retry-after': String(wait) },
    }
  }
}

export function roleOf(caller: Caller): 'operator' | 'viewer' | 'none' {
  return caller === 'operator' || caller === 'viewer' ? caller : 'none'
}

/** Why this caller may not do what an operator may; null: it is one. */
export function objectionTo(caller: Caller, hasOperator: boolean): Refusal | null {
  if (caller === 'operator') return null
  if (!hasOperator) {
    return {
      status: 403,
      code: 'ERR_NO_OPERATOR',
      detail: 'this daemon was given no operator token, so nobody may do this',
      hint: 'give it one with MEDYK_OPERATOR_TOKEN (16 characters or more) or server.tokens.operatorFile, and start it anew',
    }
  }
  if (caller === 'viewer') {
    return {
      status: 403,
      code: 'ERR_FORBIDDEN_ROLE',
      detail: 'this is a token of a viewer, who may only read',
      hint: 'use the token of the operator',
    }
  }
  return unauthenticated(caller)
}

export function unauthenticated(caller: Caller): Refusal {
  const isUnknown = caller === 'unknown'
  return {
    status: 401,
    code: 'ERR_UNAUTHENTICATED',
    detail: isUnknown ? 'this token is not known' : 'this needs a token',
    hint: 'send it as Authorization: Bearer <token>; the medyk command takes it from MEDYK_TOKEN or --token-file',
    headers: { 'www-authenticate': `Bearer realm="medyk"${isUnknown ? ', error="invalid_token"' : ''}` },
  }
}

const WRONG_KEY: Refusal = {
  status: 400,
  code: 'ERR_KEY',
  detail: 'the header Idempotency-Key is not a key; expected 1 to 128 printable ASCII characters without blanks',
}

async function bodyOf(c: Context<Env>, schema: z.ZodType): Promise<{ body: unknown } | { refusal: Refusal }> {
  const refusal = (status: number, code: string, detail: string, more: Partial<Refusal> = {}) => ({
    refusal: { status, code, detail, ...more },
  })
  const tooLarge = refusal(413, 'ERR_BODY_TOO_LARGE', `the body is larger than ${MAX_BODY_BYTES} bytes`)
  if (Number(c.req.header('content-length') ?? 0) > MAX_BODY_BYTES) return tooLarge
  let text: string
  try {
    const stream = c.req.raw.body
    const bytes = stream === null ? new Uint8Array() : await boundedRead(stream, MAX_BODY_BYTES)
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch (error) {
    if (isMedykError(error, 'ERR_TOO_LARGE')) return tooLarge
    return refusal(400, 'ERR_BODY', 'the body did not arrive whole, or is not UTF-8')
  }
  const type = c.req.header('content-type')?.split(';')[0]?.trim().toLowerCase()
  if (text !== '' && type !== 'application/json') {
    return refusal(415, 'ERR_BODY_TYPE', 'the body is not application/json', {
      headers: { accept: 'application/json' },
    })
  }
  let value: unknown
  try {
    value = text === '' ? {} : JSON.parse(text)
  } catch {
    return refusal(400, 'ERR_BODY', 'the body is not valid JSON')
  }
  const parsed = schema.safeParse(value)
  if (parsed.success) return { body: parsed.data }
  return refusal(400, 'ERR_BODY', 'the body is not what is expected here', {
    hint: 'see api/v1/openapi.json for what it may contain',
    issues: parsed.error.issues
      .slice(0, 20)
      .map((issue) => ({ path: printable(issue.path.join('.'), 100), message: printable(issue.message) })),
  })
}

function endOf(body: { readonly for?: string | undefined; readonly until?: string | undefined }, now: number): string {
  const wrong = (message: string) =>
    new MedykError('ERR_MAINTENANCE', message, { hint: 'say how long with for: "30m", or until when with until' })
  if ((body.for === undefined) === (body.until === undefined)) throw wrong('expected either for or until')
  const end = body.for === undefined ? Date.parse(body.until ?? '') : now + parseDuration(body.for)
  if (!(end > now)) throw wrong('this maintenance would be over already')
  if (end > now + MAX_MAINTENANCE_MS) throw wrong('a maintenance lasts at most 24 hours')
  return new Date(end).toISOString()
}

const STATUS: Readonly<Record<string, number>> = {
  ERR_UNKNOWN_SERVICE: 404,
  ERR_NO_RUNTIME: 409,
  ERR_NOT_RUNNING: 409,
  ERR_BUSY: 409,
  ERR_MAINTENANCE: 400,
  ERR_DURATION: 400,
  ERR_KEY_REUSED: 422,
}

/** Only errors raised for the caller's eyes show their message. */
function failureOf(error: unknown): Refusal {
  if (isMedykError(error)) {
    const { code, message, hint } = error
    const status = STATUS[code] ?? (/^ERR_(JOURNAL_|DEADLINE)/.test(code) ? 503 : 500)
    const detail = status === 503 ? `nothing was done, or it is not certain: ${printable(message)}` : message
    if (status !== 500) return { status, code, detail, hint }
  }
  return { status: 500, code: 'ERR_INTERNAL', detail: 'the daemon failed to do this; its log says why' }
}
