// A daemon in small: adopts and starts one service, prints the instance, and waits to be killed.
// Argument: { stateDir, service, dieWhenStarted }.
import { silentLogger, systemClock } from '@medyk/health/internal'
import { create } from '../index.ts'

const { stateDir, service, dieWhenStarted } = JSON.parse(process.argv[2])
const call = { signal: AbortSignal.timeout(30_000) }
const runtime = await create({ stateDir, logger: silentLogger, clock: systemClock })
const [{ id }] = await runtime.adopt([service], call)
// The event comes after the spawn and before the pid is written down.
if (dieWhenStarted) runtime.watch(() => process.kill(process.pid, 'SIGKILL'))
const instance = await runtime.start(id, call)
process.stdout.write(`${JSON.stringify(instance)}\n`)
setInterval(() => {}, 1_000)
