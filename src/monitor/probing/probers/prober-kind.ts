import type { ZodObject } from 'zod'
import type { Prober } from '../../model/index.ts'

/** What a prober may be told about its surroundings when it is created. */
export interface ProberEnvironment {
  /** Sent where the protocol has a place for it, so that a target's log says who asked. */
  readonly userAgent: string
}

/** What one file of this folder exports; a line in `index.ts` is all that it needs besides. `kind` equals the file's name. */
export interface ProberKind {
  readonly kind: string
  /** Of the options in a probe's spec. Light: it is loaded with the config. */
  readonly schema: ZodObject
  /** Imports what is heavy. */
  create(environment: ProberEnvironment): Promise<Prober>
}
