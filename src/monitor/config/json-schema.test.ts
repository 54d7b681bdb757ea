import { expect, test } from 'vitest'
import { jsonSchemaOf } from './index.ts'
import { kinds } from './testdata/kinds.ts'

interface Node {
  readonly type?: string
  readonly description?: string
  readonly default?: unknown
  readonly properties?: Readonly<Record<string, Node>>
  readonly additionalProperties?: Node | boolean
  readonly anyOf?: readonly Node[]
  readonly oneOf?: readonly Node[]
  readonly const?: unknown
}

const schema = JSON.parse(jsonSchemaOf(kinds)) as Node

/** Every key with its path, alternatives flattened. */
function* keysOf(node: Node, at = ''): Generator<[string, Node]> {
  for (const [key, property] of Object.entries(node.properties ?? {})) {
    yield [`${at}.${key}`, property]
    yield* keysOf(property, `${at}.${key}`)
  }
  if (typeof node.additionalProperties === 'object') yield* keysOf(node.additionalProperties, `${at}.*`)
  for (const branch of [...(node.anyOf ?? []), ...(node.oneOf ?? [])]) yield* keysOf(branch, at)
}

// What a kind's own options say is that kind's own business.
const ours = [...keysOf(schema)].filter(
  ([key]) => !/\.(url|expect|host|port|command|env|speed)$/.test(key) || key.startsWith('.server'),
)

test('every key is described', () => {
  expect(ours.length).toBeGreaterThan(30)
  expect(ours.filter(([, { description }]) => !/[.?]$/.test(description ?? ''))).toEqual([])
})

test('every duration names its unit and every leaf with a default shows it', () => {
  const of = (key: string) => ours.find(([each]) => each === key)?.[1]
  expect(of('.defaults.probe.timeout')).toMatchObject({
    type: 'string',
    default: '1.3s',
    description: /ms, s, m, h, d/,
  })
  expect(of('.services.*.recovery.delays')).toMatchObject({ default: ['0s', '2s', '4s', '8s', '16s'] })
  expect(of('.services.*.recovery.jitter')).toMatchObject({ default: 0.25 })
  expect(of('.server.port')).toMatchObject({ type: 'integer', default: 7700 })
  expect(of('.services.*.process.cwd')).toMatchObject({ default: '.' })
})

test('an editor refuses unknown keys as Medyk does', () => {
  const open = (node: Node): boolean =>
    (node.properties !== undefined && node.additionalProperties !== false) ||
    [...keysOf(node)].some(([, each]) => open(each))
  expect(open(schema)).toBe(false)
})
