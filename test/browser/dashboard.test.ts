import { mkdtemp, rm } from 'node:fs/promises'
import { createServer as createHttpServer, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Browser, Page } from 'playwright-core'
import { build } from 'vite'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { createServer, type MonitorServer } from '../../src/monitor/server/index.ts'
import { chromiumPath, launchChromium } from './chromium.ts'
import { createFakeMonitor, type FakeMonitor } from './fake-monitor.ts'
import { action, incident, scenario, serviceRow, type ScenarioName } from './scenarios.ts'

const missing = chromiumPath === null
if (missing) console.warn('SKIPPED: the dashboard tests need a Chromium (package chromium, or MEDYK_CHROMIUM=/path)')

describe.runIf(missing && process.env['CI'] === 'true')('the dashboard', () => {
  it('cannot be tested: CI must have a Chromium', () => {
    expect.fail('install the package chromium, or set MEDYK_CHROMIUM')
  })
})

describe.skipIf(missing)('the dashboard', () => {
  let browser: Browser
  let webFolder: string
  let disposables = new AsyncDisposableStack()

  beforeAll(async () => {
    // Built here, so that no older build is what gets tested.
    webFolder = await mkdtemp(join(tmpdir(), 'medyk-web-'))
    await build({
      configFile: 'src/monitor/web/vite.config.ts',
      logLevel: 'warn',
      build: { outDir: webFolder, emptyOutDir: true },
    })
    browser = await launchChromium()
  })

  afterAll(async () => {
    await browser.close()
    await rm(webFolder, { recursive: true })
  })

  afterEach(async () => {
    await disposables.disposeAsync()
    disposables = new AsyncDisposableStack()
  })

  async function serve(monitor: FakeMonitor, port = 0): Promise<{ url: string; port: number; server: MonitorServer }> {
    const server = createServer({ state: monitor, version: '0.1.0', port, webFolder })
    disposables.use(server)
    return { ...(await server.listen()), server }
  }

  /** A page, and what it did that it should not have done. */
  async function open(url: string, options: { width?: number; scheme?: 'light' | 'dark' } = {}) {
    const page = await browser.newPage({
      viewport: { width: options.width ?? 1_280, height: 900 },
      colorScheme: options.scheme ?? 'light',
      reducedMotion: 'reduce',
    })
    disposables.defer(() => page.close())
    page.setDefaultTimeout(60_000)
    const faults: string[] = []
    const foreign: string[] = []
    page.on('console', (message) => {
      if (['error', 'warning'].includes(message.type())) faults.push(message.text())
    })
    page.on('pageerror', (error) => faults.push(error.message))
    page.on('request', (sent) => {
      if (!sent.url().startsWith(url)) foreign.push(sent.url())
    })
    await page.goto(url)
    return { page, faults, foreign }
  }

  async function show(name: ScenarioName, options: Parameters<typeof open>[1] = {}) {
    const monitor = createFakeMonitor(scenario(name, Date.now()))
    const served = await serve(monitor)
    const opened = await open(`${served.url}/`, options)
    await opened.page.locator('[data-link=live]').waitFor()
    return { monitor, served, ...opened }
  }

  const headline = (page: Page, text: string | RegExp) => page.locator('h1', { hasText: text }).waitFor()
  const rolesOf = (page: Page) =>
    page
      .locator('button.node')
      .evaluateAll((nodes) =>
        Object.fromEntries(nodes.map((node) => [node.dataset['service'], node.dataset['role']])),
      ) as Promise<Record<string, string>>

  it('shows a healthy pipeline in words, graph, table and history, all from its own server', async () => {
    const { page, faults, foreign } = await show('healthy')
    await headline(page, 'All 5 services healthy')
    expect(await page.title()).toBe('healthy · Medyk')
    expect(await page.locator('button.node').count()).toBe(5)
    expect(await page.locator('path.edge:not(.legend path)').count()).toBe(4)
    expect(await page.locator('tr.service').count()).toBe(5)
    expect(await page.locator('tr.service').first().innerText()).toMatch(/camera\s+healthy/)
    expect(await page.locator('li.incident').count()).toBe(3)
    expect(await page.locator('li.incident').first().innerText()).toMatch(/recovered\s+in 2\.2 s/)
    expect(faults).toEqual([])
    expect(foreign).toEqual([])
  })

  it('tells a crash and its cure as they happen, without being loaded again', async () => {
    const { page, monitor, faults } = await show('healthy')
    const at = () => new Date().toISOString()
    const [storage, tracking] = ['metadata-storage', 'frame-tracking'].map((name) => monitor.service(name))
    if (!storage || !tracking) throw new Error('the scenario has changed')

    const sick = { status: 'unhealthy', cause: 'self', reason: 'the process exited with signal SIGKILL' } as const
    const first = incident({
      id: 'inc-live',
      service: 'metadata-storage',
      openedAt: at(),
      detectedAt: at(),
      impacted: [{ service: 'frame-tracking', since: at(), reason: 'metadata-storage is unhealthy' }],
    })
    monitor.setService(serviceRow(storage.name, { ...sick, since: at() }, null))
    monitor.setService({
      ...tracking,
      status: 'degraded',
      cause: 'dependency',
      reason: 'metadata-storage is unhealthy',
    })
    monitor.setIncident(first)
    await headline(page, 'metadata-storage is ill: the process exited with signal SIGKILL')
    expect(await rolesOf(page)).toMatchObject({
      'metadata-storage': 'root',
      'frame-tracking': 'impacted',
      'frame-buffer': 'healthy',
    })
    expect(await page.locator('path.edge-hit').count()).toBe(1)
    expect(await page.locator('li.incident').first().innerText()).toMatch(/metadata-storage[\s\S]*cause self/)
    expect(await page.locator('li.incident').first().innerText()).toContain('Affects frame-tracking')
    expect(await page.title()).toBe('1 ill · Medyk')

    const started = action('inc-live', 'metadata-storage', 1, { kind: 'start', decidedAt: at() })
    monitor.log.publish({ type: 'action', data: started })
    await page.locator('.hero', { hasText: 'Medyk is at work: start, attempt 1.' }).waitFor()

    monitor.setService({ ...storage, since: at() })
    monitor.setService({ ...tracking, since: at() })
    const actions = [{ ...started, finishedAt: at(), result: 'done' as const }]
    monitor.setIncident({ ...first, actions, recoveredAt: at() })
    await headline(page, 'All 5 services healthy')
    expect(await page.locator('path.edge-hit').count()).toBe(0)
    expect(await page.locator('li.incident').first().innerText()).toContain('watching')
    expect(faults).toEqual([])
  })

  it.each([
    { name: 'quarantined', says: /is ill/, more: 'Medyk stands back after 5 attempts: it needs a person.' },
    { name: 'unknown', says: 'All 5 services unknown', more: 'the probing loop was late by 1.9 s' },
    { name: 'starting', says: '3 of 5 services healthy', more: 'are starting' },
    { name: 'empty', says: 'No services yet', more: 'watches nothing' },
    { name: 'forty', says: 'store-04 is ill: connection refused', more: 'and 2 more are affected' },
  ] as const)('has words for "$name"', async ({ name, says, more }) => {
    const { page, faults } = await show(name)
    await headline(page, says)
    expect(await page.locator('.hero').innerText()).toContain(more)
    expect(faults).toEqual([])
  })

  it('trusts nothing while the observer is unwell', async () => {
    const { page, monitor } = await show('healthy')
    await headline(page, 'All 5 services healthy')
    monitor.setObserver({ unwell: true, reason: 'the clock jumped by 40 s', since: new Date().toISOString() })
    await headline(page, 'Medyk does not trust its own eyes')
    monitor.setObserver({ unwell: false, reason: null, since: null })
    await headline(page, 'All 5 services healthy')
  })

  it('never shows old data as live, and comes back by itself', async () => {
    const { page, monitor, served } = await show('healthy')
    await served.server[Symbol.asyncDispose]()
    await page.locator('.chip', { hasText: /^Reconnecting, \d+ s old$/ }).waitFor()
    expect(await page.locator('.hero').innerText()).toContain('Last known, may not be true any more')
    expect(await page.locator('.page.is-stale .hero.tone-unknown').count()).toBe(1)
    expect(await page.title()).toMatch(/^\(old\) /)
    monitor.load(scenario('root', Date.now()))
    await serve(monitor, served.port)
    await page.locator('[data-link=live]').waitFor()
    await headline(page, 'metadata-storage is ill')
    expect(await page.locator('.is-stale').count()).toBe(0)
  })

  it('opens the details of a service by keyboard, from the graph and from the table', async () => {
    const { page } = await show('quarantined')
    await page.locator('button.node[data-service=metadata-storage]').focus()
    await page.keyboard.press('Enter')
    const details = page.locator('.details')
    await details.waitFor()
    expect(await details.innerText()).toMatch(/5 of 5 attempts used in 10 min; quarantined for \d+ min/)
    const expand = page.locator('tr[data-service=metadata-storage] button.expand')
    expect(await expand.getAttribute('aria-expanded')).toBe('true')
    await expand.press('Space')
    await details.waitFor({ state: 'detached' })
  })

  it('shows what a service says of itself as text, whatever it says', async () => {
    const { page, monitor, faults } = await show('healthy')
    const evil = '<img src=x onerror="document.title=1"><script>alert(1)</script>'
    monitor.setService(serviceRow('camera', { status: 'unhealthy', cause: 'self', reason: evil }, null))
    await headline(page, evil)
    expect(await page.locator('main img, main script').count()).toBe(0)
    expect(faults).toEqual([])
  })

  it.each([320, 390, 768, 1_000, 1_180, 1_260, 1_440])('has nothing beside the screen at %d px', async (width) => {
    for (const name of ['quarantined', 'forty'] as const) {
      const { page } = await show(name, { width })
      await page.locator('tr.service').first().waitFor()
      const overflow = await page.evaluate<number>('document.documentElement.scrollWidth - innerWidth')
      expect(overflow).toBeLessThanOrEqual(0)
      const cut = await page.locator('.services-card').evaluate((card) => card.scrollWidth - card.clientWidth)
      expect(cut).toBeLessThanOrEqual(0)
    }
  })

  it.each(['light', 'dark'] as const)('keeps WCAG AA contrast in the %s scheme', async (scheme) => {
    const { page } = await show('healthy', { scheme })
    const statuses = ['healthy', 'degraded', 'unhealthy', 'starting', 'unknown']
    const pairs = [
      ...['text', 'muted'].flatMap((ink) => ['ground', 'surface', 'raised'].map((ground) => [ink, ground])),
      ...statuses.flatMap((status) => [
        [status, 'surface'],
        [status, `${status}-soft`],
        ['text', `${status}-soft`],
        ['muted', `${status}-soft`],
      ]),
    ] as [string, string][]
    const tokens = [...new Set(pairs.flat())]
    const colours = await page.evaluate<string[]>(`${JSON.stringify(tokens)}.map((token) => {
      const probe = document.body.appendChild(document.createElement('i'))
      probe.style.color = 'var(--' + token + ')'
      const { color } = getComputedStyle(probe)
      probe.remove()
      return color
    })`)
    const light = new Map(tokens.map((token, index) => [token, luminance(colours[index] ?? '')]))
    const ratios = pairs.map(([ink, ground]) => {
      const both = [light.get(ink) ?? Number.NaN, light.get(ground) ?? Number.NaN]
      return { pair: `${ink} on ${ground}`, ratio: (Math.max(...both) + 0.05) / (Math.min(...both) + 0.05) }
    })
    expect(ratios.filter(({ ratio }) => !(ratio >= 4.5))).toEqual([])
  })

  it('works behind a path prefix', async () => {
    const { port } = await serve(createFakeMonitor(scenario('healthy', Date.now())))
    const proxy = createHttpServer((incoming, outgoing) => {
      if (!incoming.url?.startsWith('/ops/medyk/')) {
        outgoing.writeHead(418).end()
        return
      }
      const path = incoming.url.slice('/ops/medyk'.length)
      const forwarded = request({ port, host: '127.0.0.1', path, headers: incoming.headers }, (answer) => {
        outgoing.writeHead(answer.statusCode ?? 502, answer.headers)
        answer.pipe(outgoing)
      })
      forwarded.on('error', () => outgoing.destroy())
      outgoing.on('close', () => forwarded.destroy())
      forwarded.end()
    })
    await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve))
    disposables.defer(() => {
      proxy.closeAllConnections()
      proxy.close()
    })
    const { port: front } = proxy.address() as AddressInfo
    const { page, faults, foreign } = await open(`http://127.0.0.1:${front}/ops/medyk/`)
    await page.locator('[data-link=live]').waitFor()
    await headline(page, 'All 5 services healthy')
    expect(faults).toEqual([])
    expect(foreign).toEqual([])
  })
})

/** Relative luminance, as WCAG 2 defines it, of a colour like `rgb(1, 2, 3)`. */
function luminance(colour: string): number {
  const channels = (colour.match(/[\d.]+/g) ?? []).slice(0, 3).map((text) => {
    const value = Number(text) / 255
    return value <= 0.040_45 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4
  })
  const [r = Number.NaN, g = Number.NaN, b = Number.NaN] = channels
  return 0.2126 * r + 0.7152 * g + 0.0722 * b
}
