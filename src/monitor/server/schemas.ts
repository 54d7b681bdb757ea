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

export const storyLine = z
  .object({
    at: time,
    kind: z.enum([
      'evidence',
      'verdict',
      'changed',
      'impacted',
      'decided',
      'withheld',
      'finished',
      'quarantined',
      'released',
      'recovered',
      'closed',
      'gap',
    ]),
    text: z.string().openapi({ description: 'one printable sentence without a full stop' }),
  })
  .openapi('StoryLine')

export const forensics = z
  .object({
    at: time,
    tookMs: z.number().min(0),
    instance: z
      .object({
        id: z.string(),
        name: z.string().nullable(),
        state: z.string(),
        pid: z.int().nullable(),
        startedAt: time.nullable(),
        restarts: z.int().min(0),
        exit: z.string().nullable().openapi({ description: 'how its last run ended' }),
        health: z.string().nullable().openapi({ description: "what its runtime's own check says" }),
      })
      .nullable(),
    logs: z.string().nullable().openapi({ description: 'the last output before, redacted; at most 8 KiB' }),
    dependencies: z.array(z.object({ service: name, status, reason: z.string().nullable() })),
    missing: z.array(z.string()).openapi({ description: 'what could not be had, and why' }),
  })
  .openapi('Forensics', { description: 'how things stood when the incident was opened' })

export const incidentDetail = incidentRow
  .extend({
    story: z.array(storyLine).openapi({ description: 'what happened, what was decided and why, oldest first' }),
    forensics: orNull(forensics).openapi({ description: 'null when none were taken or they are no longer kept' }),
  })
  .openapi('IncidentDetail')

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
export const keyHeader = z.object({
  'idempotency-key': z
    .string()
    .regex(/^[\x21-\x7e]{1,128}$/)
    .optional()
    .openapi({
      description:
        'chosen by the client: repeated with the same key and body within 24 h, it is done once and answered alike',
    }),
})

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

export const maintenanceRow = z
  .object({
    service: name,
    by: z.string().openapi({ description: 'who asked for it' }),
    reason: z.string(),
    since: time,
    until: time.openapi({ description: 'it ends by itself then' }),
  })
  .openapi('Maintenance', { description: 'leave this service alone until' })

export const maintenanceList = z.object({ maintenance: z.array(maintenanceRow) }).openapi('MaintenanceList')

/** What still holds for the service after one was ended. */
export const maintenanceLeft = z
  .object({
    maintenance: orNull(maintenanceRow).openapi({
      description: 'what still holds for this service: declared elsewhere, or a restart under way; null: nothing',
    }),
  })
  .openapi('MaintenanceLeft')

const reason = z.string().trim().min(1).max(500)
const by = z.string().trim().min(1).max(80).optional().openapi({
  description: 'who asks, for people; the role is added to it',
  example: 'anna',
})

export const maintenanceRequest = z
  .strictObject({
    reason,
    for: z.string().max(40).optional().openapi({
      description: 'how long, at most 24h; either this or `until`',
      example: '30m',
    }),
    until: time.optional().openapi({ description: 'at most 24 h from now' }),
    by,
  })
  .openapi('MaintenanceRequest')

export const maintenanceEndRequest = z.strictObject({ by }).openapi('MaintenanceEndRequest')

export const restartRequest = z.strictObject({ reason, by }).openapi('RestartRequest')

export const restartAccepted = z
  .object({
    id: z.string().openapi({ description: 'of this request; the actions stand under it' }),
    service: name,
    actions: z.array(z.object({ id: z.string(), instance: z.string() })).openapi({
      description: 'one for each running instance, carried out one after the other; see api/v1/actions/{id}',
    }),
  })
  .openapi('RestartAccepted')

export const auditRow = z
  .object({
    at: time,
    who: z.string(),
    role: z.enum(['operator', 'viewer', 'none']),
    method: z.string(),
    path: z.string(),
    service: z.string().nullable(),
    result: z.enum(['allowed', 'refused', 'failed']),
    reason: z.string().openapi({ description: 'why it was asked for, or why it was refused or failed' }),
    key: z.string().nullable().openapi({ description: 'its idempotency key' }),
    count: z
      .int()
      .min(1)
      .openapi({ description: 'more than 1: so many refused ones, counted instead of told one by one' }),
  })
  .openapi('AuditRow')

export const auditPage = z.object({ audit: z.array(auditRow) }).openapi('AuditPage')

export const auditQuery = z.strictObject({
  limit: z.coerce
    .number()
    .int()
    .min(1)
    .max(1_000)
    .default(50)
    .openapi({ param: { name: 'limit', in: 'query' }, type: 'integer' }),
})

export const coverageRow = z
  .object({
    service: z.string(),
    level: z.enum(['checked', 'state', 'none']).openapi({
      description: 'checked: something that it does is examined; state: only whether it runs; none: nothing is known',
    }),
    probe: z.string().nullable().openapi({ example: 'GET http://127.0.0.1:8001/health' }),
    derivedFrom: z.string(),
    note: z.string().nullable().openapi({ description: 'what is wrong or could be better, and what to do' }),
    counts: z.literal(false).optional().openapi({ description: 'no service, so it does not count' }),
  })
  .openapi('CoverageRow')

export const coverageReport = z
  .object({
    ratio: z.number().min(0).max(1).openapi({ description: 'checked / total; 0 while nothing is watched' }),
    checked: z.int().min(0),
    total: z.int().min(0),
    rows: z.array(coverageRow),
  })
  .openapi('Coverage')

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
