/** Words of a command line, sorted. */
export interface Parsed {
  readonly operands: readonly string[]
  /** By name without dashes; the last value, or true for one without. */
  readonly options: ReadonlyMap<string, string | true>
  /** Every value of a repeatable option. */
  readonly all: (name: string) => readonly string[]
}

/**
 * `words` without the program, in the usual grammar: `-abc`, `-o value`, `-ovalue`, `--name value`, `--name=value`.
 * `valued` names the options that take a value; long names of Go's kind (`-addr=x`) are those with a single dash in
 * `single`.
 */
export function parseOptions(words: readonly string[], valued: ReadonlySet<string>, single?: 'single'): Parsed {
  const operands: string[] = []
  const found: [string, string | true][] = []
  for (let i = 0; i < words.length; i++) {
    const word = words[i] ?? ''
    if (word === '--') {
      operands.push(...words.slice(i + 1))
      break
    }
    if (word === '-' || !word.startsWith('-')) {
      operands.push(word)
    } else if (word.startsWith('--') || single) {
      const [name = '', ...value] = word.replace(/^--?/, '').split('=')
      if (value.length > 0) found.push([name, value.join('=')])
      else found.push([name, valued.has(name) ? (words[++i] ?? '') : true])
    } else {
      for (let at = 1; at < word.length; at++) {
        const name = word[at] ?? ''
        if (!valued.has(name)) found.push([name, true])
        else {
          found.push([name, word.slice(at + 1) || (words[++i] ?? '')])
          break
        }
      }
    }
  }
  return {
    operands,
    options: new Map(found),
    all: (name) => found.flatMap(([key, value]) => (key === name && value !== true ? [value] : [])),
  }
}
