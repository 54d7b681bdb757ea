export type { AccessTokens } from './access.ts'
export type * from './api.ts'
export { createEventLog, type EventBody, type EventLog, type EventLogOptions } from './event-log.ts'
export { openApiDocument, renderOpenApi } from './openapi.ts'
export { findPortHolder, type PortHolder } from './port-holder.ts'
export type { AuditTrail, MonitorCommands, MonitorState } from './port.ts'
export {
  createServer,
  defaultServerLimits,
  type MonitorServer,
  type ServerLimits,
  type ServerOptions,
} from './server.ts'
