import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { createPages } from './pages.ts'

const folders: string[] = []
afterEach(async () => {
  await Promise.all(folders.splice(0).map((folder) => rm(folder, { recursive: true })))
})

async function folderOf(files: Readonly<Record<string, string>>): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'medyk-pages-'))
  folders.push(folder)
  await mkdir(join(folder, 'assets'))
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text)
  return folder
}

const none = new Headers()

describe('the pages', () => {
  it('gives the page at / to be asked again, and assets for ever', async () => {
    const pages = createPages(await folderOf({ 'index.html': '<p>hi', 'assets/a-1.js': 'x', 'icon.svg': '<svg/>' }))
    const index = await pages.answer('/', none)
    expect(await index?.text()).toBe('<p>hi')
    expect(index?.headers.get('cache-control')).toBe('no-cache')
    const script = await pages.answer('/assets/a-1.js', none)
    expect(script?.headers.get('cache-control')).toContain('immutable')
    expect(script?.headers.get('content-type')).toBe('text/javascript; charset=utf-8')
    expect((await pages.answer('/icon.svg', none))?.headers.get('cache-control')).toBe('no-cache')
  })

  it('saves what the browser already has', async () => {
    const pages = createPages(await folderOf({ 'index.html': 'same' }))
    const etag = (await pages.answer('/', none))?.headers.get('etag') ?? ''
    const again = await pages.answer('/', new Headers({ 'if-none-match': etag }))
    expect(again?.status).toBe(304)
    expect(await again?.text()).toBe('')
  })

  it('compresses for who asks, when that makes it smaller', async () => {
    const pages = createPages(await folderOf({ 'index.html': 'a'.repeat(5_000), 'assets/tiny.js': 'x' }))
    const zip = new Headers({ 'accept-encoding': 'gzip, br' })
    expect((await pages.answer('/', zip))?.headers.get('content-encoding')).toBe('gzip')
    expect((await pages.answer('/', none))?.headers.get('content-encoding')).toBeNull()
    expect((await pages.answer('/assets/tiny.js', zip))?.headers.get('content-encoding')).toBeNull()
  })

  it.each(['/../package.json', '/assets/../../secret.js', '/nothing.js', '/assets/', '/index.html.bak', '/a\\b.js'])(
    'has nothing at %s',
    async (path) => {
      const pages = createPages(await folderOf({ 'index.html': 'x' }))
      expect(await pages.answer(path, none)).toBeNull()
    },
  )

  it('says how to build the page while there is none, and shows it once it is there', async () => {
    const folder = await folderOf({})
    const pages = createPages(folder)
    expect(await (await pages.answer('/', none))?.text()).toContain('npm run build')
    await writeFile(join(folder, 'index.html'), 'built')
    expect(await (await pages.answer('/', none))?.text()).toBe('built')
    expect(await (await createPages('/no/such/folder').answer('/', none))?.text()).toContain('has not been built')
    expect(await (await createPages(null).answer('/', none))?.text()).toContain('has not been built')
  })
})
