/**
 * The plug-ins that `npm run new` can begin. Each is complete as it stands (it compiles and its test passes), so that the
 * first thing its author does is to change a working one.
 *
 * @typedef {object} Scaffold
 * @property {(name: Names) => { path: string, text: string }[]} files
 * @property {string} map the file with the literal map or list of exports
 * @property {(source: string, name: Names) => string | null} register the map with one line more; null: not understood
 * @property {(name: Names) => string[]} next
 *
 * @typedef {{ name: string, camel: string, pascal: string, title: string }} Names
 */

/** @param {string} name kebab-case @returns {Names} */
export function namesOf(name) {
  const camel = name.replaceAll(/-(.)/g, (_, letter) => letter.toUpperCase())
  return { name, camel, pascal: camel[0].toUpperCase() + camel.slice(1), title: name.replaceAll('-', ' ') }
}

/** Adds a loader as the last line of `export const <map> = { … }`. */
export function addToMap(source, map, { name, camel }, file) {
  const found = new RegExp(`export const ${map}\\b.*= \\{\n(?: {2}.*\n)+(?=\\})`).exec(source)
  if (!found) return null
  const end = found.index + found[0].length
  const key = name === camel ? name : `'${name}'`
  return `${source.slice(0, end)}  ${key}: () => import('${file}'),\n${source.slice(end)}`
}

/** Adds a line to those of `source` that fit `kin`, in alphabetical order of the file that they name. */
export function addSorted(source, line, kin) {
  const lines = source.split('\n')
  const file = (text) => /from '([^']+)'/.exec(text)?.[1] ?? ''
  const last = lines.findLastIndex((text) => kin.test(text))
  if (last < 0) return null
  const before = lines.findIndex((text) => kin.test(text) && file(text) > file(line))
  lines.splice(before < 0 ? last + 1 : before, 0, line)
  return lines.join('\n')
}

