import type { z } from '@hono/zod-openapi'
import type * as schemas from './schemas.ts'

/**
 * The API in types alone: what the dashboard imports, and what the port speaks. Read-only all the way down, so that the
 * model's own rows fit without a copy.
 */
type Immutable<T> = T extends readonly (infer Item)[]
  ? readonly Immutable<Item>[]
  : T extends object
    ? { readonly [Key in keyof T]: Immutable<T[Key]> }
    : T

export type Status = z.infer<typeof schemas.status>
export type Cause = z.infer<typeof schemas.cause>
export type Symptom = z.infer<typeof schemas.symptom>
export type InstanceRow = Immutable<z.infer<typeof schemas.instanceRow>>
export type ServiceRow = Immutable<z.infer<typeof schemas.serviceRow>>
export type ProbeRow = Immutable<z.infer<typeof schemas.probeRow>>
export type BudgetRow = Immutable<z.infer<typeof schemas.budgetRow>>
export type ServiceDetail = Immutable<z.infer<typeof schemas.serviceDetail>>
export type ActionRow = Immutable<z.infer<typeof schemas.actionRow>>
export type ImpactRow = Immutable<z.infer<typeof schemas.impactRow>>
export type IncidentRow = Immutable<z.infer<typeof schemas.incidentRow>>
export type StoryLine = Immutable<z.infer<typeof schemas.storyLine>>
export type Forensics = Immutable<z.infer<typeof schemas.forensics>>
export type IncidentDetail = Immutable<z.infer<typeof schemas.incidentDetail>>
export type IncidentPage = Immutable<z.infer<typeof schemas.incidentPage>>
export type IncidentQuery = Immutable<z.infer<typeof schemas.incidentQuery>>
export type ServiceList = Immutable<z.infer<typeof schemas.serviceList>>
export type ObserverState = Immutable<z.infer<typeof schemas.observerState>>
export type Hello = Immutable<z.infer<typeof schemas.hello>>
export type ApiEvent = Immutable<z.infer<typeof schemas.apiEvent>>
export type HealthReport = Immutable<z.infer<typeof schemas.healthReport>>
export type Problem = Immutable<z.infer<typeof schemas.problem>>
export type MaintenanceRow = Immutable<z.infer<typeof schemas.maintenanceRow>>
export type MaintenanceList = Immutable<z.infer<typeof schemas.maintenanceList>>
export type RestartAccepted = Immutable<z.infer<typeof schemas.restartAccepted>>
export type AuditRow = Immutable<z.infer<typeof schemas.auditRow>>
export type AuditPage = Immutable<z.infer<typeof schemas.auditPage>>
export type CoverageReport = Immutable<z.infer<typeof schemas.coverageReport>>
