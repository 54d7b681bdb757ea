import { z } from '@hono/zod-openapi'

/**
 * Every shape that leaves the daemon over HTTP, once: the OpenAPI document, the types of `api.ts` and the tests all come
 * from here. Times are ISO 8601 UTC; what is not known is null, never left out.
 */

const time = z.iso.datetime().openapi({ example: '2026-01-20T10:00:00.000Z' })
const name = z.string().min(1).max(253)
/** For named schemas: `.nullable()` on one of those is lost in the document, a union is not. */
const orNull = <Schema extends z.ZodType>(schema: Schema) => z.union([schema, z.null()])

export const status = z.enum(['starting', 'healthy', 'degraded', 'unhealthy', 'unknown']).openapi('Status', {
  description: 'unknown is never shown as healthy',
})

export const cause = z.enum(['self', 'dependency', 'host', 'observer', 'operator']).openapi('Cause', {
  description: 'Where an illness comes from. Only self may lead to an action',
})

export const symptom = z
  .enum([
    'exited',
    'failed-to-start',
    'hung',
    'failing',
    'not-ready',
    'slow',
    'erroring',
    'reported',
    'never-ready',
    'misconfigured',
    'paused',
    'oom',
    'stopped',
    'finished',
    'runtime',
    'observer',
  ])
  .openapi('Symptom')

export const evidence = z.enum(['certain', 'explicit', 'silence', 'slow']).openapi('Evidence')
export const actionKind = z.enum(['start', 'restart', 'resume']).openapi('ActionKind')
export const actionResult = z
  .enum(['done', 'aborted', 'failed', 'impossible', 'interrupted'])
  .openapi('ActionResult', { description: 'done: carried out, not yet verified' })

export const instanceRow = z
  .object({
    id: z.string(),
    kind: z.string().openapi({ description: 'kind of its runtime', example: 'process' }),
    pid: z.int().nullable(),
    status,
    startedAt: time.nullable(),
    restarts: z.int().min(0).openapi({ description: 'starts by Medyk, the first one not counted' }),
  })
  .openapi('Instance')

export const serviceRow = z
  .object({
    name,
    status,
    cause: orNull(cause).openapi({ description: 'null while healthy' }),
    reason: z.string().nullable().openapi({ description: 'one printable sentence without a full stop' }),
    since: time.nullable().openapi({ description: 'when this status began' }),
    dependsOn: z.array(name),
    instances: z.array(instanceRow),
  })
  .openapi('Service')

export const probeRow = z
  .object({
    instance: z.string(),
    name: z.string(),
    role: z.enum(['liveness', 'readiness', 'startup']),
    kind: z.string().openapi({ description: 'kind of its prober', example: 'http' }),
    intervalMs: z.number().positive(),
    timeoutMs: z.number().positive(),
    lastOutcome: z.enum(['ok', 'explicit', 'silence', 'misconfigured', 'void']).nullable(),
    lastLatencyMs: z.number().min(0).nullable(),
    lastAt: time.nullable(),
  })
  .openapi('Probe')

export const budgetRow = z
  .object({
    attemptsUsed: z.int().min(0),
    attemptsAllowed: z.int().min(0),
    windowSeconds: z.number().positive(),
    quarantinedSince: time.nullable(),
  })
  .openapi('Budget', { description: 'how often recovery may still try within the sliding window' })

export const serviceDetail = serviceRow
  .extend({
    symptom: orNull(symptom),
    incident: z.string().nullable().openapi({ description: 'id of the open incident it belongs to' }),
    probes: z.array(probeRow),
    budget: orNull(budgetRow).openapi({ description: 'null for a service that is watched only' }),
  })
  .openapi('ServiceDetail')

export const actionRow = z
  .object({
    id: z.string(),
    incident: z.string(),
    service: name,
    instance: z.string(),
    kind: actionKind,
    attempt: z.int().min(1).openapi({ description: "counted within the budget's window" }),
    reason: z.string(),
    decidedAt: time,
    finishedAt: time.nullable(),
    result: orNull(actionResult),
    detail: z.string().nullable(),
  })
  .openapi('Action')

export const impactRow = z.object({ service: name, since: time, reason: z.string() }).openapi('Impact')

