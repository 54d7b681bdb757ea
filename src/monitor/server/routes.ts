import { createRoute, z } from '@hono/zod-openapi'
import {
  apiEvent,
  eventsQuery,
  healthReport,
  idParam,
  incidentPage,
  incidentQuery,
  incidentRow,
  nameParam,
  problem,
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

export const listServices = createRoute({
  method: 'get',
  path: '/api/v1/services',
  operationId: 'listServices',
  summary: 'Every service with its instances',
  responses: { 200: json(serviceList, 'All of them, in listing order'), ...refused },
})

export const getService = createRoute({
  method: 'get',
  path: '/api/v1/services/{name}',
  operationId: 'getService',
  summary: 'One service with its probes and its recovery budget',
  request: { params: nameParam },
  responses: { 200: json(serviceDetail, 'The service'), 404: fails('No service of this name'), ...refused },
})

export const listIncidents = createRoute({
  method: 'get',
  path: '/api/v1/incidents',
  operationId: 'listIncidents',
  summary: 'Incidents, newest first',
  request: { query: incidentQuery },
  responses: {
    200: json(incidentPage, 'One page'),
    400: fails('A parameter is unknown or out of range'),
    503: fails('The journal did not answer in time'),
    ...refused,
  },
})

export const getIncident = createRoute({
  method: 'get',
  path: '/api/v1/incidents/{id}',
  operationId: 'getIncident',
  summary: 'One incident with its actions',
  request: { params: idParam },
  responses: {
    200: json(incidentRow, 'The incident'),
    404: fails('No incident of this id'),
    503: fails('The journal did not answer in time'),
    ...refused,
  },
})

export const streamEvents = createRoute({
  method: 'get',
  path: '/api/v1/events',
  operationId: 'streamEvents',
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
    ...refused,
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
] as const
