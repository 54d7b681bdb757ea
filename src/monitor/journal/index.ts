export { openJournal, type Journal, type JournalOptions, type JournalState } from './journal.ts'
export type { IncidentTransition, JournaledEvent, JournaledIncident, ReadBack, Retention } from './records.ts'
