// Opens the journal in the directory given, commits one intent, says so and stays.
import { silentLogger, systemClock } from '@medyk/health/internal'
import { openJournal } from '../index.ts'

const journal = await openJournal({ stateDir: process.argv[2] ?? '', logger: silentLogger, clock: systemClock })
await journal.commitIntent(
  {
    id: 'held',
    incident: 'i',
    service: 's',
    instance: 's',
    kind: 'start',
    graceMs: 0,
    attempt: 1,
    precondition: { startedAt: null },
    reason: 'held',
  },
  new Date().toISOString(),
)
console.log('held')
setInterval(() => {}, 1_000)
