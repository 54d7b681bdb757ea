// Opens the journal; each line on standard input is written as an audit row of so many bytes, the answer is one line of JSON.
import { createInterface } from 'node:readline'
import { isMedykError, silentLogger, systemClock } from '@medyk/health/internal'
import { openJournal } from '../index.ts'

const journal = await openJournal({ stateDir: process.argv[2] ?? '', logger: silentLogger, clock: systemClock, deadlineMs: 60_000 })
console.log(JSON.stringify({ result: 'open', state: journal.state }))
for await (const line of createInterface({ input: process.stdin })) {
  const result = await journal.appendEvent('note', { text: 'x'.repeat(Number(line)) }).then(
    () => 'ok',
    (error: unknown) => (isMedykError(error) ? error.code : String(error)),
  )
  console.log(JSON.stringify({ result, state: journal.state }))
}
await journal.close()
