import { MedykError, printable } from '@medyk/health/internal'

/** One thing that is wrong with a config. `at` is null when it concerns the file as a whole. */
export interface Problem {
  readonly file: string
  /** Counted from 1; columns in UTF-16 units. */
  readonly at: { readonly line: number; readonly column: number } | null
  /** What is wrong and what was expected, one printable line. */
  readonly message: string
}

/** Past this many, problems are only counted: a file of garbage must not become a message of megabytes. */
const MAX_LISTED = 200

/** Code `ERR_CONFIG`. The message is one line per problem, `file:line:column: …`, in the order of their places. */
export class ConfigError extends MedykError {
  readonly problems: readonly Problem[]

  constructor(problems: readonly Problem[], options: { hint?: string; cause?: unknown } = {}) {
    const sorted = sortProblems(problems)
    const lines = sorted.slice(0, MAX_LISTED).map(formatProblem)
    if (sorted.length > MAX_LISTED) lines.push(`… and ${sorted.length - MAX_LISTED} more problems`)
    super('ERR_CONFIG', lines.join('\n'), {
      hint: 'correct the places named; until then nothing of this configuration is used',
      ...options,
    })
    this.problems = sorted
  }
}

export function formatProblem({ file, at, message }: Problem): string {
  return at === null ? `${file}: ${message}` : `${file}:${at.line}:${at.column}: ${message}`
}

function sortProblems(problems: readonly Problem[]): readonly Problem[] {
  const unique = new Map(problems.map((problem) => [formatProblem(problem), problem]))
  const rank = ({ at }: Problem) => at ?? { line: 0, column: 0 }
  return [...unique.values()].sort((a, b) => rank(a).line - rank(b).line || rank(a).column - rank(b).column)
}

/** `value` as a reader of the config would recognise it: short, printable, without secrets. */
export function quote(value: unknown): string {
  return `"${printable(String(value), 60)}"`
}

/** The candidate that `word` was most likely meant to be; undefined when none is near. */
export function nearest(word: string, candidates: Iterable<string>): string | undefined {
  // A name longer than any of ours cannot be near one, and the distance costs the product of both lengths.
  if (word.length > 80) return undefined
  const plain = (text: string) => text.toLowerCase().replaceAll(/[-_ ]/g, '')
  const limit = Math.max(1, Math.floor(word.length / 3))
  let best: { name: string; distance: number } | undefined
  for (const name of candidates) {
    if (Math.abs(name.length - word.length) > limit + 2) continue
    const distance = plain(name) === plain(word) ? 0 : editDistance(plain(word), plain(name))
    if (distance <= limit && distance < (best?.distance ?? Infinity)) best = { name, distance }
  }
  return best?.name
}

/** Optimal string alignment: a transposition, the commonest slip of the fingers, counts once. */
function editDistance(a: string, b: string): number {
  let beforeLast: number[] = []
  let last = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    for (let j = 1; j <= b.length; j++) {
      const cost = a[i - 1] === b[j - 1] ? 0 : 1
      let value = Math.min((last[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, (last[j - 1] ?? 0) + cost)
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        value = Math.min(value, (beforeLast[j - 2] ?? 0) + 1)
      }
      row.push(value)
    }
    beforeLast = last
    last = row
  }
  return last[b.length] ?? 0
}
