// Commits intents as fast as it can; prints the number of each one once it is acknowledged. Everything about the n-th
// intent follows from n, so that whoever reads the journal later knows what must be there.
import { writeSync } from 'node:fs'
import { silentLogger, systemClock } from '@medyk/health/internal'
import { openJournal } from '../index.ts'
import { nthAction, nthOutcome } from './nth.ts'

const [stateDir = '', first = '0', lanes = '1'] = process.argv.slice(2)
const journal = await openJournal({ stateDir, logger: silentLogger, clock: systemClock, deadlineMs: 60_000 })
writeSync(1, 'open\n')
let next = Number(first)

const now = () => new Date().toISOString()

async function write(): Promise<never> {
  for (;;) {
    const n = next++
    await journal.commitIntent(nthAction(n), now())
    // Synchronous: what was acknowledged before the kill is in the pipe.
    writeSync(1, `${n}\n`)
    if (n % 3 === 0) {
      await journal.commitOutcome(nthAction(n).id, nthOutcome(n), now())
      writeSync(1, `${n} done\n`)
    }
  }
}

await Promise.all(Array.from({ length: Number(lanes) }, write))
