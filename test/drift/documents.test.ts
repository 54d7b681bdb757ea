import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { cliCommands, codeOf, commandsOfHelp, npmScripts } from './commands.ts'
import { documents, read, root } from './repository.ts'

const scripts = (JSON.parse(read('package.json')) as { scripts: Record<string, string> }).scripts
const cli = 'src/monitor/bin/medyk.mjs'
const hasCli = existsSync(join(root, cli))
if (!hasCli) console.warn(`SKIPPED: ${cli} does not exist, so nobody checks the medyk commands that the documents name`)

describe('the documents', () => {
  it('name only npm scripts that exist', () => {
    const wrong = documents().flatMap((path) =>
      npmScripts(codeOf(read(path)))
        .filter((name) => !(name in scripts))
        .map((name) => `${path}: npm run ${name}`),
    )
    expect(wrong).toEqual([])
  })

  it.skipIf(!hasCli)(
    'name only commands that the CLI has',
    () => {
      const help = execFileSync(process.execPath, ['--conditions=medyk-source', cli, '--help'], {
        cwd: root,
        encoding: 'utf8',
      })
      const commands = commandsOfHelp(help)
      expect(commands.length).toBeGreaterThan(0)
      const wrong = documents().flatMap((path) =>
        cliCommands(codeOf(read(path)))
          .filter((name) => !commands.includes(name))
          .map((name) => `${path}: medyk ${name}`),
      )
      expect(wrong).toEqual([])
    },
    60_000,
  )

  it('link only to files that exist', () => {
    const wrong = documents().flatMap((path) =>
      Array.from(read(path).matchAll(/\]\((?!https?:|mailto:|#)([^)#\s]+)/g), (link) => link[1] ?? '')
        .filter((link) => !existsSync(join(root, dirname(path), decodeURI(link))))
        .map((link) => `${path}: ${link}`),
    )
    expect(wrong).toEqual([])
  })
})

describe('package.json', () => {
  it('has only scripts whose file exists', () => {
    const files = Object.entries(scripts).flatMap(([name, command]) =>
      Array.from(command.matchAll(/\bnode (\S+\.mjs)/g), (match) => ({ name, file: match[1] ?? '' })),
    )
    expect(files.length).toBeGreaterThan(5)
    expect(files.filter(({ file }) => !existsSync(join(root, file)))).toEqual([])
  })
})

describe('reading commands out of Markdown', () => {
  const text = [
    'Run `npm run doctor`, then `npx medyk status --json`; the medyk daemon is prose and npm run nothing too.',
    '```sh',
    '$ npm start',
    'npm run new -- check disk   # a comment',
    'cd x && medyk replay trace.jsonl',
    '```',
    '```ts',
    "import { x } from 'medyk'",
    '```',
    '`npm run bench:<name>` is a placeholder; `medyk` alone is a name.',
  ].join('\n')

  it('finds scripts and commands in code, and in code only', () => {
    expect(npmScripts(codeOf(text))).toEqual(['doctor', 'new', 'start'])
    expect(cliCommands(codeOf(text))).toEqual(['status', 'replay'])
  })

  it('reads the list of commands in a help text', () => {
    const help =
      'Usage: medyk\n\nOptions:\n  -h, --help  help\n\nCommands:\n  run [options]  run it\n  status|s       show\n\nMore:\n  x  y\n'
    expect(commandsOfHelp(help)).toEqual(['run', 'status', 's'])
  })
})
