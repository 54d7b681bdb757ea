import { parseAst } from 'vite'

export interface Import {
  /** null: computed at run time. */
  readonly specifier: string | null
  readonly line: number
  /** Gone after compiling. `import { type A }` is not: under verbatimModuleSyntax it still loads the module. */
  readonly typeOnly: boolean
  /** Imported names; null: all of them (namespace, re-export of all, dynamic import). */
  readonly names: readonly string[] | null
}

type Node = { readonly type: string; readonly start: number } & Record<string, unknown>

const isNode = (value: unknown): value is Node =>
  typeof value === 'object' && value !== null && typeof (value as Node).type === 'string'

/** Everything that `source` takes from another file or package, read from its syntax tree. */
export function readImports(path: string, source: string): readonly Import[] {
  const lang = path.endsWith('.tsx') ? 'tsx' : path.endsWith('.ts') ? 'ts' : 'js'
  const found: Import[] = []
  const visit = (value: unknown): void => {
    if (Array.isArray(value)) return value.forEach(visit)
    if (!isNode(value)) return
    const line = () => source.slice(0, value.start).split('\n').length
    if (value.type === 'ImportExpression') {
      for (const specifier of textsOf(value['source'])) found.push({ ...dynamic(specifier), line: line() })
    }
    const taken = importOf(value)
    if (taken) found.push({ ...taken, line: line() })
    Object.values(value).forEach(visit)
  }
  visit(parseAst(source, { lang }))
  return found
}

function importOf(node: Node): Omit<Import, 'line'> | null {
  switch (node.type) {
    case 'ImportDeclaration':
      return {
        specifier: text(node['source']),
        typeOnly: node['importKind'] === 'type',
        names: namesOf(node, 'imported'),
      }
    case 'ExportNamedDeclaration':
      if (!node['source']) return null
      return { specifier: text(node['source']), typeOnly: node['exportKind'] === 'type', names: namesOf(node, 'local') }
    case 'ExportAllDeclaration':
      return { specifier: text(node['source']), typeOnly: node['exportKind'] === 'type', names: null }
    case 'TSImportType':
      return { specifier: text(node['source']), typeOnly: true, names: null }
    case 'CallExpression':
      return isMetaResolve(node['callee']) ? dynamic(firstText(node)) : null
    case 'NewExpression':
      return urlOfModule(node)
    default:
      return null
  }
}

const text = (value: unknown): string | null =>
  isNode(value) && value.type === 'Literal' && typeof value['value'] === 'string' ? value['value'] : null

const dynamic = (specifier: string | null) => ({ specifier, typeOnly: false, names: null })

/** `import(flag ? './a.ts' : './b.ts')` takes from either. */
function textsOf(value: unknown): readonly (string | null)[] {
  if (!isNode(value) || value.type !== 'ConditionalExpression') return [text(value)]
  return [...textsOf(value['consequent']), ...textsOf(value['alternate'])]
}

const firstText = (call: Node): string | null => text((call['arguments'] as readonly unknown[])[0])

function namesOf(node: Node, side: 'imported' | 'local'): readonly string[] | null {
  const specifiers = node['specifiers'] as readonly Node[]
  if (specifiers.some((one) => one.type === 'ImportNamespaceSpecifier')) return null
  return specifiers.map((one) => {
    const name = one[side] as Node | undefined
    return name ? String(name['name'] ?? name['value']) : 'default'
  })
}

const isImportMeta = (value: unknown): boolean =>
  isNode(value) && value.type === 'MetaProperty' && (value['meta'] as Node)['name'] === 'import'

const isMemberOfMeta = (value: unknown, property: string): boolean =>
  isNode(value) &&
  value.type === 'MemberExpression' &&
  isImportMeta(value['object']) &&
  (value['property'] as Node)['name'] === property

const isMetaResolve = (callee: unknown): boolean => isMemberOfMeta(callee, 'resolve')

/** `new URL('./worker.ts', import.meta.url)`: how workers and children are named. Data files are nobody's import. */
function urlOfModule(node: Node): Omit<Import, 'line'> | null {
  const [, base] = node['arguments'] as readonly unknown[]
  if ((node['callee'] as Node)['name'] !== 'URL' || !isMemberOfMeta(base, 'url')) return null
  const file = firstText(node)
  const specifier = file?.startsWith('.') ? file : `./${file}`
  return file && /\.[cm]?[jt]sx?$/.test(file) ? dynamic(specifier) : null
}
