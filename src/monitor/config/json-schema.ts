import { z } from 'zod'
import { configSchema, type Kinds } from './schema.ts'

/** JSON Schema (draft 2020-12) of the config file, for editors and for `medyk config schema`. Ends with a newline. */
export function jsonSchemaOf(kinds: Kinds): string {
  const schema = z.toJSONSchema(configSchema(kinds, '/'), {
    io: 'input',
    unrepresentable: 'any',
    // On a transform, zod takes a default for one of the output and drops it; ours is written as the user would write it.
    override: ({ zodSchema, jsonSchema }) => {
      const standard = z.globalRegistry.get(zodSchema)?.['default']
      if (standard !== undefined) Object.assign(jsonSchema, { default: standard })
    },
  })
  const { $schema, ...rest } = schema
  return `${JSON.stringify({ $schema, title: 'Configuration of Medyk', ...rest }, null, 2)}\n`
}
