import type { Runtime } from '../../model/index.ts'
import type { RuntimeContext } from '../plugin.ts'
import { DockerRuntime } from './runtime.ts'

export { schema } from './options.ts'

export const kind = 'docker'

/** Looks after containers that somebody else has created. Rejects with ERR_RUNTIME when Docker cannot be reached. */
export async function create(context: RuntimeContext): Promise<Runtime> {
  return await DockerRuntime.open(context)
}
