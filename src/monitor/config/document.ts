import { isAlias, isMap, isScalar, isSeq, parseDocument, type Document, type Node } from 'yaml'
import { quote, type Problem } from './problem.ts'

export type Path = readonly PropertyKey[]

/** A parsed YAML text: its plain value, where each part of it stands, and what is wrong with it as YAML. */
export interface ParsedDocument {
  /** undefined when the text is no YAML at all. */
  readonly value: unknown
  readonly problems: readonly Problem[]
  /** Place of the value at `path`, or of the key that leads to it; of the nearest thing above it if it is absent. */
  problemAt(path: Path, message: string, what?: 'key' | 'value'): Problem
}

/** Deeper than any config needs, far from the end of the stack. */
const MAX_DEPTH = 32
/** Aliases multiply: at most this many values may come from them. What stands there itself is bounded by the file's size. */
const MAX_ALIASED = 20_000

interface Place {
  readonly key: number
  readonly value: number
  readonly children: Map<PropertyKey, Place>
}

export function parseYaml(text: string, file: string): ParsedDocument {
  const placeOf = placer(text)
  // uniqueKeys off: our own walk names both places of a duplicate.
  const doc = parseDocument(text, { uniqueKeys: false, prettyErrors: false, logLevel: 'error' })
  const at = (offset: number, message: string): Problem => {
    return { file, at: placeOf(offset), message }
  }
  const problems = [...doc.errors, ...doc.warnings].map((e) => at(e.pos[0], syntaxMessage(e.code, e.message)))
  if (problems.length === 0 && doc.contents === null) problems.push(at(0, 'the file is empty; expected version: 1'))
  // What the parser guessed of a broken text is not worth judging: it would bury the one real problem.
  if (doc.errors.length > 0 || doc.contents === null) {
    return { value: undefined, problems, problemAt: (_path, message) => at(0, message) }
  }

  const root: Place = { key: 0, value: doc.contents?.range?.[0] ?? 0, children: new Map() }
  const walk = new Walk(doc, (offset, message) => problems.push(at(offset, message)), placeOf)
  const value = walk.plain(doc.contents, root, 0)
  return {
    value: walk.exhausted ? undefined : value,
    problems,
    problemAt(path, message, what = 'value') {
      let place = root
      for (const [i, step] of path.entries()) {
        const next = place.children.get(typeof step === 'number' ? step : String(step))
        // Something required is missing: point at the key of the map that lacks it, which is what a reader looks for.
        if (next === undefined) return at(i === 0 ? place.value : place.key, message)
        place = next
      }
      return at(what === 'key' ? place.key : place.value, message)
    },
  }
}

/** Turns nodes into plain values. Not the parser's own `toJS`: this one is bounded, collects places and goes on after a problem. */
class Walk {
  readonly #doc: Document
  readonly #report: (offset: number, message: string) => void
  readonly #placeOf: Placer
  readonly #open = new Set<Node>()
  #aliased = 0

  constructor(doc: Document, report: (offset: number, message: string) => void, placeOf: Placer) {
    this.#doc = doc
    this.#report = report
    this.#placeOf = placeOf
  }

  get exhausted(): boolean {
    return this.#aliased > MAX_ALIASED
  }

  plain(node: unknown, place: Place, depth: number): unknown {
    if (this.exhausted) return null
    if (this.#open.size > 0 && ++this.#aliased > MAX_ALIASED) {
      this.#report(place.value, `aliases make this grow past ${MAX_ALIASED} values; write it out`)
      return null
    }
    if (depth > MAX_DEPTH) {
      this.#report(place.value, `nested deeper than ${MAX_DEPTH} levels`)
      return null
    }
    if (isAlias(node)) return this.#alias(node, place, depth)
    if (isMap(node)) return this.#map(node.items, place, depth)
    if (isSeq(node)) {
      return node.items.map((item, i) =>
        this.plain(item, this.#child(place, i, offsetOf(item) ?? place.value), depth + 1),
      )
    }
    return isScalar(node) ? this.#scalar(node.value, place) : null
  }

  #alias(node: Node & { resolve: (doc: Document) => Node | undefined; source: string }, place: Place, depth: number) {
    const target = node.resolve(this.#doc)
    if (target === undefined) {
      this.#report(place.value, `there is no anchor &${node.source} above this alias`)
      return null
    }
    if (this.#open.has(target)) {
      this.#report(place.value, `the alias *${node.source} stands inside its own anchor`)
      return null
    }
    this.#open.add(target)
    const value = this.plain(target, place, depth + 1)
    this.#open.delete(target)
    return value
  }

  #map(items: readonly { key: unknown; value: unknown }[], place: Place, depth: number): unknown {
    const entries = new Map<string, unknown>()
    for (const { key, value } of items) {
      const keyAt = offsetOf(key) ?? place.value
      const name = nameOfKey(key)
      if (name === null) {
        this.#report(keyAt, 'a key must be plain text')
        continue
      }
      // Schema libraries drop this key in silence, as a guard; nothing in a config may be dropped in silence.
      if (name === '__proto__') {
        this.#report(keyAt, 'a key must not be called __proto__')
        continue
      }
      const before = place.children.get(name)
      if (before !== undefined) {
        this.#report(keyAt, `duplicate key ${quote(name)}; it stands in line ${this.#placeOf(before.key).line} already`)
        continue
      }
      entries.set(name, this.plain(value, this.#child(place, name, offsetOf(value) ?? keyAt, keyAt), depth + 1))
    }
    return Object.fromEntries(entries)
  }

  #scalar(value: unknown, place: Place): unknown {
    if (typeof value === 'string' && value.includes('\0'))
      this.#report(place.value, 'the text contains a NUL character')
    if (value === null || ['string', 'number', 'boolean'].includes(typeof value)) return value
    this.#report(place.value, 'only text, numbers, true, false, lists and maps are allowed here')
    return null
  }

  #child(parent: Place, step: PropertyKey, value: number, key = value): Place {
    const place: Place = { key, value, children: new Map() }
    parent.children.set(step, place)
    return place
  }
}

type Placer = (offset: number) => { line: number; column: number }

/** Our own: the parser's LineCounter loses count in unclosed quotes, and a wrong place is worse than none. */
function placer(text: string): Placer {
  const starts = [0]
  for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) starts.push(at + 1)
  return (offset) => {
    const at = Math.min(Math.max(0, offset), text.length)
    let [low, high] = [0, starts.length - 1]
    while (low < high) {
      const middle = (low + high + 1) >> 1
      if ((starts[middle] ?? 0) <= at) low = middle
      else high = middle - 1
    }
    return { line: low + 1, column: at - (starts[low] ?? 0) + 1 }
  }
}

function nameOfKey(key: unknown): string | null {
  const value = isScalar(key) ? key.value : null
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? String(value) : null
}

function offsetOf(node: unknown): number | undefined {
  return (node as { range?: readonly number[] | null } | null | undefined)?.range?.[0]
}

function syntaxMessage(code: string, message: string): string {
  if (code === 'MULTIPLE_DOCS') return 'a second document begins here; expected one document per file'
  if (code === 'RESOURCE_EXHAUSTION') return `nested deeper than ${MAX_DEPTH} levels`
  // The parser quotes the text as it stands, line ends included.
  const line = message.replace(/\s+/g, ' ').trim()
  return `not valid YAML: ${line.charAt(0).toLowerCase()}${line.slice(1)}`
}
