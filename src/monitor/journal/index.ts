export { openJournal, type Journal, type JournalOptions, type JournalState } from './journal.ts'
export type {
  IncidentTransition,
  JournaledEvent,
  JournaledIncident,
  ProvenInstance,
  ReadBack,
  Retention,
} from './records.ts'
