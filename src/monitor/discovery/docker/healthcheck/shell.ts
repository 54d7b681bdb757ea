/** Stands for what only the container knows: the value of a variable that names no port. No text of a command holds it. */
export const unknown = '\0'

export type Joiner = '' | '&&' | '||' | '|' | ';'

export interface SimpleCommand {
  /** What stands before it. */
  readonly joiner: Joiner
  readonly words: readonly string[]
}

const operators = ['&&', '||', ';', '|', '\n'] as const
const maxLength = 4_096

/**
 * The simple commands of a line of shell, in order; null where it holds more than those: substitutions, loops,
 * conditions, subshells. Redirections are left out. Variables are looked up among `ports`.
 */
export function parseShell(text: string, ports: Readonly<Record<string, number>>): readonly SimpleCommand[] | null {
  if (text.length > maxLength || text.includes(unknown)) return null
  const source = text.replace(/\$\(hostname(?: -[a-zA-Z])?\)|`hostname(?: -[a-zA-Z])?`/g, 'localhost').trim()
  const reader = new Reader(source, ports)
  return reader.read()
}

class Reader {
  readonly #text: string
  readonly #ports: Readonly<Record<string, number>>
  #at = 0

  constructor(text: string, ports: Readonly<Record<string, number>>) {
    this.#text = text
    this.#ports = ports
  }

  read(): readonly SimpleCommand[] | null {
    const commands: SimpleCommand[] = []
    let joiner: Joiner = ''
    let words: string[] = []
    const end = (next: Joiner): boolean => {
      if (words.length === 0 && next !== ';') return false
      if (words.length > 0) commands.push({ joiner, words })
      words = []
      joiner = next
      return true
    }
    while (this.#at < this.#text.length) {
      this.#skip(/[ \t]|\\\n/y)
      const operator = operators.find((one) => this.#text.startsWith(one, this.#at))
      if (operator !== undefined) {
        this.#at += operator.length
        if (!end(operator === '\n' ? ';' : operator)) return null
        this.#skip(/\s|\\\n/y)
        continue
      }
      if (this.#skip(/\d?>>?(?:&\d|\s*\S+)|&>>?\s*\S+|\d?<(?![<(])\s*\S+/y)) continue
      if (this.#at >= this.#text.length) break
      const word = this.#word()
      if (word === null || (words.length === 0 && isGrammar.test(word))) return null
      // VAR=value before a command.
      if (words.length > 0 || !/^[A-Za-z_]\w*=/.test(word)) words.push(word)
    }
    if (words.length > 0) commands.push({ joiner, words })
    else if (joiner !== '' && joiner !== ';') return null
    return commands.length > 0 ? commands : null
  }

  #skip(pattern: RegExp): boolean {
    const from = this.#at
    for (;;) {
      pattern.lastIndex = this.#at
      const length = pattern.exec(this.#text)?.[0].length ?? 0
      if (length === 0) return this.#at > from
      this.#at += length
    }
  }

  #word(): string | null {
    let word = ''
    while (this.#at < this.#text.length) {
      const char = this.#text[this.#at] ?? ''
      if (/[\s;|]/.test(char)) break
      if (/[()`<>&]/.test(char)) return char === '&' && this.#text[this.#at + 1] === '&' ? word : null
      const piece = char === "'" ? this.#single() : char === '"' ? this.#double() : this.#plain(char)
      if (piece === null) return null
      word += piece
    }
    return word
  }

  #single(): string | null {
    const close = this.#text.indexOf("'", this.#at + 1)
    if (close < 0) return null
    const inside = this.#text.slice(this.#at + 1, close)
    this.#at = close + 1
    return inside
  }

  #double(): string | null {
    this.#at++
    let inside = ''
    while (this.#at < this.#text.length) {
      const char = this.#text[this.#at] ?? ''
      if (char === '"') {
        this.#at++
        return inside
      }
      if (char === '`') return null
      if (char === '\\' && /["\\$`]/.test(this.#text[this.#at + 1] ?? '')) {
        inside += this.#text[this.#at + 1]
        this.#at += 2
        continue
      }
      const piece = char === '$' ? this.#variable() : this.#take(1)
      if (piece === null) return null
      inside += piece
    }
    return null
  }

  #plain(char: string): string | null {
    if (char === '$') return this.#variable()
    if (char !== '\\') return this.#take(1)
    this.#at++
    return this.#take(1)
  }

  #take(length: number): string {
    this.#at += length
    return this.#text.slice(this.#at - length, this.#at)
  }

  /** `$PORT`, `${PORT}`, `${PORT:-8080}`; null for what would run something. */
  #variable(): string | null {
    const pattern = /\$(?:([A-Za-z_]\w*)|\{([A-Za-z_]\w*)(?::?-([^{}$`"'\\]*))?\})/y
    pattern.lastIndex = this.#at
    const found = pattern.exec(this.#text)
    if (!found) {
      if (this.#text[this.#at + 1] === '(' || this.#text[this.#at + 1] === '{') return null
      return this.#take(1)
    }
    this.#at += found[0].length
    return valueOf(found[1] ?? found[2] ?? '', found[3], this.#ports)
  }
}

const isGrammar = /^(?:if|then|else|elif|fi|for|while|until|do|done|case|esac|select|function|\{|\}|!|\[|\[\[|test)$/

/** What a variable stands for, as far as it can be known from outside. */
export function valueOf(name: string, standard: string | undefined, ports: Readonly<Record<string, number>>): string {
  if (name === 'HOSTNAME') return 'localhost'
  return Object.hasOwn(ports, name) ? String(ports[name]) : (standard ?? unknown)
}
