import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'

const TYPES: Readonly<Record<string, string>> = {
  html: 'text/html; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  css: 'text/css; charset=utf-8',
  svg: 'image/svg+xml',
  png: 'image/png',
  woff2: 'font/woff2',
}
const MAX_FILE_BYTES = 2 * 1024 * 1024
const MAX_FILES = 64
const compress = promisify(gzip)

interface StaticFile {
  readonly body: Uint8Array<ArrayBuffer>
  readonly gzipped: Uint8Array<ArrayBuffer> | null
  readonly type: string
  readonly etag: string
  readonly immutable: boolean
}

export interface Pages {
  /** The file at a request path, or null. `/` always answers: without a build it says how to make one. */
  answer(path: string, headers: Headers): Promise<Response | null>
}

/**
 * The dashboard's files, held in memory: a few, small, and never looked up by a path that a client chose, so nothing
 * outside `folder` can be reached.
 */
export function createPages(webFolder: string | null): Pages {
  const folder = webFolder === null ? null : resolve(webFolder)
  let loaded: Promise<ReadonlyMap<string, StaticFile>> | undefined

  const files = async (): Promise<ReadonlyMap<string, StaticFile>> => {
    loaded ??= load(folder)
    const current = await loaded
    // A build may still come; until then every visit looks again.
    if (!current.has('/')) loaded = undefined
    return current
  }

  return {
    async answer(path, headers) {
      // Asked for anything else, an API call for instance, the folder need not be read.
      if (path !== '/' && !/^\/(?:assets\/)?[\w.-]+\.[a-z0-9]+$/.test(path)) return null
      const file = (await files()).get(path)
      if (file) return respond(file, headers)
      return path === '/' ? notBuilt() : null
    },
  }
}

async function load(folder: string | null): Promise<ReadonlyMap<string, StaticFile>> {
  const found = new Map<string, StaticFile>()
  if (folder === null) return found
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => [])
  for (const entry of entries.filter((candidate) => candidate.isFile()).slice(0, MAX_FILES)) {
    const type = TYPES[entry.name.split('.').at(-1) ?? '']
    if (!type) continue
    const full = join(entry.parentPath, entry.name)
    const path = full.slice(folder.length).replaceAll('\\', '/')
    const body = new Uint8Array(await readFile(full))
    if (body.byteLength > MAX_FILE_BYTES) continue
    const small = /^(?:text\/|image\/svg)/.test(type) ? new Uint8Array(await compress(body)) : null
    found.set(path === '/index.html' ? '/' : path, {
      body,
      gzipped: small && small.byteLength < body.byteLength ? small : null,
      type,
      etag: `"${createHash('sha256').update(body).digest('base64url').slice(0, 22)}"`,
      // The build puts a hash of the content into every name under assets/.
      immutable: path.startsWith('/assets/'),
    })
  }
  return found
}

function respond(file: StaticFile, headers: Headers): Response {
  const shared = {
    'content-type': file.type,
    'cache-control': file.immutable ? 'public, max-age=31536000, immutable' : 'no-cache',
    etag: file.etag,
    vary: 'accept-encoding',
  }
  if (headers.get('if-none-match') === file.etag) return new Response(null, { status: 304, headers: shared })
  const zipped = /\bgzip\b/.test(headers.get('accept-encoding') ?? '') ? file.gzipped : null
  return new Response(zipped ?? file.body, {
    headers: zipped ? { ...shared, 'content-encoding': 'gzip' } : shared,
  })
}

function notBuilt(): Response {
  const page = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Medyk</title>
<h1>Medyk is running</h1>
<p>The dashboard has not been built here. Build it with <code>npm run build</code> and load this page again.</p>
<p>Everything it would show is at <a href="api/v1/services">api/v1/services</a>,
<a href="api/v1/incidents">api/v1/incidents</a> and <a href="api/v1/openapi.json">api/v1/openapi.json</a>,
and in the terminal with <code>npx medyk status</code>.</p>
</html>
`
  return new Response(page, { headers: { 'content-type': 'text/html; charset=utf-8', 'cache-control': 'no-store' } })
}
