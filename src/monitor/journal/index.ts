export { openJournal, type Journal, type JournalOptions, type JournalState } from './journal.ts'
export { OPERATOR_PREFIX } from './records.ts'
export type {
  IncidentTransition,
  JournaledEvent,
  JournaledIncident,
  KeyClaim,
  ProvenInstance,
  ReadBack,
  Retention,
} from './records.ts'
