import { z } from 'zod'
import type { Kinds } from '../schema.ts'

/** Stand-ins with the traits that real options have: required, optional, nested, refined. */
export const kinds: Kinds = {
  runtimes: {
    process: z.strictObject({
      command: z.array(z.string().min(1)).min(1),
      cwd: z.string().optional(),
      env: z.record(z.string(), z.string()).optional(),
    }),
    mock: z.object({ speed: z.number().optional() }),
  },
  probers: {
    http: z.strictObject({ url: z.url({ protocol: /^https?$/ }).refine((url) => !url.includes('@'), 'expected a URL without a password'), expect: z.array(z.int()).optional() }).superRefine(() => {}),
    tcp: z.strictObject({ host: z.string(), port: z.int().min(1).max(65_535) }),
  },
}
