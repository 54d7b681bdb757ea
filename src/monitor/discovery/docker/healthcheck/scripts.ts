import { tcpDraft } from '../draft.ts'
import { portOf, probes, verdict, type Context, type Reading } from './reading.ts'
import { unknown, valueOf } from './shell.ts'
import { readUrl } from './url.ts'

const quoted = String.raw`[bfru]{0,2}(["'\x60])([^"'\x60]{1,2048})`
const maxCode = 4_096

/** Ways to say `the value of this variable, or else that` inside a text. */
const inText = [
  /\$\{\s{0,4}process\.env\.([A-Za-z_]\w{0,100})(?:\s{0,4}(?:\|\||\?\?)\s{0,4}["']?(\d{1,5})["']?)?\s{0,4}\}/g,
  /\{\s{0,4}os\.(?:environ\.get|getenv)\(\s{0,4}["']([A-Za-z_]\w{0,100})["'](?:\s{0,4},\s{0,4}["']?(\d{1,5})["']?)?\s{0,4}\)\s{0,4}\}/g,
  /\{\s{0,4}os\.environ\[["']([A-Za-z_]\w{0,100})["']\]()\s{0,4}\}/g,
]

function resolved(code: string, { ports }: Context): string {
  return inText.reduce(
    (text, pattern) =>
      text.replace(pattern, (_, name: string, standard: string | undefined) =>
        valueOf(name, standard || undefined, ports),
      ),
    code,
  )
}

/** `python -c`: urllib, requests, httpx, http.client, socket. */
export function readPython(words: readonly string[], context: Context): Reading {
  const code = codeAfter(words, ['-c'], context)
  if (code === null) return verdict('it runs a script of its own')
  const url = only(
    code,
    new RegExp(String.raw`\b(urlopen|requests\.get|requests\.head|httpx\.get|urlretrieve)\(\s*${quoted}`, 'g'),
  )
  if (url) {
    const strict = url[1] === 'urlopen' || url[1] === 'urlretrieve' || /raise_for_status|status_code|\.ok\b/.test(code)
    return readUrl({ url: url[3] ?? '', headers: {}, strict, expect: {} }, context)
  }
  const connection = only(
    code,
    new RegExp(String.raw`\b(HTTPConnection)\(\s*${quoted}\2(?:\s*,\s*(?:port\s*=\s*)?(\d{1,5}))?`, 'g'),
  )
  if (connection) return readConnection(code, connection, context)
  const socket = only(
    code,
    new RegExp(String.raw`\b(create_connection|connect|connect_ex)\(\s*\(\s*${quoted}\2\s*,\s*(\d{1,5})`, 'g'),
  )
  if (socket) return readSocket(socket[3] ?? '', socket[4], context)
  return verdict('its program was not understood')
}

function readConnection(code: string, found: RegExpExecArray, context: Context): Reading {
  const [host = '', inHost] = (found[3] ?? '').split(':')
  const port = found[4] ?? inHost ?? '80'
  const path = only(
    code,
    new RegExp(String.raw`\.request\(\s*["'](?:GET|HEAD)["']\s*,\s*["'](/[^"']{0,1024})["']`, 'g'),
  )
  if (!path) return readSocket(host, port, context)
  const strict = /\.status\b/.test(code)
  return readUrl({ url: `http://${host}:${port}${path[1]}`, headers: {}, strict, expect: {} }, context)
}

function readSocket(host: string, port: string | undefined, context: Context): Reading {
  const number = portOf(port)
  if (number === null) return verdict('its port was not understood')
  return context.isSelf(host) ? probes(tcpDraft(number)) : { kind: 'elsewhere', host }
}

/** `node -e`: http.get, http.request, fetch, with a URL or with options. */
export function readNode(words: readonly string[], context: Context): Reading {
  const code = codeAfter(words, ['-e', '--eval', '-p', '-pe'], context)
  if (code === null) return verdict('it runs a script of its own')
  const strict = /statusCode|\.ok\b|\.status\b/.test(code)
  const url = only(code, new RegExp(String.raw`\b(fetch|https?['")]{0,2}\.(?:get|request))\(\s*${quoted}`, 'g'))
  if (url) return readUrl({ url: url[3] ?? '', headers: {}, strict, expect: {} }, context)
  const options = only(code, /\bhttp['")]{0,2}\.(?:get|request)\(\s*\{([^{}]{1,1024})\}/g)
  if (!options) return verdict('its program was not understood')
  const said = options[1] ?? ''
  const text = (key: string) => new RegExp(String.raw`\b${key}["']?\s*:\s*["'\x60]?([^"'\x60,\s]+)`).exec(said)?.[1]
  const [host, port, path] = [
    text('host') ?? text('hostname') ?? 'localhost',
    text('port') ?? '80',
    text('path') ?? '/',
  ]
  if (portOf(port) === null) return verdict('its port was not understood')
  return readUrl({ url: `http://${host}:${port}${path}`, headers: {}, strict, expect: {} }, context)
}

function codeAfter(words: readonly string[], flags: readonly string[], context: Context): string | null {
  const at = words.findIndex((word) => flags.includes(word))
  const code = at < 0 ? undefined : words[at + 1]
  if (code === undefined || code.length > maxCode || code.includes(unknown)) return null
  return resolved(code, context)
}

/** The only match; null when there is none, or when there are several and one alone would be half the truth. */
function only(code: string, pattern: RegExp): RegExpExecArray | null {
  const [first, second] = [...code.matchAll(pattern)]
  return first !== undefined && second === undefined ? first : null
}
