import { z } from 'zod'
import type { ParsedDocument, Path } from './document.ts'
import { nearest, quote, type Problem } from './problem.ts'

type Issue = z.core.$ZodIssue

/** Checks `value` at `path` of `document` and reports each issue at its place. undefined when there was one. */
export function checked<T>(
  schema: z.ZodType<T>,
  document: ParsedDocument,
  report: (problem: Problem) => void,
): T | undefined {
  const result = schema.safeParse(document.value, { error: describe, reportInput: true })
  if (result.success) return result.data
  // Built only when something is wrong, and only for naming the valid keys.
  const json = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) as JsonSchema
  for (const issue of result.error.issues.flatMap((each) => flatten(each, []))) {
    for (const { path, key, message } of explain(issue, json, document.value)) {
      const text = `${dotted(path)}${message}`
      report(key === undefined ? document.problemAt(path, text) : document.problemAt([...path, key], text, 'key'))
    }
  }
  return undefined
}

/** Words for what a schema's author left without words of his own. */
function describe(issue: z.core.$ZodRawIssue): string | undefined {
  switch (issue.code) {
    case 'invalid_type':
      if (issue.input === undefined) return `missing; expected ${nameOfType(issue.expected)}`
      // A number where text belongs may be a secret, such as a PIN; where a number belongs its value helps.
      if (typeof issue.input === 'number' && ['number', 'int'].includes(issue.expected)) {
        return `this is ${issue.input}; expected ${nameOfType(issue.expected)}`
      }
      return `this is ${nameOfValue(issue.input)}; expected ${nameOfType(issue.expected)}`
    case 'invalid_value':
      if (issue.input === undefined) return `missing; expected ${oneOf(issue.values)}`
      if (
        typeof issue.input === 'string' &&
        issue.values.some((value) => typeof value !== 'string' && String(value) === issue.input)
      ) {
        return `this is text; expected ${oneOf(issue.values)} without quotes`
      }
      return `${quote(issue.input)} is not known here; expected ${oneOf(issue.values)}${didYouMean(issue.input, issue.values)}`
    case 'too_small':
    case 'too_big': {
      const small = issue.code === 'too_small'
      const bound = `at ${small ? 'least' : 'most'} ${String(small ? issue.minimum : issue.maximum)}`
      if (issue.origin === 'string') return `the text is too ${small ? 'short' : 'long'}; expected ${bound} characters`
      if (issue.origin === 'array') return `the list is too ${small ? 'short' : 'long'}; expected ${bound}`
      return `${String(issue.input)} is too ${small ? 'small' : 'large'}; expected ${bound}`
    }
    case 'invalid_format':
      if (issue.format === 'url')
        return `${quote(issue.input)} is not a URL that can be used here; expected one such as http://127.0.0.1:8080/health`
      return `${quote(issue.input)} does not have the form of ${issue.format === 'regex' ? issue.pattern : `a ${issue.format}`}`
    default:
      return undefined
  }
}

/** A union's branches fail together: keep those that were meant, judging by the type that was written. */
function flatten(issue: Issue, prefix: Path): Issue[] {
  const path = [...prefix, ...issue.path]
  if (issue.code !== 'invalid_union' || issue.errors.length === 0) return [{ ...issue, path }]
  const meant = issue.errors.filter(
    (branch) => !branch.some((each) => each.code === 'invalid_type' && each.path.length === 0),
  )
  if (meant.length > 0) return (meant[0] ?? []).flatMap((each) => flatten(each, path))
  const expected = issue.errors.flatMap((branch) =>
    branch.flatMap((each) => (each.code === 'invalid_type' ? [nameOfType(each.expected)] : [])),
  )
  const message = `this is ${nameOfValue(issue.input)}; expected ${[...new Set(expected)].join(' or ')}`
  return [{ code: 'custom', path, message, input: issue.input }]
}

interface Explained {
  readonly path: Path
  /** The key of the map at `path` that is wrong, rather than the value. */
  readonly key?: PropertyKey | undefined
  readonly message: string
}

