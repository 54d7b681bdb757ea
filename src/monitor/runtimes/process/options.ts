import { createHash } from 'node:crypto'
import { isAbsolute } from 'node:path'
import { z } from 'zod'

const text = z
  .string()
  .max(100_000)
  .refine((value) => !value.includes('\0'), 'must not contain a NUL character')

/** `runtimeOptions` of a service under the process runtime. */
export const schema = z.strictObject({
  command: z
    .array(text)
    .min(1, 'name the program to run')
    .max(1_000)
    .refine((argv) => argv[0] !== '', 'the first element is the program and must not be empty')
    .describe('The program and its arguments; never a shell line. It must stay in the foreground.'),
  cwd: text
    .refine(isAbsolute, 'must be an absolute path')
    .optional()
    .describe("Directory to run in. Default: the daemon's own."),
  env: z
    .record(z.string().regex(/^[A-Za-z_]\w*$/, 'is not a name for an environment variable'), text)
    .optional()
    .describe('Environment variables besides the inherited PATH, HOME, USER, locale, TZ, TMPDIR and certificates.'),
})

export type ProcessOptions = z.infer<typeof schema>

/** Tells whether two runs were started the same way without storing an argument or a value, which may be secrets. */
export function commandHash({ command, cwd, env }: ProcessOptions): string {
  const sorted = Object.entries(env ?? {}).sort(([a], [b]) => (a < b ? -1 : 1))
  return createHash('sha256')
    .update(JSON.stringify([command, cwd, sorted]))
    .digest('hex')
    .slice(0, 32)
}
