import { MedykError } from '@medyk/health/internal'
import type { Runtime } from '../model/index.ts'
import type { RuntimeContext, RuntimePlugin } from './plugin.ts'

export type { OptionsSchema, RuntimeContext, RuntimePlugin } from './plugin.ts'

/** Every runtime by kind: one folder, one line. A test compares this map with the folders. */
export const runtimes = {
  docker: () => import('./docker/index.ts'),
  process: () => import('./process/index.ts'),
} satisfies Record<string, () => Promise<RuntimePlugin>>

export type RuntimeKind = keyof typeof runtimes

export function isRuntimeKind(kind: string): kind is RuntimeKind {
  return Object.hasOwn(runtimes, kind)
}

/** Opens the runtime of `kind`. Rejects with ERR_RUNTIME when there is none or when it cannot work here. */
export async function openRuntime(kind: string, context: RuntimeContext): Promise<Runtime> {
  if (!isRuntimeKind(kind)) {
    throw new MedykError('ERR_RUNTIME', `there is no runtime "${kind}"`, {
      hint: `use one of: ${Object.keys(runtimes).join(', ')}`,
    })
  }
  const plugin = await runtimes[kind]()
  return await plugin.create(context)
}