function explain(issue: Issue, json: JsonSchema, root: unknown): Explained[] {
  const { path } = issue
  if (issue.code === 'unrecognized_keys') {
    const known = [...keysAt(json, json, root, path)]
    return issue.keys.map((key) => {
      const near = nearest(key, known)
      const advice = near === undefined ? `expected one of ${known.join(', ')}` : `did you mean ${quote(near)}?`
      return { path, key, message: `unknown key ${quote(key)}; ${advice}` }
    })
  }
  if (issue.code === 'invalid_key') {
    const key = path.at(-1)
    const message = `key ${quote(key)}: ${issue.issues[0]?.message ?? 'not allowed'}`
    return [{ path: path.slice(0, -1), key, message }]
  }
  if (issue.code === 'invalid_union' && 'discriminator' in issue) {
    const options = (issue as { options?: readonly unknown[] }).options ?? []
    const given = (issue.input as Record<string, unknown> | undefined)?.[issue.discriminator ?? '']
    if (given === undefined) return [{ path, message: `missing; expected ${oneOf(options)}` }]
    const message = `${quote(given)} is not known here; expected ${oneOf(options)}${didYouMean(given, options)}`
    return [{ path, message }]
  }
  return [{ path, message: issue.message }]
}

interface JsonSchema {
  readonly $ref?: string
  readonly $defs?: Readonly<Record<string, JsonSchema>>
  readonly const?: unknown
  readonly properties?: Readonly<Record<string, JsonSchema>>
  readonly additionalProperties?: JsonSchema | boolean
  readonly items?: JsonSchema
  readonly anyOf?: readonly JsonSchema[]
  readonly oneOf?: readonly JsonSchema[]
  readonly allOf?: readonly JsonSchema[]
}

/** Keys that a map at `path` may have. Of alternatives, those whose constants agree with what was written. */
function keysAt(top: JsonSchema, schema: JsonSchema, value: unknown, path: Path): Set<string> {
  if (schema.$ref !== undefined) return keysAt(top, top.$defs?.[schema.$ref.split('/').at(-1) ?? ''] ?? {}, value, path)
  const keys = new Set<string>()
  const own = value as Record<PropertyKey, unknown> | null | undefined
  for (const branch of [...(schema.anyOf ?? []), ...(schema.oneOf ?? []), ...(schema.allOf ?? [])]) {
    const agrees = Object.entries(branch.properties ?? {}).every(
      ([key, property]) => property.const === undefined || own?.[key] === property.const,
    )
    if (agrees) for (const key of keysAt(top, branch, value, path)) keys.add(key)
  }
  const [step, ...rest] = path
  if (step === undefined) {
    for (const key of Object.keys(schema.properties ?? {})) keys.add(key)
    return keys
  }
  const additional = typeof schema.additionalProperties === 'object' ? schema.additionalProperties : undefined
  const next = typeof step === 'number' ? schema.items : (schema.properties?.[String(step)] ?? additional)
  if (next !== undefined) for (const key of keysAt(top, next, own?.[step], rest)) keys.add(key)
  return keys
}

function nameOfType(type: string): string {
  const names: Readonly<Record<string, string>> = {
    object: 'a map',
    record: 'a map',
    array: 'a list',
    string: 'text',
    number: 'a number',
    int: 'a whole number',
    boolean: 'true or false',
  }
  return names[type] ?? type
}

function nameOfValue(value: unknown): string {
  if (value === null || value === undefined) return 'empty'
  if (Array.isArray(value)) return 'a list'
  if (typeof value === 'number') return 'a number'
  if (typeof value === 'boolean') return String(value)
  return typeof value === 'string' ? 'text' : 'a map'
}

function oneOf(values: readonly unknown[]): string {
  return values.length === 1 ? String(values[0]) : `one of ${values.join(', ')}`
}

function didYouMean(given: unknown, values: readonly unknown[]): string {
  const near = typeof given === 'string' ? nearest(given, values.map(String)) : undefined
  return near === undefined ? '' : `; did you mean ${quote(near)}?`
}

function dotted(path: Path): string {
  const shown = path.map((step) => (typeof step === 'number' ? `[${step}]` : `.${String(step)}`)).join('')
  return shown === '' ? '' : `${quote(shown.slice(1)).slice(1, -1)}: `
}
