import { parseOptions } from './options.ts'
import { verdict, type Context, type Reading } from './reading.ts'
import { unknown } from './shell.ts'
import { readUrl, type Asking, type Filter } from './url.ts'

const curlValued = new Set([
  ...'A b c C d D e E F H K m o P Q r t T u U w x X y Y z'.split(' '),
  ...'max-time connect-timeout retry retry-delay retry-max-time header request output user user-agent'.split(' '),
  ...'write-out data data-raw data-binary data-urlencode json form url resolve connect-to cacert cert key'.split(' '),
  ...'proxy unix-socket interface max-redirs limit-rate referer cookie noproxy upload-file expect100-timeout'.split(
    ' ',
  ),
])
/** With these it asks something that a plain GET from outside does not. */
const curlApart = 'd F T u x K b E data data-raw data-binary data-urlencode json form upload-file user proxy config'
const curlElse = 'unix-socket abstract-unix-socket resolve connect-to cookie cert key oauth2-bearer'

export function readCurl(words: readonly string[], context: Context, filter: Filter | null): Reading {
  const { operands, options, all } = parseOptions(words, curlValued)
  const apart = `${curlApart} ${curlElse}`.split(' ').find((name) => options.has(name))
  if (apart !== undefined) return verdict(`curl's option ${apart} cannot be followed from outside`)
  const method = options.get('X') ?? options.get('request') ?? 'GET'
  if (method !== 'GET' && method !== 'HEAD') return verdict('it does not ask with GET')
  const headers = headersOf([...all('H'), ...all('header')])
  if (headers === null) return verdict('it sends a header that is secret or was not understood')
  if (options.has('k') || options.has('insecure')) return verdict('it does not verify TLS')
  // Who passes the answer on judges it there, and the code no more.
  const strict = filter === null && ['f', 'fail', 'fail-with-body'].some((name) => options.has(name))
  return readOne([...operands, ...all('url')], { headers, strict, expect: filter ?? {} }, context)
}

const wgetValued = new Set([
  ...'O T t U o a e P w Y Q i'.split(' '),
  ...'output-document timeout tries user-agent header post-data post-file method user password'.split(' '),
  ...'connect-timeout read-timeout dns-timeout wait waitretry execute http-user http-password body-data'.split(' '),
])
const wgetApart = 'post-data post-file body-data body-file user password http-user http-password i input-file e execute'

export function readWget(words: readonly string[], context: Context, filter: Filter | null): Reading {
  // Two letters that are one option.
  const plain = words.filter((word) => !/^-(?:nv|nc|nd|nH)$/.test(word))
  const { operands, options, all } = parseOptions(plain, wgetValued)
  const apart = wgetApart.split(' ').find((name) => options.has(name))
  if (apart !== undefined) return verdict(`wget's option ${apart} cannot be followed from outside`)
  const method = options.get('method') ?? 'GET'
  if (method !== 'GET' && method !== 'HEAD') return verdict('it does not ask with GET')
  if (options.has('no-check-certificate')) return verdict('it does not verify TLS')
  const headers = headersOf(all('header'))
  if (headers === null) return verdict('it sends a header that is secret or was not understood')
  return readOne(operands, { headers, strict: filter === null, expect: filter ?? {} }, context)
}

function readOne(urls: readonly string[], asking: Omit<Asking, 'url'>, context: Context): Reading {
  // In a HEALTHCHECK of the form CMD nobody reads `|| exit 1`, but what its author meant is clear.
  const [url = '', ...more] = urls.includes('||') ? urls.slice(0, urls.indexOf('||')) : urls
  return url === '' || more.length > 0
    ? verdict('it asks for more than one URL, or for none')
    : readUrl({ url, ...asking }, context)
}

function headersOf(lines: readonly string[]): Readonly<Record<string, string>> | null {
  const headers: [string, string][] = []
  for (const line of lines) {
    const [, name, value] = /^([!#$%&'*+\-.^_`|~\dA-Za-z]{1,64}):\s*([\t\u0020-\u007e]{0,2048})$/.exec(line) ?? []
    if (name === undefined || value === undefined || line.includes(unknown) || line.includes('[redacted]')) return null
    headers.push([name, value])
  }
  return Object.fromEntries(headers)
}
