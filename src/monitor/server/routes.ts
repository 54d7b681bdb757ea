import { createRoute, z } from '@hono/zod-openapi'
import {
  actionRow,
  apiEvent,
  auditPage,
  auditQuery,
  coverageReport,
  eventsQuery,
  healthReport,
  idParam,
  incidentDetail,
  incidentPage,
  incidentQuery,
  keyHeader,
  maintenanceEndRequest,
  maintenanceLeft,
  maintenanceList,
  maintenanceRequest,
  maintenanceRow,
  nameParam,
  problem,
  restartAccepted,
  restartRequest,
  serviceDetail,
  serviceList,
} from './schemas.ts'

/** The contract of every path, apart from what answers it. */

const json = <Schema extends z.ZodType>(schema: Schema, description: string) => ({
  description,
  content: { 'application/json': { schema } },
})
const fails = (description: string) => ({ description, content: { 'application/problem+json': { schema: problem } } })
const refused = { 403: fails('Host or Origin is not one that the daemon answers to') }
const tokened = { 401: fails('A viewer token is set, and none or a wrong one was sent'), ...refused }
/** `{}`: only where a viewer token is set. */
const readers = [{}, { token: [] }]
const operators = [{ token: [] }]
const changing = {
  400: fails('The body or the header Idempotency-Key is not what is expected here'),
  401: fails('No token, or one that is not known'),
  403: fails('Not the operator, none is configured, or Host or Origin is not one that the daemon answers to'),
  404: fails('No service of this name'),
  413: fails('The body is larger than 16 KiB'),
  415: fails('The body is not application/json'),
  429: fails('Too many changes within a minute'),
  503: fails('The journal takes nothing, so nothing was done'),
}
const body = <Schema extends z.ZodType>(schema: Schema, required: boolean) => ({
  content: { 'application/json': { schema } },
  required,
})

export const listServices = createRoute({
  method: 'get',
  path: '/api/v1/services',
  operationId: 'listServices',
  security: readers,
  summary: 'Every service with its instances',
  responses: { 200: json(serviceList, 'All of them, in listing order'), ...tokened },
})

export const getService = createRoute({
  method: 'get',
  path: '/api/v1/services/{name}',
  operationId: 'getService',
  security: readers,
  summary: 'One service with its probes and its recovery budget',
  request: { params: nameParam },
  responses: { 200: json(serviceDetail, 'The service'), 404: fails('No service of this name'), ...tokened },
})

export const listIncidents = createRoute({
  method: 'get',
  path: '/api/v1/incidents',
  operationId: 'listIncidents',
  security: readers,
  summary: 'Incidents, newest first',
  request: { query: incidentQuery },
  responses: {
    200: json(incidentPage, 'One page'),
    400: fails('A parameter is unknown or out of range'),
    503: fails('The journal did not answer in time'),
    ...tokened,
  },
})

export const getIncident = createRoute({
  method: 'get',
  path: '/api/v1/incidents/{id}',
  operationId: 'getIncident',
  security: readers,
  summary: 'One incident with its actions, its whole story, and how things stood when it was opened',
  request: { params: idParam },
  responses: {
    200: json(incidentDetail, 'The incident'),
    404: fails('No incident of this id'),
    503: fails('The journal did not answer in time'),
    ...tokened,
  },
})

export const streamEvents = createRoute({
  method: 'get',
  path: '/api/v1/events',
  operationId: 'streamEvents',
  security: readers,
  summary: 'What changes, as it changes (server-sent events)',
  description:
    'Starts with one `hello`. A client that comes back with Last-Event-ID gets what it missed, as long as that is still ' +
    'buffered; else `hello` says `resumed: false`. Every 10 s without an event a comment is sent. A client that reads ' +
    'too slowly is cut off.',
  request: {
    query: eventsQuery,
    headers: z.object({ 'last-event-id': z.string().optional() }),
  },
  responses: {
    200: { description: 'An endless stream', content: { 'text/event-stream': { schema: apiEvent } } },
    503: fails('Too many streams are open'),
    ...tokened,
  },
})

export const getHealth = createRoute({
  method: 'get',
  path: '/health',
  operationId: 'getHealth',
  summary: 'Is the daemon itself alive',
  responses: { 200: json(healthReport, 'healthy or degraded'), 503: json(healthReport, 'unhealthy'), ...refused },
})

export const getReady = createRoute({
  method: 'get',
  path: '/ready',
  operationId: 'getReady',
  summary: 'May the daemon be relied on right now',
  responses: { 200: json(healthReport, 'healthy or degraded'), 503: json(healthReport, 'unhealthy'), ...refused },
})

export const getMetrics = createRoute({
  method: 'get',
  path: '/metrics',
  operationId: 'getMetrics',
  summary: "The daemon's metrics",
  responses: {
    200: { description: 'Prometheus text format', content: { 'text/plain': { schema: z.string() } } },
    503: fails('They could not be collected in time'),
    ...refused,
  },
})