/** @type {Scaffold} */
const check = {
  map: 'src/shared/health/index.ts',
  register: (source, { name, camel, pascal }) =>
    addSorted(source, `export { ${camel}, type ${pascal}Options } from './checks/${name}.ts'`, /from '\.\/checks\//),
  next: ({ name, camel }) => [
    `examine what it is about in src/shared/health/checks/${name}.ts; mind the signal, and keep nothing open between runs`,
    `extend ${name}.test.ts by a case against the real thing`,
    `say in docs and CHANGELOG.md what ${camel}() finds out`,
  ],
  files: ({ name, camel, pascal, title }) => [
    {
      path: `src/shared/health/checks/${name}.ts`,
      text: `import type { Check } from '../check.ts'

export interface ${pascal}Options {
  /** Takes one measurement; hand the signal on to whatever waits. */
  readonly measure: (signal: AbortSignal) => number | Promise<number>
  /** Above it the check is \`degraded\`. In the unit of \`measure\`. */
  readonly degradedAbove: number
  /** Above it the check is \`unhealthy\`. In the unit of \`measure\`. */
  readonly unhealthyAbove: number
}

/** Whether the ${title} is within its limits. */
export function ${camel}({ measure, degradedAbove, unhealthyAbove }: ${pascal}Options): Check {
  return async (signal) => {
    signal.throwIfAborted()
    const value = await measure(signal)
    const data = { value }
    if (value > unhealthyAbove) return { status: 'unhealthy', message: \`\${value} is above \${unhealthyAbove}\`, data }
    if (value > degradedAbove) return { status: 'degraded', message: \`\${value} is above \${degradedAbove}\`, data }
    return { status: 'healthy', data }
  }
}
`,
    },
    {
      path: `src/shared/health/checks/${name}.test.ts`,
      text: `import { describe, expect, it } from 'vitest'
import { contractCases } from '../testing/index.ts'
import { ${camel}, type ${pascal}Options } from './${name}.ts'

const limits = { degradedAbove: 70, unhealthyAbove: 90 }
const at = (measure: ${pascal}Options['measure']) => ${camel}({ ...limits, measure })
const unaborted = new AbortController().signal

const never = (signal: AbortSignal) =>
  new Promise<number>((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true })
  })

describe('the ${title} check', () => {
  for (const { name, run } of contractCases({
    healthy: () => ({ check: at(() => 70) }),
    failing: () => ({ check: at(() => 91) }),
    hanging: () => ({ check: at(never) }),
  })) {
    it(name, run)
  }

  it.each([
    [70, 'healthy'],
    [71, 'degraded'],
    [90, 'degraded'],
    [91, 'unhealthy'],
  ])('at %d says %s', async (value, status) => {
    expect(await at(() => value)(unaborted)).toMatchObject({ status, data: { value } })
  })
})
`,
    },
  ],
}

/** @type {Scaffold} */
const prober = {
  map: 'src/monitor/probing/probers/index.ts',
  register: (source, names) => addToMap(source, 'probers', names, `./${names.name}.ts`),
  next: ({ name }) => [
    `speak the protocol in src/monitor/probing/probers/${name}.ts; bound every read, and decide what is explicit and what is misconfigured`,
    `extend ${name}.test.ts by what a hostile peer would send: nothing, garbage, no end`,
    'npm run generate: the configuration schema knows the new kind then',
  ],
  files: ({ name, title }) => [
    {
      path: `src/monitor/probing/probers/${name}.ts`,
      text: `import { connect } from 'node:net'
import * as z from 'zod'
import type { Prober } from '../../model/index.ts'
import { converse, type Conversation } from './conversation.ts'

export const kind = '${name}'

/** host (default 127.0.0.1) · port */
export const schema = z.strictObject({
  host: z.string().min(1).max(253).default('127.0.0.1'),
  port: z.number().int().min(1).max(65_535),
})

const maxAnswer = 1_024

/** Asks for a ${title} answer over TCP. */
export async function create(): Promise<Prober> {
  return {
    kind,
    async probe(options, limits) {
      const parsed = schema.safeParse(options)
      if (!parsed.success) return { class: 'void', reason: 'the ${name} prober got options it does not understand' }
      const { host, port } = parsed.data
      return await converse(() => connect({ host, port }), ask(), limits)
    },
  }
}

/** One question and one line as its answer. */
function ask(): Conversation {
  let answer = ''
  return {
    connectEvent: 'connect',
    begin(socket) {
      socket.write('PING\\r\\n')
      return null
    },
    data(chunk) {
      answer += chunk.toString('latin1')
      if (answer.startsWith('PONG\\r\\n')) return { class: 'ok', report: null }
      if (answer.length > maxAnswer) return { class: 'explicit', reason: 'the answer has no end', report: null }
      return answer.includes('\\n') ? { class: 'explicit', reason: 'the answer is not PONG', report: null } : null
    },
    end: () => ({ class: 'explicit', reason: 'closed before an answer', report: null }),
  }
}
`,
    },
    {
      path: `src/monitor/probing/probers/${name}.test.ts`,
      text: `import { once } from 'node:events'
import { createServer, type AddressInfo, type Socket } from 'node:net'
import { describe, expect, it } from 'vitest'
import { create, kind, schema } from './${name}.ts'

async function probe(answer: (socket: Socket) => void, timeoutMs = 10_000) {
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket.on('error', () => {}))
    answer(socket)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  try {
    return await (await create()).probe({ port }, { timeoutMs, signal: new AbortController().signal })
  } finally {
    for (const socket of sockets) socket.destroy()
    server.close()
  }
}

describe(\`the \${kind} prober\`, () => {
  it('is content with the right answer', async () => {
    expect(await probe((socket) => socket.write('PONG\\r\\n'))).toMatchObject({ class: 'ok' })
  })

  it('takes another answer, no end and a closed connection as explicit', async () => {
    expect(await probe((socket) => socket.write('GO AWAY\\r\\n'))).toMatchObject({ class: 'explicit' })
    expect(await probe((socket) => socket.write('x'.repeat(5_000)))).toMatchObject({ class: 'explicit' })
    expect(await probe((socket) => socket.end())).toMatchObject({ class: 'explicit' })
  })

  it('calls it silence when nothing comes in time', async () => {
    expect(await probe(() => {}, 300)).toMatchObject({ class: 'silence' })
  })

  it('refuses an option that it does not know', () => {
    expect(schema.safeParse({ port: 1, prot: 1 }).success).toBe(false)
  })
})
`,
    },
  ],
}

/** @type {Scaffold} */
const runtime = {
  map: 'src/monitor/runtimes/index.ts',
  register: (source, names) => addToMap(source, 'runtimes', names, `./${names.name}/index.ts`),
  next: ({ name }) => [
    `implement Runtime (src/monitor/model/runtime.ts) behind create() in src/monitor/runtimes/${name}/index.ts`,
    `bring a fixture and name it in src/monitor/runtimes/contract.test.ts: until then the types and the contract fail, as they should`,
    'npm run generate: the configuration schema knows the new kind then',
  ],
  files: ({ name }) => [
    {
      path: `src/monitor/runtimes/${name}/index.ts`,
      text: `import { MedykError } from '@medyk/health/internal'
import { z } from 'zod'
import type { Runtime } from '../../model/index.ts'
import type { RuntimeContext } from '../plugin.ts'

export const kind = '${name}'

/** \`runtimeOptions\` of a service under this runtime. */
export const schema = z.strictObject({
  name: z.string().min(1).max(253).describe('What the runtime calls the service.'),
})

/** Rejects with ERR_RUNTIME when this machine cannot carry it. */
export async function create(_context: RuntimeContext): Promise<Runtime> {
  throw new MedykError('ERR_RUNTIME', 'the ${name} runtime cannot run anything yet', {
    hint: 'implement Runtime of src/monitor/model/runtime.ts',
  })
}
`,
    },
    {
      path: `src/monitor/runtimes/${name}/index.test.ts`,
      text: `import { expect, it } from 'vitest'
import { kind, schema } from './index.ts'

it('has the name of its folder as its kind', () => {
  expect(import.meta.dirname.endsWith(\`/\${kind}\`)).toBe(true)
})

it('refuses an option that it does not know', () => {
  expect(schema.safeParse({ name: 'x' }).success).toBe(true)
  expect(schema.safeParse({ name: 'x', nmae: 'y' }).success).toBe(false)
})
`,
    },
  ],
}

export const scaffolds = { check, prober, runtime }