export const incidentRow = z
  .object({
    id: z.string(),
    service: name.openapi({ description: 'the root' }),
    instance: z.string().nullable(),
    cause,
    severity: z.enum(['degraded', 'unhealthy']),
    symptom,
    evidence: orNull(evidence),
    reason: z.string(),
    openedAt: time.openapi({ description: 'first evidence' }),
    detectedAt: time.openapi({ description: 'the verdict' }),
    recoveredAt: time.nullable().openapi({ description: 'the root is healthy again, verified' }),
    closedAt: time.nullable().openapi({ description: 'stable for as long as the policy asks' }),
    impacted: z.array(impactRow),
    quarantinedSince: time.nullable().openapi({ description: 'the budget is spent: Medyk stands back' }),
    withheld: z.string().nullable().openapi({ description: 'why nothing is being done right now' }),
    actions: z.array(actionRow),
  })
  .openapi('Incident')

export const observerState = z
  .object({ unwell: z.boolean(), reason: z.string().nullable(), since: time.nullable() })
  .openapi('ObserverState', { description: 'unwell: Medyk does not trust its own eyes and takes no action' })

export const hello = z
  .object({
    resumed: z.boolean().openapi({
      description: 'false: events may have been missed, or the set of services changed; fetch the lists again',
    }),
    at: time.openapi({ description: "the daemon's clock" }),
    version: z.string(),
    observer: observerState,
  })
  .openapi('Hello')

const eventId = z.string().max(64)

export const apiEvent = z
  .discriminatedUnion('type', [
    z.object({ id: eventId, type: z.literal('hello'), data: hello }),
    z.object({ id: eventId, type: z.literal('service'), data: serviceRow }),
    z.object({ id: eventId, type: z.literal('incident'), data: incidentRow }),
    z.object({ id: eventId, type: z.literal('action'), data: actionRow }),
    z.object({ id: eventId, type: z.literal('observer'), data: observerState }),
  ])
  .openapi('Event', { description: 'id and type travel as the SSE fields id and event, data as JSON' })

export const serviceList = z.object({ services: z.array(serviceRow) }).openapi('ServiceList')
export const incidentPage = z
  .object({
    incidents: z.array(incidentRow),
    nextCursor: z.string().nullable().openapi({ description: 'for the next, older page; null on the last one' }),
  })
  .openapi('IncidentPage')

export const incidentQuery = z.strictObject({
  limit: z.coerce
    .number()
    .int()
    .min(1)
    .max(200)
    .default(50)
    .openapi({ param: { name: 'limit', in: 'query' }, type: 'integer' }),
  cursor: z
    .string()
    .min(1)
    .max(200)
    .optional()
    .openapi({ param: { name: 'cursor', in: 'query' }, description: '`nextCursor` of the page before' }),
  service: name.optional().openapi({ param: { name: 'service', in: 'query' } }),
  state: z
    .enum(['open', 'closed', 'all'])
    .default('all')
    .openapi({ param: { name: 'state', in: 'query' } }),
})

export const nameParam = z.object({ name: name.openapi({ param: { name: 'name', in: 'path' } }) })
export const idParam = z.object({
  id: z
    .string()
    .min(1)
    .max(100)
    .openapi({ param: { name: 'id', in: 'path' } }),
})
export const eventsQuery = z.strictObject({
  since: eventId.optional().openapi({
    param: { name: 'since', in: 'query' },
    description: 'the same as the header Last-Event-ID, for clients that cannot set it; the header wins',
  }),
})

/** The JSON of `/health` and `/ready`, the same as a service with the library gives. */
export const healthReport = z
  .object({
    status: z.enum(['healthy', 'degraded', 'unhealthy']),
    timestamp: time,
    service: z.string(),
    version: z.string(),
    checks: z.record(z.string(), z.enum(['healthy', 'degraded', 'unhealthy', 'unknown'])),
    metadata: z.object({ uptime_seconds: z.number().min(0), last_error: z.string().nullable() }),
  })
  .openapi('HealthReport')

/** RFC 9457. */
export const problem = z
  .object({
    type: z.literal('about:blank'),
    title: z.string(),
    status: z.int(),
    detail: z.string(),
    code: z.string().openapi({ description: 'stable', example: 'ERR_NOT_FOUND' }),
    hint: z.string().optional(),
    issues: z.array(z.object({ path: z.string(), message: z.string() })).optional(),
  })
  .openapi('Problem')
