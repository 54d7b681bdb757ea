import { existsSync } from 'node:fs'
import { MedykError } from '@medyk/health/internal'
import type { Runtime } from '../../model/index.ts'
import type { RuntimeContext } from '../plugin.ts'
import { ProcessRuntime } from './runtime.ts'

export { schema } from './options.ts'

export const kind = 'process'

/** Runs each service as one child process that outlives the daemon. Linux only: the truth about a process is in /proc. */
export async function create(context: RuntimeContext): Promise<Runtime> {
  if (!existsSync('/proc/self/stat')) {
    throw new MedykError('ERR_RUNTIME', `the process runtime needs Linux with /proc; this is ${process.platform}`, {
      hint: 'run Medyk on Linux, or run the services under another runtime',
    })
  }
  return await ProcessRuntime.open(context)
}