export const getAction = createRoute({
  method: 'get',
  path: '/api/v1/actions/{id}',
  operationId: 'getAction',
  security: readers,
  summary: 'One action and what came of it',
  request: { params: idParam },
  responses: {
    200: json(actionRow, 'The action; without a result while it is under way'),
    404: fails('No action of this id'),
    503: fails('The journal did not answer in time'),
    ...tokened,
  },
})

export const getCoverage = createRoute({
  method: 'get',
  path: '/api/v1/coverage',
  operationId: 'getCoverage',
  security: readers,
  summary: 'How well each service is examined, and where that comes from',
  responses: { 200: json(coverageReport, 'Everything that was found'), ...tokened },
})

export const listMaintenance = createRoute({
  method: 'get',
  path: '/api/v1/maintenance',
  operationId: 'listMaintenance',
  security: readers,
  summary: 'Services that are left alone, by whom, why and until when',
  responses: { 200: json(maintenanceList, 'All that hold now'), ...tokened },
})

export const startMaintenance = createRoute({
  method: 'post',
  path: '/api/v1/services/{name}/maintenance',
  operationId: 'startMaintenance',
  security: operators,
  summary: 'Leave a service alone for a while',
  description: 'No incident and no action meanwhile. One that holds already is replaced. It ends by itself.',
  request: { params: nameParam, body: body(maintenanceRequest, true) },
  responses: { 200: json(maintenanceRow, 'It holds, and is on the disk'), ...changing },
})

export const endMaintenance = createRoute({
  method: 'delete',
  path: '/api/v1/services/{name}/maintenance',
  operationId: 'endMaintenance',
  security: operators,
  summary: 'Watch and cure a service again',
  request: { params: nameParam, body: body(maintenanceEndRequest, false) },
  responses: { 200: json(maintenanceLeft, 'It has ended, or there was none'), ...changing },
})

export const restartService = createRoute({
  method: 'post',
  path: '/api/v1/services/{name}/restart',
  operationId: 'restartService',
  security: operators,
  summary: 'Restart the running instances of a service, one after the other',
  description: 'Counts in no budget. The service is in maintenance meanwhile, so that nobody cures what is being done.',
  request: { params: nameParam, headers: keyHeader, body: body(restartRequest, true) },
  responses: {
    202: json(restartAccepted, 'It will be done'),
    ...changing,
    409: fails('Nothing runs, no runtime runs it, or a restart is under way'),
    422: fails('The key was used for something else'),
  },
})

export const listAudit = createRoute({
  method: 'get',
  path: '/api/v1/audit',
  operationId: 'listAudit',
  security: operators,
  summary: 'Who changed what, or tried to, newest first',
  request: { query: auditQuery },
  responses: {
    200: json(auditPage, 'The newest ones'),
    400: fails('A parameter is unknown or out of range'),
    401: fails('No token, or one that is not known'),
    503: fails('The journal did not answer in time'),
    ...refused,
  },
})

const nameOnly = { params: nameParam }
const noSuch = { 404: fails('No service of this name') }

export const getServiceHealth = createRoute({
  method: 'get',
  path: '/s/{name}/health',
  operationId: 'getServiceHealth',
  summary: 'Is this service alive, as Medyk sees it: the same JSON for every service, whatever it speaks itself',
  description: 'A service that is starting is degraded; one of which nothing is known is unhealthy, and says so.',
  request: nameOnly,
  responses: {
    200: json(healthReport, 'healthy or degraded'),
    503: json(healthReport, 'unhealthy'),
    ...noSuch,
    ...refused,
  },
})

export const getServiceReady = createRoute({
  method: 'get',
  path: '/s/{name}/ready',
  operationId: 'getServiceReady',
  summary: 'Can this service serve, as Medyk sees it',
  request: nameOnly,
  responses: {
    200: json(healthReport, 'healthy or degraded'),
    503: json(healthReport, 'unhealthy'),
    ...noSuch,
    ...refused,
  },
})

export const getServiceMetrics = createRoute({
  method: 'get',
  path: '/s/{name}/metrics',
  operationId: 'getServiceMetrics',
  summary: "This service's health as metrics, named as the library names them",
  request: nameOnly,
  responses: {
    200: { description: 'Prometheus text format', content: { 'text/plain': { schema: z.string() } } },
    503: {
      description: "The same text; the service is unhealthy or unknown, and Prometheus' `up` says so",
      content: { 'text/plain': { schema: z.string() } },
    },
    ...noSuch,
    ...refused,
  },
})

/** In the order in which the document lists them. */
export const allRoutes = [
  listServices,
  getService,
  listIncidents,
  getIncident,
  streamEvents,
  getHealth,
  getReady,
  getMetrics,
  getAction,
  getCoverage,
  listMaintenance,
  listAudit,
  getServiceHealth,
  getServiceReady,
  getServiceMetrics,
  startMaintenance,
  endMaintenance,
  restartService,
] as const
