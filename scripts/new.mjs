// npm run new -- check|prober|runtime|notifier NAME: begins a plug-in: its file, a test that passes, its line in the map.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { Script } from 'node:vm'
import { at, bin } from './lib/paths.mjs'
import { run } from './lib/run.mjs'
import { namesOf, scaffolds } from './lib/scaffolds.mjs'

const NAME = /^[a-z][a-z0-9]*(-[a-z0-9]+)*$/
const usage = `Use: npm run new -- ${[...Object.keys(scaffolds), 'notifier'].join('|')} NAME   (for example: npm run new -- check disk-space)`

class Refusal extends Error {}

/** Asking the parser beats keeping a list. */
function isReserved(word) {
  try {
    return !new Script(`'use strict'; const ${word} = 0`)
  } catch {
    return true
  }
}

function whatIsAsked([kind, name, ...rest]) {
  if (kind === 'notifier') {
    throw new Refusal(
      'Notifiers come with alerting, which is not built yet: src/monitor/alerting is empty and has no port to implement.',
    )
  }
  if (!Object.hasOwn(scaffolds, kind ?? ''))
    throw new Refusal(`${kind ? `"${kind}" is no kind of plug-in.` : 'What is to be begun?'} ${usage}`)
  if (name === undefined || rest.length > 0) throw new Refusal(`One name is needed. ${usage}`)
  if (!NAME.test(name) || name.length > 40 || name === 'index') {
    throw new Refusal(
      `"${name}" cannot be a name: lower-case words joined by hyphens, at most 40 characters, not "index".`,
    )
  }
  const names = namesOf(name)
  if (isReserved(names.camel)) {
    throw new Refusal(`"${name}" cannot be a name: ${names.camel} is a reserved word of JavaScript.`)
  }
  return { scaffold: scaffolds[kind], names }
}

/** Everything is worked out before anything is written: nothing is left half done. */
function plan({ scaffold, names }) {
  const files = scaffold.files(names)
  const there = files.find(({ path }) => existsSync(at(path)))
  if (there) throw new Refusal(`${there.path} exists already; nothing was changed.`)
  const source = readFileSync(at(scaffold.map), 'utf8')
  const registered = scaffold.register(source, names)
  if (registered === null || registered === source) {
    throw new Refusal(
      `${scaffold.map} no longer looks as scripts/lib/scaffolds.mjs expects; nothing was changed. Mend that script.`,
    )
  }
  return [...files, { path: scaffold.map, text: registered }]
}

try {
  const asked = whatIsAsked(process.argv.slice(2))
  const files = plan(asked)
  for (const { path, text } of files) {
    mkdirSync(dirname(at(path)), { recursive: true })
    writeFileSync(at(path), text)
  }
  await run(bin('oxfmt', '--write', ...files.map(({ path }) => path)))
  for (const { path } of files.slice(0, -1)) console.log(`✓ written ${path}`)
  console.log(`✓ named in ${files.at(-1).path}`)
  console.log(`\nIts test: npx vitest run --project unit ${files[1].path}\nWhat is left:`)
  for (const step of asked.scaffold.next(asked.names)) console.log(`  - ${step}`)
} catch (error) {
  if (!(error instanceof Refusal)) throw error
  console.error(error.message)
  process.exitCode = 1
}
