import type { Clock, Logger } from '@medyk/health/internal'
import type { DockerHost } from '../docker/index.ts'
import type { Runtime } from '../model/index.ts'

export interface RuntimeContext {
  /** Absolute path; the runtime keeps what must survive the daemon in a folder of its own below. */
  readonly stateDir: string
  readonly logger: Logger
  readonly clock: Clock
  /** The shared view of the Docker host, which its opener closes. Absent: a runtime that needs one opens its own. */
  readonly docker?: DockerHost
}

/** Validates `ServiceSpec.runtimeOptions`; zod's schemas fit. */
export interface OptionsSchema {
  safeParse(value: unknown):
    | { readonly success: true; readonly data: unknown }
    | {
        readonly success: false
        readonly error: {
          readonly issues: readonly { readonly path: readonly PropertyKey[]; readonly message: string }[]
        }
      }
}

/** What the entry file of a runtime's folder exports. `kind` equals the folder's name. */
export interface RuntimePlugin {
  readonly kind: string
  readonly schema: OptionsSchema
  /** Rejects with ERR_RUNTIME when this machine cannot carry the runtime at all. */
  create(context: RuntimeContext): Promise<Runtime>
}
