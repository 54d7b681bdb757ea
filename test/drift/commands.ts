/** The code of a Markdown text: lines of fenced blocks that a shell could run, and inline spans. */
export function codeOf(markdown: string): readonly string[] {
  const code: string[] = []
  let fence: string | null = null
  for (const line of markdown.split('\n')) {
    const mark = /^\s*(```+|~~~+)\s*([\w-]*)/.exec(line)
    if (mark) fence = fence === null ? (mark[2] ?? '') : null
    else if (fence !== null && /^(|sh|bash|shell|console)$/.test(fence)) code.push(line.trim().replace(/^\$ /, ''))
    else if (fence === null) code.push(...Array.from(line.matchAll(/`([^`]+)`/g), (span) => span[1] ?? ''))
  }
  return code
}

const namesIn = (code: readonly string[], pattern: RegExp): readonly string[] => [
  ...new Set(code.flatMap((line) => Array.from(line.matchAll(pattern), (match) => match[1] ?? ''))),
]

/** Scripts of package.json that the code runs: `npm run x`, `npm start`, `npm test`. Placeholders are left out. */
export function npmScripts(code: readonly string[]): readonly string[] {
  return [
    ...namesIn(code, /\bnpm run (?:-s |--silent )?([a-z][\w:-]*)(?![\w:<-])/g).filter((name) => !name.endsWith(':')),
    ...namesIn(code, /\bnpm (start|test)\b/g),
  ]
}

/** Commands of the CLI that the code runs: the word after `medyk` where a command line begins. */
export const cliCommands = (code: readonly string[]): readonly string[] =>
  namesIn(code, /(?:^|[;&|(]\s*|\b(?:npx|watch|sudo) )medyk ([a-z][a-z-]*)/g)

/** Commands that `medyk --help` lists. */
export function commandsOfHelp(help: string): readonly string[] {
  const list = (help.split(/^Commands:$/m)[1] ?? '').trimStart().split('\n\n')[0] ?? ''
  return Array.from(list.matchAll(/^ {0,2}([a-z][\w-]*)(?:\|([a-z]\w*))?/gm), (match) => match.slice(1))
    .flat()
    .filter(Boolean)
}
